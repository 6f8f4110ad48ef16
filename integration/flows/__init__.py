"""The flows: one file per table, found because it is here. Nothing else in the code names a table."""

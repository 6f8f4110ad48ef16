"""The entity sets: every file here declares one, except files whose names begin with `_`."""

"""Virtual tables: an OData v4 provider that Dataverse's Virtual Entity Data Provider reads and writes."""

"""Opens what the sinks have written, as an analyst does: the archive, the lake and the Delta table, in DuckDB."""

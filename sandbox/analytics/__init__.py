"""Opens what the sinks have written, as an analyst does: files of the archive and of the lake, in DuckDB."""

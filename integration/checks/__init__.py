"""The checks, one file each; see `integration.synchronous`."""

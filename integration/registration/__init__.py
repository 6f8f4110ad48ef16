"""Dataverse as code: what the flows need of an environment is declared, compared with what is there, and written."""

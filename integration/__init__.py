"""What is deployed: Dataverse publishes, Azure processes."""

# The one place of the version: pyproject.toml reads it from here, as pyproject.toml itself is not deployed. run.py may
# import this package before anything is installed, so nothing else is imported here.
__version__ = "0.1.0"

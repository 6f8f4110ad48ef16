"""What is deployed: Dataverse publishes, Azure processes."""

# The version is defined here only; pyproject.toml reads it from here, because pyproject.toml itself is not deployed.
# run.py may import this package before anything is installed, so nothing else is imported here.
__version__ = "0.1.0"

"""The sandbox: what Azure and Dataverse provide, on one machine, for development and tests. It is never deployed."""

"""What Azure Synapse Link and Fabric have exported of Dataverse, as a source of changes beside Dataverse itself."""

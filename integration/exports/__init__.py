"""What has been exported of Dataverse, such as by Synapse Link, as a source of changes beside Dataverse itself."""

"""The Dataverse stand-in: token endpoint, Web API, and registered steps that publish RemoteExecutionContexts."""

"""What a real environment's Web API has and the stand-in does not have: it is refused by name, never ignored."""

SEGMENTS = frozenset(
    {"GlobalOptionSetDefinitions", "ManagedPropertyDefinitions", "RetrieveMetadataChanges", "BulkDelete"}
    | {"TriggerServiceEndpointCheck", "RetrieveDependentComponents", "RetrieveRequiredComponents"}
    | {"InitializeFileBlocksUpload", "UploadBlock", "CommitFileBlocksUpload", "InitializeFileBlocksDownload"}
    | {"DownloadBlock", "CloseIncident", "QualifyLead", "Assign", "SetState", "ExecuteWorkflow"}
    | {"DeleteOptionValue", "OrderOption", "GrantAccess", "ModifyAccess"}
    | {"RevokeAccess", "teams", "backgroundoperations", "workflows", "audits", "opportunitycloses", "plugintypes"}
    | {"pluginassemblies", "keyvaultreferences", "ExportSolution", "ImportSolution"}
    | {"systemuserrolescollection", "roleprivilegescollection"}
)
"""Entity sets, actions and functions at the root."""

BOUND = frozenset(
    {"AddToQueue", "GetNextAutoNumberValue", "RetrievePrincipalAccess", "RetrieveUserPrivileges", "DownloadFile"}
)
"""Actions and functions bound to a row or an entity set, without their namespace."""

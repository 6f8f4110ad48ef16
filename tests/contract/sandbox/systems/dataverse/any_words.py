"""What requests at random are made of: parts that fit, and parts that do not."""

from typing import Any

FABRIKAM = "a0000000-0000-4000-8000-000000000001"
ADA = "b0000000-0000-4000-8000-000000000001"
CRM = "Microsoft.Dynamics.CRM."
METHODS = ("GET",) * 6 + ("POST", "POST", "PATCH", "PUT", "DELETE", "HEAD")
PATHS = (
    *("accounts", "contacts", "tasks", "opportunities", "systemusers", "solutions", "asyncoperations", "nothings"),
    *(f"accounts({FABRIKAM})", "accounts(00000000-0000-0000-0000-000000000000)", "accounts(1)", "accounts()"),
    *("accounts(new_erpnumber='A-1')", "accounts(new_erpnumber='it''s')", "accounts(name='x')", "accounts(a=b,c=)"),
    *("accounts/$count", f"accounts({FABRIKAM})/name", f"accounts({FABRIKAM})/name/$value", "accounts/$value"),
    *(f"accounts({FABRIKAM})/primarycontactid", f"accounts({FABRIKAM})/primarycontactid/$ref"),
    *(f"accounts({FABRIKAM})/contact_customer_accounts", f"accounts({FABRIKAM})/contact_customer_accounts/$count"),
    *(f"accounts({FABRIKAM})/contact_customer_accounts/$ref", f"accounts({FABRIKAM})/contact_customer_accounts({ADA})"),
    *(f"contacts({ADA})/parentcustomerid_account/name", f"contacts({ADA})/ownerid", f"contacts({ADA})/ownerid/$ref"),
    *(f"accounts({FABRIKAM})/{CRM}Nonsense", f"accounts/{CRM}CreateMultiple", f"accounts/{CRM}UpdateMultiple"),
    *(f"accounts/{CRM}UpsertMultiple", f"accounts/{CRM}DeleteMultiple", "WhoAmI", "WhoAmI()", "WinOpportunity"),
    *("RetrieveVersion", "CreateEntities", "customapis", "$metadata", "", "$batch", "$batch/x", "Nonsense(1)/x"),
    *("EntityDefinitions", "EntityDefinitions(LogicalName='account')", "EntityDefinitions(LogicalName='nothing')"),
    *(f"EntityDefinitions(LogicalName='account'){rest}" for rest in ("/Attributes", "/Keys", "/DisplayName", "/x")),
    f"EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')/{CRM}StringAttributeMetadata",
    *("RelationshipDefinitions", f"RelationshipDefinitions/{CRM}OneToManyRelationshipMetadata", "EntityDefinitions(1)"),
    *("serviceendpoints", "sdkmessageprocessingsteps", "sdkmessageprocessingstepimages", "sdkmessages"),
    *("RetrieveTotalRecordCount(EntityNames=@p)", "RetrieveCurrentOrganization(AccessType=1)", "RetrieveVersion(a=)"),
    *("RetrieveDependenciesForDelete(ObjectId=@p,ComponentType=95)", "PublishAllXml", "PublishXml"),
    *("AddSolutionComponent", "RemoveSolutionComponent", "solutioncomponents", "customapis(uniquename='new_Any')"),
    *("catalogs", "catalogassignments", "entities", "customapirequestparameters", "new_Any", "new_Any/x", "new_Any(1)"),
    *(f"EntityDefinitions(LogicalName='account')/{rest}" for rest in ("OneToManyRelationships", "LogicalName/$value")),
    f"EntityDefinitions(LogicalName='account')/OneToManyRelationships/{CRM}OneToManyRelationshipMetadata",
    f"EntityDefinitions(LogicalName='account')/Attributes/{CRM}PicklistAttributeMetadata",
)
DEFINED = (
    *("LogicalName", "IsCustomEntity", "OwnershipType", "DisplayName", "IsCustomizable", "IsCustomizable/Value"),
    *("MetadataId", "AttributeType", "MaxLength", "RequiredLevel/Value", "KeyAttributes", "nonsense", "ExternalName"),
)
DEFINED_LITERALS = (
    *(f"{CRM}AttributeTypeCode'String'", f"{CRM}OwnershipTypes'UserOwned'", f"{CRM}Nonsense'x'", "'account'", "true"),
    *("5", "null", "1.5", FABRIKAM, '"quoted"', "@p", "LogicalName"),
)
DEFINED_EXPANSIONS = (
    *("Attributes", "Attributes($select=LogicalName;$filter=IsCustomAttribute eq true)", "Keys($select=nonsense)"),
    *("OptionSet($select=Options),GlobalOptionSet", "OneToManyRelationships($top=1)", "Attributes($expand=OptionSet)"),
    *("Attributes($filter=(LogicalName eq 'name'))", "nonsense", "Attributes(", "Attributes($select)"),
)
_TEXT = {"@odata.type": f"{CRM}StringAttributeMetadata", "MaxLength": 10}
TEMPLATES: dict[str, dict[str, Any]] = {
    "EntityDefinitions": {
        "SchemaName": "new_Any",
        "Attributes": [_TEXT | {"SchemaName": "new_Name", "IsPrimaryName": True}],
    },
    "Attributes": _TEXT | {"SchemaName": "new_Column", "RequiredLevel": {"Value": "None"}},
    "Keys": {"SchemaName": "new_Key", "KeyAttributes": ["fax"]},
    "customapis": {
        **dict.fromkeys(("uniquename", "name", "displayname", "description"), "new_Any"),
        "bindingtype": 0,
        "allowedcustomprocessingsteptype": 1,
        "CustomAPIRequestParameters": [
            {**dict.fromkeys(("uniquename", "name", "displayname", "description"), f"P{kind}"), "type": kind}
            | {"isoptional": True}
            for kind in range(13)
        ],
    },
    "new_Any": {
        f"P{kind}": value for kind, value in enumerate((True, "2026-01-31", 1, {}, [], {}, 1, 1, 1, 1, "x", []))
    },
    "catalogs": dict.fromkeys(("uniquename", "name", "displayname", "description"), "new_Any"),
    "AddSolutionComponent": {
        "ComponentId": FABRIKAM,
        "ComponentType": 95,
        "SolutionUniqueName": "integration",
        "AddRequiredComponents": False,
    },
}
"""Bodies that fit, by the last part of a path."""
COLUMNS = (
    *("name", "fax", "revenue", "numberofemployees", "createdon", "statecode", "creditonhold", "industrycode"),
    *("accountid", "_ownerid_value", "versionnumber", "subject", "firstname", "estimatedclosedate", "nonsense"),
    *("primarycontactid/firstname", "ownerid/fullname", "nonsense/name", "parentaccountid/parentaccountid/name"),
)
LITERALS = (
    *(
        "'a'",
        "''",
        "'it''s'",
        "1",
        "-5",
        "1.5",
        "null",
        "true",
        "false",
        FABRIKAM,
        "2026-01-31",
        "2026-01-31T10:00:00Z",
    ),
    *('"quoted"', "@p", "@nothing", "9999999999999999999999", "'NaN'", "'Infinity'", "2026-99-99", "'%'", "name"),
)
LISTS = ("['a','b']", '["1","2"]', "['NaN','1']", "[]", "['2026-01-01','2026-12-31']", "['x']")
FUNCTIONS = (
    *("In", "NotIn", "Between", "NotBetween", "Today", "LastXDays", "NextXYears", "OlderThanXMinutes", "On"),
    *("OnOrAfter", "LastYear", "Under", "EqualUserId", "Nonsense", "LastXMinutes"),
)
EXPANSIONS = (
    *("primarycontactid", "primarycontactid($select=fullname)", "ownerid", "createdby,modifiedby", "nonsense"),
    *("contact_customer_accounts", "contact_customer_accounts($filter=firstname eq 'Ada';$orderby=lastname;$top=1)"),
    *("contact_customer_accounts($expand=parentcustomerid_account)", "contact_customer_accounts($count=true)"),
    *("primarycontactid/$ref", "contact_customer_accounts/$ref", "Account_Tasks($levels=2)", "primarycontactid("),
)
APPLIED = (
    *("groupby((statecode),aggregate($count as n))", "aggregate(revenue with sum as n)", "filter(name eq 'a')"),
    *("aggregate(name with sum as n)", "groupby((name", "aggregate()", "groupby(())", "nonsense"),
)
CONDITIONS = (
    *("<condition attribute='name' operator='like' value='%a[%'/>", "<condition attribute='name' operator='in'/>"),
    *("<condition attribute='revenue' operator='gt' value='NaN'/>", "<condition attribute='x' operator='null'/>"),
    *("<condition attribute='createdon' operator='last-x-days' value='2'/>", "<condition operator='eq'/>"),
    *("<condition attribute='createdon' operator='last-x-days' value='99999999999'/>", "<condition/>"),
    "<condition attribute='accountid' operator='eq' value='{a0000000-0000-4000-8000-000000000001}'/>",
    "<condition attribute='createdon' operator='on' value='yesterday'/>",
    "<condition attribute='numberofemployees' operator='between'><value>1</value><value>x</value></condition>",
    "<link-entity name='contact' from='parentcustomerid' to='accountid' link-type='any'/>",
)
HEADERS = (
    *(("Prefer", text) for text in ("return=representation", "odata.maxpagesize=1", "odata.track-changes", "x;y=,")),
    *(
        ("Prefer", text)
        for text in ('odata.include-annotations="*"', "odata.continue-on-error", "odata.maxpagesize=-1")
    ),
    *(("If-Match", text) for text in ("*", 'W/"1"', "nonsense", "")),
    *(("If-None-Match", text) for text in ("*", "null", 'W/"1"')),
    *(("MSCRM.SolutionUniqueName", text) for text in ("integration", "nothing")),
    *(("MSCRM.BypassBusinessLogicExecution", text) for text in ("CustomSync", "Nonsense")),
    ("CallerObjectId", "x"),
)
VALUES: tuple[Any, ...] = (
    *(
        "a",
        "",
        None,
        True,
        0,
        -1,
        1.5,
        2**70,
        [],
        {},
        [1],
        {"a": {}},
        "x" * 300,
        "2026-01-31",
        FABRIKAM,
        "\u0000",
        "\ud800",
        "ß",
    ),
    *("$1", f"accounts({FABRIKAM})", f"/contacts({ADA})", "accounts(", "https://x/api/data/v9.2/accounts(1)"),
)
NAMES = (
    *(
        "name",
        "fax",
        "revenue",
        "numberofemployees",
        "statecode",
        "statuscode",
        "creditonhold",
        "accountid",
        "nonsense",
    ),
    *("primarycontactid@odata.bind", "ownerid@odata.bind", "primarycontactid", "_ownerid_value", "@odata.id", "value"),
    *(
        "@odata.type",
        "Targets",
        "contact_customer_accounts",
        "subject",
        "lastname",
        "SchemaName",
        "Attributes",
        "Status",
    ),
    *(
        "OpportunityClose",
        "Entities",
        "KeyAttributes",
        "DisplayName",
        "",
        "contract",
        "url",
        "stage",
        "mode",
        "imagetype",
    ),
)

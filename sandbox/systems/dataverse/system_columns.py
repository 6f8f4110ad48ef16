"""The columns that Dataverse gives to every new table; virtual ones have their key alone."""

from typing import Any

Definition = dict[str, Any]

_OPTIONS = {
    "statecode": ("State", [{"Value": 0, "Label": "Active"}, {"Value": 1, "Label": "Inactive"}]),
    "statuscode": (
        "Status",
        [{"Value": 1, "Label": "Active", "State": 0}, {"Value": 2, "Label": "Inactive", "State": 1}],
    ),
}


def key_column(logical: str) -> Definition:
    """The primary key."""
    return {
        "LogicalName": f"{logical}id",
        "AttributeType": "Uniqueidentifier",
        "DisplayName": "Id",
        "IsValidForUpdate": False,
    }


def system_columns(logical: str, ownership: str) -> list[Definition]:
    """Key, state, owner if rows have one, and who did what when."""
    read_only = {"IsValidForCreate": False, "IsValidForUpdate": False}

    def lookup(name: str, text: str, *targets: str, **flags: bool) -> Definition:
        navigation = dict.fromkeys(targets, name)
        given = {"LogicalName": name, "AttributeType": "Owner" if name == "ownerid" else "Lookup", "DisplayName": text}
        return given | {"Targets": list(targets), "NavigationProperties": navigation} | flags

    def when(name: str, text: str) -> Definition:
        given = {"LogicalName": name, "AttributeType": "DateTime", "DisplayName": text, "Format": "DateAndTime"}
        return given | read_only

    columns = [key_column(logical)]
    for name, (kind, options) in _OPTIONS.items():
        text = "Status" if kind == "State" else "Status Reason"
        columns.append(
            {"LogicalName": name, "AttributeType": kind, "DisplayName": text, "OptionSet": {"Options": options}}
        )
    if ownership == "UserOwned":
        columns.append(lookup("ownerid", "Owner", "systemuser", "team"))
        columns.append(lookup("owninguser", "Owning User", "systemuser", **read_only))
        columns.append(lookup("owningbusinessunit", "Owning Business Unit", "businessunit", IsValidForUpdate=False))
    columns += [
        when("createdon", "Created On"),
        lookup("createdby", "Created By", "systemuser", **read_only),
        when("modifiedon", "Modified On"),
        lookup("modifiedby", "Modified By", "systemuser", **read_only),
        lookup("createdonbehalfby", "Created By (Delegate)", "systemuser", **read_only),
        lookup("modifiedonbehalfby", "Modified By (Delegate)", "systemuser", **read_only),
        {"LogicalName": "versionnumber", "AttributeType": "BigInt", "DisplayName": "Version Number"} | read_only,
    ]
    return columns

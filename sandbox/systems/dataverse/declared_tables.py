"""What the app's flows add to the tables of schema.json: columns that they read, result columns, whole tables."""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.systems.dataverse.declared_flows import DeclaredFlow

Definition = dict[str, Any]

_MODEL = "account"
"""The table whose columns for ownership every other table with owned rows has as well."""
_EVERYWHERE = (
    "ownerid", "owninguser", "owningbusinessunit", "createdon", "createdby", "modifiedon", "modifiedby",
    "createdonbehalfby", "modifiedonbehalfby", "versionnumber", "statecode", "statuscode",
)  # fmt: skip
_WITH_AMOUNTS = ("transactioncurrencyid", "exchangerate")


def with_flows(definitions: Iterable[Definition], flows: Iterable[DeclaredFlow]) -> list[Definition]:
    """The tables with all columns that the flows read and write; a new table has the columns that its flow reads."""
    tables = {it["LogicalName"]: it for it in definitions}
    for flow in flows:
        table = tables.get(flow.table) or _table(flow, tables[_MODEL])
        known = {it["LogicalName"] for it in table["Attributes"]}
        added = [_column(it) for it in (*flow.attributes, *flow.result_attributes) if it["LogicalName"] not in known]
        tables[flow.table] = {
            **table,
            "Attributes": [*table["Attributes"], *added],
            "Keys": [*table["Keys"], *flow.keys],
        }
    return list(tables.values())


def _table(flow: DeclaredFlow, model: Definition) -> Definition:
    read = {it["LogicalName"]: it for it in flow.attributes}
    names = [it for it in _EVERYWHERE if it not in read]
    if any(it["AttributeType"] == "Money" for it in read.values()) or "transactioncurrencyid" in read:
        names += _WITH_AMOUNTS
    like_the_model = {it["LogicalName"]: it for it in model["Attributes"]}
    key = {"LogicalName": f"{flow.table}id", "AttributeType": "Uniqueidentifier", "IsValidForUpdate": False}
    first_text = next((it["LogicalName"] for it in flow.attributes if it["AttributeType"] == "String"), "createdon")
    return {
        **{name: value for name, value in model.items() if name not in {"Attributes", "Keys"}},
        "LogicalName": flow.table,
        "EntitySetName": flow.entity_set,
        "SchemaName": flow.table,
        "PrimaryIdAttribute": f"{flow.table}id",
        "PrimaryNameAttribute": first_text,
        "Attributes": [{"DisplayName": flow.table, **key}, *(like_the_model[name] for name in names)],
        "Keys": [],
    }


def _column(attribute: Mapping[str, Any]) -> Definition:
    """As the metadata have it; a status reason needs the state that it belongs to, and gets the first one."""
    found = dict(attribute)
    if found["AttributeType"] == "Status":
        options = [{**it, "State": 0} for it in found.get("OptionSet", {}).get("Options", [])]
        found["OptionSet"] = {"Options": options}
    return found

"""Columns and keys as Web API metadata write them: bodies that are sent, and fields that are compared."""

from collections.abc import Mapping
from typing import Any

from integration.registration.items import Item

NAMESPACE = "Microsoft.Dynamics.CRM"
LANGUAGE = 1033
"""English, in which all labels are written."""

_OF_TYPE = {
    "String": ("MaxLength",),
    "Integer": ("MinValue", "MaxValue"),
    "Decimal": ("Precision",),
    "DateTime": ("Format", "DateTimeBehavior"),
}


def column_fields(it: Mapping[str, Any], option_set: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is compared of an AttributeMetadata and its option set."""
    kind = str(it["AttributeType"])
    found: dict[str, Any] = {"type": kind, "label": label(it["DisplayName"])}
    for name in _OF_TYPE.get(kind, ()):
        value = it.get(name)
        found[name] = value["Value"] if isinstance(value, Mapping) else value
    if option_set is not None:
        found["options"] = {str(each["Value"]): label(each["Label"]) for each in option_set["Options"]}
    return found


def key_fields(it: Mapping[str, Any]) -> dict[str, Any]:
    """What is compared of an EntityKeyMetadata."""
    return {"label": label(it["DisplayName"]), "columns": list(it["KeyAttributes"])}


def new_column(item: Item, description: str) -> dict[str, Any]:
    """The body that creates a column."""
    fields = item.fields
    kind = fields["type"]
    body: dict[str, Any] = {
        "@odata.type": f"{NAMESPACE}.{kind}AttributeMetadata",
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "SchemaName": item.schema_name,
        "DisplayName": labelled(fields["label"]),
        "Description": labelled(description),
        "RequiredLevel": {
            "Value": "None",
            "CanBeChanged": True,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
    }
    body |= settings_of_column(item)
    if kind == "String":
        body["FormatName"] = {"Value": "Text"}
    elif kind == "Integer":
        body["Format"] = "None"
    elif kind == "Picklist":
        body["OptionSet"] = {
            "@odata.type": f"{NAMESPACE}.OptionSetMetadata",
            "IsGlobal": False,
            "OptionSetType": "Picklist",
            "Options": [{"Value": int(value), "Label": labelled(word)} for value, word in fields["options"].items()],
        }
    return body


def settings_of_column(item: Item) -> dict[str, Any]:
    """Limits and formats of a column, as they are sent."""
    names = _OF_TYPE.get(item.fields["type"], ())
    return {it: {"Value": item.fields[it]} if it == "DateTimeBehavior" else item.fields[it] for it in names}


def new_key(item: Item) -> dict[str, Any]:
    """The body that creates an alternate key."""
    return {
        "@odata.type": f"{NAMESPACE}.EntityKeyMetadata",
        "SchemaName": item.schema_name,
        "DisplayName": labelled(item.fields["label"]),
        "KeyAttributes": list(item.fields["columns"]),
    }


def label(it: Mapping[str, Any] | None) -> str:
    """The text of a Label, in English where it has that."""
    labels = (it or {}).get("LocalizedLabels") or []
    texts = {each["LanguageCode"]: str(each["Label"]) for each in labels}
    return texts.get(LANGUAGE) or next(iter(texts.values()), "")


def labelled(text: str) -> dict[str, Any]:
    """A Label."""
    one = {"@odata.type": f"{NAMESPACE}.LocalizedLabel", "Label": text, "LanguageCode": LANGUAGE}
    return {"@odata.type": f"{NAMESPACE}.Label", "LocalizedLabels": [one]}

"""Result columns in the words of Web API metadata: attributes, choices and alternate keys."""

from collections.abc import Mapping
from typing import Any

from integration.flow import Result

TYPES = {"text": "String", "whole": "Integer", "amount": "Decimal", "choice": "Picklist", "moment": "DateTime"}
"""The attribute type of each kind of result column."""


def result_attribute(result: Result, prefix: str) -> dict[str, Any]:
    """A result column of the publisher with that customisation prefix."""
    found: dict[str, Any] = {
        "LogicalName": f"{prefix}_{result.name}",
        "AttributeType": TYPES[result.kind],
        "SchemaName": schema_name(result, prefix),
        "DisplayName": result.label,
        "IsCustomAttribute": True,
    }
    if result.kind == "text":
        found["MaxLength"] = result.max_length
    elif result.kind == "whole":
        found |= {"MinValue": result.minimum, "MaxValue": result.maximum}
    elif result.kind == "amount":
        found["Precision"] = 2
    elif result.kind == "choice":
        found["OptionSet"] = {"Options": options(result.words)}
    else:
        found |= {"Format": "DateAndTime", "DateTimeBehavior": "UserLocal"}
    return found


def key(result: Result, prefix: str) -> dict[str, Any]:
    """The alternate key of a result column."""
    name = f"{schema_name(result, prefix)}Key"
    return {"SchemaName": name, "LogicalName": name.lower(), "KeyAttributes": [f"{prefix}_{result.name}"]}


def schema_name(result: Result, prefix: str) -> str:
    """`new_ERPNumber` for `ERP number`, where that is the column's name."""
    name = "".join(word[0].upper() + word[1:] for word in result.label.split())
    return f"{prefix}_{name if name.lower() == result.name else result.name}"


def options(words: Mapping[int, str]) -> list[dict[str, Any]]:
    """The options of a choice, their labels with a capital letter."""
    return [{"Value": value, "Label": word[:1].upper() + word[1:]} for value, word in words.items()]

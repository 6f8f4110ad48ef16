"""The app's flows: what they read and write, and what Dataverse sends to them (docs/reference/dataverse/flows.json)."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.repository import REPOSITORY

FILE = REPOSITORY / "docs" / "reference" / "dataverse" / "flows.json"


@dataclass(frozen=True, slots=True)
class DeclaredFlow:
    """One flow. Attributes and keys are in the words of Web API metadata."""

    name: str
    table: str
    entity_set: str
    messages: tuple[str, ...]
    filtering_attributes: tuple[str, ...]
    attributes: tuple[dict[str, Any], ...]
    result_attributes: tuple[dict[str, Any], ...]
    keys: tuple[dict[str, Any], ...]


@cache
def flows() -> tuple[DeclaredFlow, ...]:
    """The flows of the app, by the names of their files."""
    return tuple(
        DeclaredFlow(
            name=it["Name"],
            table=it["LogicalName"],
            entity_set=it["EntitySetName"],
            messages=tuple(it["Messages"]),
            filtering_attributes=tuple(it["FilteringAttributes"]),
            attributes=tuple(it["Attributes"]),
            result_attributes=tuple(it["ResultAttributes"]),
            keys=tuple(it["Keys"]),
        )
        for it in _declared()
        if "CustomApi" not in it
    )


def systems() -> dict[str, dict[str, dict[str, Any]]]:
    """The systems that flows name, with what is read of the answers of each: its kind, and a choice's words."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for it in _declared():
        for system in it["Systems"]:
            found.setdefault(system, {}).update(it.get("Answers", {}).get(system, {}))
    return found


def _declared() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["Flows"]
    return found

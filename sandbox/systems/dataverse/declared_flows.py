"""The app's flows: what they read and write, and what Dataverse sends to them (docs/reference/dataverse/flows.json)."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.repository import REPOSITORY

FILE = REPOSITORY / "docs" / "reference" / "dataverse" / "flows.json"


@dataclass(frozen=True, slots=True)
class DeclaredFlow:
    """One flow. Attributes and keys are in the words of Web API metadata.

    `answers` has the systems that it uses, and what it reads of the answers of each: its kind, and a choice's words.
    """

    name: str
    table: str
    entity_set: str
    messages: tuple[str, ...]
    filtering_attributes: tuple[str, ...]
    attributes: tuple[dict[str, Any], ...]
    result_attributes: tuple[dict[str, Any], ...]
    keys: tuple[dict[str, Any], ...]
    answers: dict[str, dict[str, dict[str, Any]]]


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
            answers=it.get("Answers", {}),
        )
        for it in _declared()
        if "CustomApi" not in it
    )


def custom_apis() -> dict[str, dict[str, str]]:
    """The custom APIs that flows call, by unique name, with their parameters and the kind of each."""
    found = [it["CustomApi"] for it in _declared() if "CustomApi" in it]
    return {it["UniqueName"]: dict(it["Parameters"]) for it in found}


def _declared() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["Flows"]
    return found

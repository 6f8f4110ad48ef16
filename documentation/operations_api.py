"""The routes of operations as an OpenAPI document: from their triggers, their descriptions and the models of bodies."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from documentation import openapi
from documentation.descriptions import described
from documentation.routes import functions
from documentation.source import REPOSITORY
from integration import __version__
from integration.operations.requests import (
    Asked,
    BulkAsked,
    DetailAsked,
    DetailEnded,
    EditAsked,
    NoteAsked,
    PostponeAsked,
    ResyncAsked,
    RetryAsked,
)
from integration.pull.routes import LoadAsked, ReconcileAsked

FILE: Final = REPOSITORY / "docs" / "reference" / "operations.openapi.json"
_BODIES: Final[Mapping[str, type[BaseModel]]] = {
    "operations_retry": RetryAsked,
    "operations_edit": EditAsked,
    "operations_postpone": PostponeAsked,
    "operations_debug_on": DetailAsked,
    "operations_debug_off": DetailEnded,
    "operations_resync": ResyncAsked,
    "operations_bulk": BulkAsked,
    "operations_cause_note": NoteAsked,
    "operations_reconcile": ReconcileAsked,
    "operations_load": LoadAsked,
}
"""Bodies that say more than why."""
_NARROWED: Final = ("state", "reason", "system", "table")
_QUERIES: Final[Mapping[str, tuple[str, ...]]] = {
    "operations": ("correlation_id",),
    "list_problems": (*_NARROWED, "record_id", "from", "to", "following"),
    "list_causes": ("state", "assignee"),
    "list_events": (*_NARROWED, "record_id", "correlation_id", "number", "from", "to", "following"),
    "list_matches": ("table", "following"),
    "list_differences": ("table", "since", "until", "systems", "deleted", "following"),
    "list_load": ("table", "where", "following"),
    "list_audit": ("month", "who", "event_id", "bulk_id", "following"),
    "list_bulk_items": ("after",),
}
_SAYS: Final[Mapping[str, str]] = {
    "200": "Done, or the answer.",
    "202": "It is queued, or has not ended.",
    "400": "The request cannot be read; `errors` points at what is wrong.",
    "401": "No key, or none that is known.",
    "403": "The caller does not have the role.",
    "404": "There is none of this id.",
    "409": "Its state does not allow it; `detail` says what can be done instead.",
    "503": "Tables or broker are away: ask again, nothing is done twice.",
}


def current() -> dict[Path, str]:
    """The document's file as it should be."""
    return {FILE: openapi.text(document())}


def document() -> dict[str, Any]:
    """OpenAPI 3.1; answers are JSON objects, refusals are problems (RFC 9457)."""
    known = {name: it for name, it in functions().items() if str(it.get("route", "")).startswith("operations")}
    texts = described("routes", {name: it for name, it in functions().items() if it["type"] == "httpTrigger"})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Operations of the Dataverse integration",
            "version": __version__,
            "description": "What the support console does, for programs. Lists come in pages: ask again with what the "
            "page before has as `following`.",
        },
        "security": [{"key": []}],
        "paths": openapi.paths(known, lambda name, method, path: _operation(name, method, path, texts[name])),
        "components": {
            "securitySchemes": openapi.KEY,
            "schemas": _schemas(),
        },
    }


def _operation(name: str, method: str, route: str, text: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": name,
        "summary": text["does"],
        "description": f"For {text['key']}.",
        "parameters": [
            *({"name": it, "in": "path", "required": True, "schema": {"type": "string"}}
              for it in re.findall(r"\{(\w+)\}", route)),
            *({"name": it, "in": "query", "schema": {"type": "string"}} for it in _QUERIES.get(name, ())),
        ],
        "responses": {code: _answer(code) for code in re.findall(r"\d{3}", text["answers"])},
    }  # fmt: skip
    if method == "post":
        found["requestBody"] = openapi.body(openapi.of(_BODIES.get(name, Asked).__name__))
    return found


def _answer(code: str) -> dict[str, Any]:
    if code >= "400":
        return openapi.problem(_SAYS[code])
    return openapi.answer(_SAYS[code], {"type": "object"})


def _schemas() -> dict[str, Any]:
    models: list[type[BaseModel]] = [Asked, *_BODIES.values()]
    _, made = models_json_schema([(it, "validation") for it in models], ref_template=openapi.REF)
    return {**made["$defs"], "Problem": openapi.PROBLEM}

"""What the OpenAPI documents of the app's own routes have in common."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

REF: Final = "#/components/schemas/{model}"
KEY: Final = {"key": {"type": "apiKey", "in": "header", "name": "x-functions-key"}}
"""The security scheme of callers and of support."""
PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
"""RFC 9457, with a pointer to everything that is wrong."""

SAYS: Final[Mapping[str, str]] = {
    "200": "Done, or the answer.",
    "201": "Made. `Location` is the address that shows and ends it.",
    "202": "Durably queued, or one of the app's own writes, which ends here. `Location` is where to wait for the end.",
    "400": "The body cannot be read; `errors` points at what is wrong.",
    "401": "No key, or none that is known; or a signature that is not valid.",
    "403": "The event is of another organisation, or the caller may not send it.",
    "404": "There is nothing of this name or id, or it is not the caller's.",
    "204": "Ended, now or before.",
    "409": "There are too many of them already.",
    "411": "The body has no Content-Length.",
    "413": "The body is too large: a problem, or nothing above the limit of the Functions host itself.",
    "415": "The body is not plain JSON.",
    "422": "The event has ended and needs a person.",
    "429": "Too many requests; `Retry-After` says when to send again.",
    "503": "Not queued, or the ledger is away; `Retry-After` says when to send again.",
}
"""What each answer of the intake means."""


def of(model: str) -> dict[str, str]:
    """A reference to a schema."""
    return {"$ref": REF.format(model=model)}


def body(schema: Mapping[str, Any], *media_types: str) -> dict[str, Any]:
    """A required request body."""
    return {"required": True, "content": {it: {"schema": schema} for it in media_types or ("application/json",)}}


def answer(says: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """An answer in JSON."""
    return {"description": says, "content": {"application/json": {"schema": schema}}}


def problem(says: str, model: str = "Problem") -> dict[str, Any]:
    """A refusal."""
    return {"description": says, "content": {"application/problem+json": {"schema": of(model)}}}


def paths(
    functions: Mapping[str, Mapping[str, Any]], operation: Callable[[str, str, str], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The routes of these functions in the order of their paths; `operation` is given name, method and path."""
    found: dict[str, dict[str, Any]] = {}
    for name, trigger in sorted(functions.items(), key=lambda it: (it[1]["route"], it[0])):
        path = "/api/" + re.sub(r"\{(\w+)\?\}", r"{\1}", str(trigger["route"]))
        for method in trigger["methods"]:
            word = str(getattr(method, "value", method)).lower()
            found.setdefault(path, {})[word] = operation(name, word, path)
    return found


def text(document: Mapping[str, Any], *, indent: int = 2) -> str:
    """A document as a file."""
    return json.dumps(document, indent=indent, ensure_ascii=False) + "\n"


def plain(schema: Any) -> Any:
    """Without the titles that pydantic makes of the names, and on one line each what docstrings break."""
    if isinstance(schema, Mapping):
        return {
            name: " ".join(part.split()) if name == "description" and isinstance(part, str) else plain(part)
            for name, part in schema.items()
            if not (name == "title" and isinstance(part, str))
        }
    return [plain(it) for it in schema] if isinstance(schema, list) else schema

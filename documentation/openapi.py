"""What the OpenAPI documents of the app's own routes have in common."""

import json
import re
from collections.abc import Iterator, Mapping
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


def path_of(trigger: Mapping[str, Any]) -> str:
    """The route of a function as OpenAPI writes it."""
    return "/api/" + re.sub(r"\{(\w+)\?\}", r"{\1}", str(trigger["route"]))


def methods_of(trigger: Mapping[str, Any]) -> Iterator[str]:
    """The methods of a function, in lower case."""
    for method in trigger["methods"]:
        yield str(getattr(method, "value", method)).lower()


def text(document: Mapping[str, Any]) -> str:
    """A document as it is in the repository."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def plain(schema: Any) -> Any:
    """Without the titles that pydantic makes of the names, and on one line each what docstrings break."""
    if isinstance(schema, Mapping):
        return {
            name: " ".join(part.split()) if name == "description" and isinstance(part, str) else plain(part)
            for name, part in schema.items()
            if not (name == "title" and isinstance(part, str))
        }
    return [plain(it) for it in schema] if isinstance(schema, list) else schema

"""Schemas of models as custom connectors take them: OpenAPI 2.0 without references, alternatives and null."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from pydantic import BaseModel

_KEPT: Final = ("description", "enum", "format", "minLength", "maxLength", "minimum", "maximum")
_FORMATS: Final = frozenset({"date-time", "int32", "int64", "uuid", "uri"})
"""Formats that the designer knows; others are texts like any other."""


def input_schema(
    model: type[BaseModel], *, important: Collection[str] = (), advanced: Collection[str] = ()
) -> dict[str, Any]:
    """What an action sends; `important` properties are always shown, `advanced` ones on request."""
    schema = _of(model.model_json_schema(mode="validation"), {})
    for names, visibility in ((important, "important"), (advanced, "advanced")):
        for name in names:
            schema["properties"][name]["x-ms-visibility"] = visibility
    return schema


def output_schema(model: type[BaseModel]) -> dict[str, Any]:
    """What an action gives to those behind it."""
    schema = _of(model.model_json_schema(mode="serialization"), {})
    schema.pop("required", None)  # the designer would ask for what may be missing
    return schema


def _of(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    definitions = {**definitions, **schema.get("$defs", {})}
    if "$ref" in schema:
        found = _of(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        return found | ({"description": schema["description"]} if "description" in schema else {})
    if "anyOf" in schema:
        one = next(it for it in schema["anyOf"] if it.get("type") != "null")
        return _of({**one, **{name: it for name, it in schema.items() if name != "anyOf"}}, definitions)
    kind = schema.get("type", "object")
    kind = kind if isinstance(kind, str) else kind[0]
    made: dict[str, Any] = {"type": kind, **{name: schema[name] for name in _KEPT if name in schema}}
    if "format" in made and made["format"] not in _FORMATS:
        del made["format"]
    if "description" in made:
        made["description"] = " ".join(made["description"].split())
    if kind == "array":
        made["items"] = _of(schema["items"], definitions)
    if "properties" in schema:
        made["properties"] = {
            name: {**_of(part, definitions), "x-ms-summary": _title(name)}
            for name, part in schema["properties"].items()
        }
        if schema.get("required"):
            made["required"] = [*schema["required"]]
    elif kind == "object":
        made["additionalProperties"] = True
    return made


def _title(name: str) -> str:
    """`rowVersion` as `Row Version`."""
    words = "".join(f" {it}" if it.isupper() else it for it in name)
    return words[:1].upper() + words[1:]

"""The settings, from the class that reads them."""

import json
import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic.fields import FieldInfo

from documentation.blocks import code, table
from documentation.source import REPOSITORY
from integration.settings import Settings
from integration.settings.part import Part
from integration.settings.systems import KINDS, ONE, System

_LIMITS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def page_part() -> str:
    """Every setting of the app, by the part of the settings that it belongs to."""
    return "\n\n".join(_part(part) for part in Settings.parts())


def _part(part: type[Part]) -> str:
    rows = [
        [code(field.alias), _default(field), f"{field.description or ''}{_limits(field)}{_secret(field)}"]
        for field in part.model_fields.values()
    ]
    heading = re.sub(r"(?<=[a-z])[A-Z]", lambda found: f" {found[0].lower()}", part.__name__)
    return f"### {heading}\n\n{part.__doc__}\n\n{table(['setting', 'default', 'meaning'], rows)}"


def systems_part() -> str:
    """The keys of a system: those that all have, then what each kind adds or has another default for."""
    parts = [f"### Every system\n\n{_keys_of(System, {})}"]
    for kind in KINDS:
        adapter = get_args(kind.model_fields["adapter"].annotation)[0]
        parts.append(f"### {adapter}\n\n{_keys_of(kind, System.model_fields)}")
    return "\n\n".join(parts)


def _keys_of(kind: type[System], known: Mapping[str, FieldInfo]) -> str:
    rows = [
        [code(field.alias), _default(field), f"{field.description or ''}{_limits(field)}{_secret(field)}"]
        for name, field in kind.model_fields.items()
        if name not in known or known[name].default != field.default
    ]
    return table(["key", "default", "meaning"], rows)


def runtime_part() -> str:
    """Settings in local.settings.json.example that are not the app's own but the runtime's."""
    example = json.loads((REPOSITORY / "local.settings.json.example").read_text(encoding="utf-8"))
    names = [it for it in example["Values"] if it not in Settings.names() and not it.startswith(ONE)]
    return table(
        ["setting", "example", "meaning"],
        [[code(name), code(example["Values"][name]), example["Meaning"].get(name, "")] for name in names],
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "none"
    return code(str(value).lower() if isinstance(value, bool) else value)


def _limits(field: FieldInfo) -> str:
    given = [
        f"{words} {getattr(limit, name)}"
        for limit in field.metadata
        for name, words in _LIMITS.items()
        if getattr(limit, name, None) is not None
    ]
    return f" Allowed: {', '.join(given)}." if given else ""


def _secret(field: FieldInfo) -> str:
    return " Secret." if "SecretStr" in str(field.annotation) else ""

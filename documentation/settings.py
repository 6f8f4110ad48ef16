"""The settings, from the class that reads them."""

import json
from collections.abc import Mapping
from typing import Any, get_args

from pydantic.fields import FieldInfo

from documentation.blocks import code, table
from documentation.source import REPOSITORY
from integration.settings import Settings
from integration.system_settings import KINDS, ONE, System

_GROUPS = {
    "Azure services": ("AzureWebJobsStorage", "ServiceBus", "EventHubs", "WORK_", "EVENTS_", "ARCHIVE_", "MESSAGE_"),
    "Intake and operations": ("DOOR_", "INTAKE_", "OPERATIONS_", "REPAIR_", "LEAN_", "PLUGIN_"),
    "Dataverse": ("DATAVERSE_", "OWN_", "WRITE_", "PUBLISHER_"),
    "Other systems": ("SYSTEMS",),
    "Calls and retries": ("",),
}
"""Headings of the page, and how the names below them begin; the last heading takes the rest."""

_LIMITS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def page_part() -> str:
    """Every setting of the app, below its heading."""
    grouped: dict[str, list[list[str]]] = {heading: [] for heading in _GROUPS}
    for field in Settings.model_fields.values():
        heading = next(it for it, starts in _GROUPS.items() if (field.alias or "").startswith(starts))
        meaning = f"{field.description or ''}{_limits(field)}{_secret(field)}"
        grouped[heading].append([code(field.alias), _default(field), meaning])
    return "\n\n".join(
        f"### {heading}\n\n{table(['setting', 'default', 'meaning'], rows)}"
        for heading, rows in grouped.items()
        if rows
    )


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

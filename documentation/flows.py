"""What follows from the flows: a page about each, and flows.json, from which the sandbox takes its part.

The sandbox and `integration` do not know each other; docs/reference/dataverse/flows.json tells the one about the other.
"""

import inspect
import json
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from documentation import event_flows, inbound
from documentation.blocks import code, table
from documentation.columns import PREFIX, holds, key, result_attribute
from documentation.source import REPOSITORY
from integration import flows
from integration.flow import Column, Columns, Effect, Flow
from integration.flow.columns import expansion, selected
from integration.flow.discovery import flows_in
from integration.flow.handler import pre_image_of
from integration.registration.result_columns import options

FILE = REPOSITORY / "docs" / "reference" / "dataverse" / "flows.json"

_ABOUT = (
    "Generated from integration/flows by python3 run.py docs --write. What the app reads, writes and has sent to it; "
    "attributes in the words of Web API metadata, as in schema.json."
)
_COLUMN_TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("String", {"MaxLength": 200}),
    "whole": ("Integer", {"MinValue": -2147483648, "MaxValue": 2147483647}),
    "number": ("Decimal", {"Precision": 10}),
    "yes_no": ("Boolean", {}),
    "choice": ("Picklist", {}),
    "choices": ("MultiSelectPicklist", {}),
    "money": ("Money", {"Precision": 4}),
    "date": ("DateTime", {"Format": "DateOnly"}),
    "moment": ("DateTime", {"Format": "DateAndTime", "DateTimeBehavior": "UserLocal"}),
    "wall_clock": ("DateTime", {"Format": "DateAndTime", "DateTimeBehavior": "TimeZoneIndependent"}),
    "lookup": ("Lookup", {}),
}
_STATE_TYPES = {"statecode": "State", "statuscode": "Status"}


@cache
def declared() -> dict[str, Flow[Any]]:
    """The flows of the app by the names of their files."""
    return flows_in(flows)


def current() -> dict[Path, str]:
    """flows.json as it has to be today."""
    outbound = [facts(name, flow) for name, flow in declared().items()]
    back = [it for name, flow in inbound.declared().items() for it in inbound.facts(name, flow)]
    told = [event_flows.facts(name, flow) for name, flow in event_flows.declared().items()]
    document = {"About": _ABOUT, "Flows": [*outbound, *back, *told]}
    return {FILE: json.dumps(document, indent=2, ensure_ascii=False) + "\n"}


def facts(name: str, flow: Flow[Any]) -> dict[str, Any]:
    """What others than the app need of a flow."""
    return {
        "Name": name,
        "LogicalName": flow.table,
        "EntitySetName": flow.entity_set,
        "Messages": list(flow.messages),
        "FilteringAttributes": list(flow.filtering_attributes),
        "PreImage": list(pre_image_of(flow, PREFIX)),
        "Select": list(selected(flow.columns)),
        "Expand": expansion(flow.columns),
        "Attributes": [
            _attribute(it, _navigations(flow.columns))
            for it in flow.columns.declared.values()
            if it.kind in _COLUMN_TYPES
        ],
        "ResultAttributes": [result_attribute(it) for it in flow.written],
        "Keys": [key(it) for it in flow.results if it.key],
        "Systems": sorted({effect.system for effect in flow.effects}),
        "Answers": {system: _answers(flow, system) for system in sorted({it.system for it in flow.effects})},
    }


def _answers(flow: Flow[Any], system: str) -> dict[str, Any]:
    """What is read of a system's answers, by the names in JSON: its kind, and the words of a choice."""
    found: dict[str, Any] = {}
    for effect in (it for it in flow.effects if it.system == system):
        found |= {part: {"kind": "text"} for part in effect.publishes}
        for column, part in effect.writes.items():
            result = flow.result(column)
            words = {"words": list(result.words.values())} if result.words else {}
            found[part] = {"kind": result.kind, **words}
    return found


def parts() -> dict[str, Callable[[], str]]:
    """The generated part of each flow's page."""
    return {f"flow-{name}": partial(page_part, flow) for name, flow in declared().items()}


def page_part(flow: Flow[Any]) -> str:
    """What a flow reads, does and writes."""
    sections = [
        f"Table {code(flow.table)}, entity set {code(flow.entity_set)}; steps for {_listed(flow.messages)}"
        + (f"; {_listed(flow.accepts)} where they are registered." if flow.accepts else "."),
        "## What is read",
        table(["column", "becomes", "how"], list(_read(flow.columns))),
    ]
    if flow.also_fired_by:
        sections.append(f"An Update is also sent for {_listed(flow.also_fired_by)}, which analytics may want.")
    sections += ["## What is done, in this order", table(["effect", "system", "what"], list(_done(flow)))]
    if flow.results:
        written = {column: effect.name for effect in flow.effects for column in effect.writes}
        rows = [
            [code(f"{PREFIX}_{it.name}"), holds(it), code(written[it.name]) if it.name in written else "the worker"]
            for it in flow.written
        ]
        sections += ["## What is written back", table(["column", "holds", "from"], rows)]
    return "\n\n".join(sections)


def _read(columns: type[Columns], within: str = "") -> Iterator[list[str]]:
    for name, it in columns.declared.items():
        yield [code(f"{within}{it.name}"), code(name), _how(it)]
        if it.related is not None:
            yield from _read(it.related, f"{it.name}/")


def _how(column: Column[Any]) -> str:
    words = ", ".join(f"{value} {word}" for value, word in column.words.items())
    kinds = {
        "yes_no": "yes or no",
        "money": "amount with the row's currency",
        "currency": "ISO code of the currency",
        "date": "day",
        "moment": "moment, UTC",
        "wall_clock": "date and time without a zone",
        "expanded": "the row it refers to",
        "lines": "the rows that refer to it",
    }
    told = kinds.get(column.kind, column.kind.replace("_", " "))
    if column.kind == "lookup":
        told = f"reference to {_listed(column.targets)}"
    elif words:
        told = f"word: {words}"
    made_of = "" if column.name in column.fired_by or not column.fired_by else f"; made of {_listed(column.fired_by)}"
    return told + made_of


def _done(flow: Flow[Any]) -> Iterator[list[str]]:
    for effect in flow.effects:
        yield [code(effect.name), code(effect.system), _what(effect)]
    if flow.deletion is not None:
        yield [code(flow.deletion.name), "", f"When the row was deleted: {_first_line(flow.deletion.do)}"]


def _what(effect: Effect[Any]) -> str:
    told = _first_line(effect.do)
    if effect.needs is not None:
        told += f" The {effect.needs.role} is brought to its system before."
    if effect.begins_with:
        told += f" The first time only when one of {_listed(sorted(effect.begins_with))} has changed."
    if effect.undone_by is not None:
        told += f" Taken back ({effect.undone_by.state}): {_first_line(effect.undone_by.do)}"
    return told


def _first_line(function: Any) -> str:
    text = inspect.getdoc(function) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(map(code, names))


def _navigations(columns: type[Columns]) -> list[str]:
    """The navigation properties that are expanded."""
    return [it.name for it in columns.declared.values() if it.kind == "expanded"]


def _attribute(column: Column[Any], navigations: list[str]) -> dict[str, Any]:
    kind, more = _COLUMN_TYPES[column.kind]
    found: dict[str, Any] = {
        "LogicalName": column.name,
        "AttributeType": _STATE_TYPES.get(column.name, kind),
        "DisplayName": column.name,
        **more,
    }
    if column.words:
        found["OptionSet"] = {"Options": options(column.words)}
    if column.targets:
        found["Targets"] = list(column.targets)
        ways = {
            target: name
            for target in column.targets
            for name in navigations
            if name.lower() in {column.name, f"{column.name}_{target}"}
        }
        if ways:
            found["NavigationProperties"] = {target: ways.get(target, column.name) for target in column.targets}
    if column.fired_by and column.name not in column.fired_by:
        found["MadeOf"] = list(column.fired_by)
    return found

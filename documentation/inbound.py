"""What follows from the flows into Dataverse: a page about each, and their part of flows.json."""

import inspect
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from documentation.blocks import code, table
from documentation.columns import PREFIX, holds, key, result_attribute
from integration import flows
from integration.flow import CustomApi, InboundFlow
from integration.flow.discovery import inbound_in


@cache
def declared() -> dict[str, InboundFlow]:
    """The flows into Dataverse by the names of their files."""
    return inbound_in(flows)


def facts(name: str, flow: InboundFlow) -> list[dict[str, Any]]:
    """What others than the app need of a flow, for each table that it writes to: nothing is sent to it from there.

    A flow that calls a custom API is one entry without a table.
    """
    if flow.custom_api is not None:
        api = flow.custom_api
        return [
            {
                "Name": name,
                "CustomApi": {"UniqueName": api.name, "Parameters": api.all_parameters},
                "Systems": [flow.system],
            }
        ]
    return [
        {
            "Name": name,
            "LogicalName": logical_name,
            "EntitySetName": entity_set,
            "Messages": [],
            "FilteringAttributes": [],
            "PreImage": [],
            "Select": [f"{PREFIX}_{it.name}" for it in flow.results],
            "Expand": None,
            "Attributes": [],
            "ResultAttributes": [result_attribute(it) for it in flow.results],
            "Keys": [key(it) for it in flow.results if it.key],
            "Systems": [flow.system],
        }
        for logical_name, entity_set in flow.tables.items()
    ]


def parts() -> dict[str, Callable[[], str]]:
    """The generated part of each flow's page."""
    return {f"flow-{name}": partial(page_part, flow) for name, flow in declared().items()}


def page_part(flow: InboundFlow) -> str:
    """What a flow takes, reads and writes."""
    if flow.custom_api is not None:
        return _of_custom_api(flow, flow.custom_api)
    tables = " or ".join(map(code, flow.tables))
    otherwise = "is created" if flow.creates else "is left to its system: nothing follows"
    rows = [[code(f"{PREFIX}_{it.name}"), holds(it)] for it in flow.results]
    written = (
        f"To the row of {tables} whose alternate key {code(f'{PREFIX}_{flow.key}')} has the record's number; a record "
        f"without such a row {otherwise}. Columns that are right already are not written."
    )
    columns = table(["column", "holds"], rows)
    return f"{_taken(flow)}\n\n## What is written\n\n{written}\n\n{columns}"


def _of_custom_api(flow: InboundFlow, api: CustomApi) -> str:
    """The part of a flow that calls a custom API."""
    parameters = ", ".join(f"{code(name)} ({kind.replace('_', '/')})" for name, kind in api.parameters.items())
    called = f"The custom API {code(api.name)}, once for each state of the record, with {parameters}."
    if api.repeat_key:
        called += f" {code(api.repeat_key)} is the same for every attempt at the same state."
    return f"{_taken(flow)}\n\n## What is called\n\n{called}"


def _taken(flow: InboundFlow) -> str:
    """Which events a flow takes, and what it reads then."""
    events = ", ".join(code(f"POST /api/erp/events/{name}") for name in flow.events)
    says = " ".join((inspect.getdoc(flow.read) or "").partition("\n\n")[0].split())
    taken = f"Events: {events}. Status, pauses and searches name {code(flow.table)} as their table."
    if flow.record_in:
        named = " or ".join(map(code, flow.record_in))
        taken += f" Business events of Dynamics 365 Finance name the record in {named}."
        taken += f" From a queue or Event Grid, such an event is {code(flow.events[0])}."
    for listed, name in flow.business_events.items():
        meant = "" if name == flow.events[0] else f", and is {code(name)}"
        taken += f" {code(listed)} is taken whatever other records it names{meant}."
    read = f"{says} It is read from {code(flow.system)} for each event."
    return f"{taken}\n\n## What is read\n\n{read}"

"""The tables of docs/reference/dataverse-registration.md that follow from the flows: columns, steps, privileges."""

from collections.abc import Callable
from typing import Any

from documentation import event_flows, inbound
from documentation.blocks import code, table
from documentation.columns import PREFIX, holds
from documentation.flows import declared
from integration import checks
from integration.flow import Flow, Result
from integration.flow.discovery import AnyFlow
from integration.flow.handler import pre_image_of
from integration.registration.items import of_step
from integration.registration.privileges import CREATE, CURRENCY, READ, WRITE, Need, needed
from integration.registration.steps import POST_OPERATION, PRE_OPERATION
from integration.registration.steps import check_steps as check_steps_of
from integration.synchronous import checks_in

_STAGES = {PRE_OPERATION: "PreOperation", POST_OPERATION: "PostOperation"}
_WHY = {
    READ: "read the row that an event is about, and what it needs; the ISO code of its currency",
    WRITE: "write the result columns",
    CREATE: "create what comes from another system",
}


def parts() -> dict[str, Callable[[], str]]:
    """The generated parts of the page."""
    return {
        "result-columns": result_columns,
        "steps": steps,
        "check-steps": check_steps,
        "privileges": privileges,
    }


def result_columns() -> str:
    """Every column that is written, on which tables, and what it holds."""
    rows = [[code(f"{PREFIX}_{it.name}"), ", ".join(tables), holds(it)] for it, tables in _results()]
    return table(["column", "on", "holds"], rows)


def steps() -> str:
    """Every step, what an Update is sent for, and the image of a Delete."""
    rows = []
    for flow in _flows():
        for message in flow.messages:
            sent = ", ".join(map(code, flow.filtering_attributes)) if message == "Update" else ""
            image = ", ".join(map(code, pre_image_of(flow, PREFIX))) if message == "Delete" else ""
            rows.append([f"{message} of {code(flow.table)}", sent, image])
    rows += [[code(it.api.name), "", ""] for it in event_flows.declared().values()]
    return table(["step", "filtering attributes", "columns of the pre image"], rows)


def check_steps() -> str:
    """The steps of checks: where each runs, and what an Update is checked for."""
    items = check_steps_of(checks_in(checks), {})
    rows = [
        [
            f"{message} of {code(table_name)}",
            code(check),
            f"{it.fields['stage']} ({_STAGES[it.fields['stage']]})",
            ", ".join(map(code, it.fields["filteringattributes"])),
        ]
        for it in items
        for table_name, message, check in [of_step(it.name)]
    ]
    return table(["step", "check", "stage", "filtering attributes"], rows)


def privileges() -> str:
    """What the role of the app's user allows."""
    needs = needed(_all_flows(), {})
    rows = [
        [", ".join(code(_privilege(it)) for it in needs if it.kind == kind), why]
        for kind, why in _WHY.items()
        if any(it.kind == kind for it in needs)
    ]
    return table(["privilege", "why"], rows)


def _flows() -> list[Flow[Any]]:
    return list(declared().values())


def _results() -> list[tuple[Result, list[str]]]:
    """Each result column with its tables; the same one on several tables is one entry."""
    found: list[tuple[Result, list[str]]] = []
    of_table = [(table, it) for flow in _all_flows() for table in flow.tables for it in flow.written]
    for name, result in of_table:
        tables = next((tables for known, tables in found if known == result), None)
        if tables is None:
            found.append((result, [name]))
        elif name not in tables:
            tables.append(name)
    return found


def _all_flows() -> list[AnyFlow]:
    return [*_flows(), *inbound.declared().values(), *event_flows.declared().values()]


def _privilege(need: Need) -> str:
    """The name of a privilege; that of a table of Microsoft's has its capital letters."""
    known = {CURRENCY: "TransactionCurrency"}
    return f"prv{need.kind}{known.get(need.table, need.table if '_' in need.table else need.table.capitalize())}"

"""The tables of docs/how-to/connect-dataverse.md that follow from the flows: columns, steps, privileges."""

from collections.abc import Callable
from typing import Any

from documentation import inbound
from documentation.blocks import code, table
from documentation.columns import PREFIX, holds
from documentation.flows import declared
from integration.flow import Flow, Result
from integration.flow.discovery import AnyFlow
from integration.flow.handler import pre_image_of


def parts() -> dict[str, Callable[[], str]]:
    """The generated parts of the page."""
    return {
        "result-columns": result_columns,
        "steps": steps,
        "privileges": privileges,
        "privilege-calls": privilege_calls,
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
    return table(["step", "filtering attributes", "columns of the pre image"], rows)


def privileges() -> str:
    """What the application user's role has to allow."""
    read, write, create = _needed_privileges()
    rows = [[", ".join(map(code, read)), "read the row that an event is about, and what it needs"]]
    if write:
        rows.append([", ".join(map(code, write)), "write the result columns"])
    if create:
        rows.append([", ".join(map(code, create)), "create what comes from another system"])
    rows.append([code("prvReadTransactionCurrency"), f"the ISO code behind {code('transactioncurrencyid')}"])
    return table(["privilege", "why"], rows)


def privilege_calls() -> str:
    """The calls that put these privileges into a role."""
    names = ", ".join([*(it for many in _needed_privileges() for it in many), "prvReadTransactionCurrency"])
    real, each = "# real environment only", f"# for <privilege> in {names}"
    keep = "# keep <id-of-<privilege>> = value[0].privilegeid"
    find = f"{real}\n{each}\n{keep}\nGET privileges?$filter=name eq '<privilege>'&$select=privilegeid"
    body = (
        '{\n  "Privileges": [\n'
        '    {"Depth": "Global", "PrivilegeId": "<id-of-<privilege>>", "BusinessUnitId": "<business-unit>"}\n  ]\n}'
    )
    add = f"{real}\n{each}\nPOST roles(<role>)/Microsoft.Dynamics.CRM.AddPrivilegesRole\n\n{body}"
    return "\n\n".join(f"```http\n{it}\n```" for it in (find, add))


def _flows() -> list[Flow[Any]]:
    return list(declared().values())


def _results() -> list[tuple[Result, list[str]]]:
    """Each result column with its tables; the same one on several tables is one entry."""
    found: list[tuple[Result, list[str]]] = []
    all_flows: list[AnyFlow] = [*_flows(), *inbound.declared().values()]
    of_table = [(table, it) for flow in all_flows for table in flow.tables for it in flow.written]
    for name, result in of_table:
        tables = next((tables for known, tables in found if known == result), None)
        if tables is None:
            found.append((result, [name]))
        elif name not in tables:
            tables.append(name)
    return found


def _needed_privileges() -> tuple[list[str], list[str], list[str]]:
    """To read, to write and to create, each privilege once."""
    back = inbound.declared().values()
    read = [*(it.table for it in _flows()), *(table for flow in back for table in flow.tables)]
    write = [*(it.table for it in _flows() if it.results), *(table for flow in back for table in flow.tables)]
    create = [table for flow in back if flow.creates for table in flow.tables]
    return _privileges("Read", read), _privileges("Write", write), _privileges("Create", create)


def _privileges(verb: str, tables: list[str]) -> list[str]:
    """The privileges of tables, whose names begin with a capital letter where they are Microsoft's own."""
    return [f"prv{verb}{it if '_' in it else it.capitalize()}" for it in dict.fromkeys(tables)]

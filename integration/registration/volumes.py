"""How many events new steps would send a day, as far as the environment's rows show it.

Rows that were created, or changed at least once, within a week are counted; Dataverse counts up to 5,000. A deleted row
leaves nothing to count.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from integration.errors import Permanent
from integration.flow import Flow
from integration.flow.discovery import AnyFlow
from integration.odata import query
from integration.registration.items import State
from integration.registration.plan import CREATE, Change, Problem
from integration.registration.web_api import WebApi

_DAYS: Final = 7
_MOST: Final = 5_000
_COLUMNS: Final = {"Create": ("createdon", "created"), "Update": ("modifiedon", "changed")}
"""By message the column that shows it, and the word for it."""


async def count(api: WebApi, flows: Collection[AnyFlow], state: State) -> None:
    """Count for the steps that are not there yet; what the person may not read is left out."""
    missing = [
        (flow, message)
        for flow in flows
        if isinstance(flow, Flow)
        for message in _COLUMNS
        if message in flow.messages and f"step.{flow.table}.{message}" not in state.found
        if flow.table in state.columns
    ]
    await asyncio.gather(*(_count(api, flow.table, flow.entity_set, message, state) for flow, message in missing))


def estimates(changes: Iterable[Change], state: State) -> Iterator[Problem]:
    """What is to be expected of the steps that a plan creates."""
    for change in changes:
        if change.kind == "step" and change.action == CREATE:
            table, _, message = change.address.removeprefix("step.").partition(".")
            if (rows := state.volumes.get((table, message))) is not None:
                yield Problem(change.address, _said(rows, message))


def _said(rows: int, message: str) -> str:
    """Filtering attributes let through only a part of the changes, and a row may change more than once."""
    counted = f"{rows:,} or more" if rows >= _MOST else f"{rows:,}"
    a_day = f"about {round(rows / _DAYS):,} events" if rows > _DAYS else "one event at most"
    more = " or more" if rows >= _MOST else ""
    unsure = ", depending on which columns change" if message == "Update" else ""
    return f"{counted} rows were {_COLUMNS[message][1]} within {_DAYS} days: {a_day} a day{more}{unsure}"


async def _count(api: WebApi, table: str, entity_set: str, message: str, state: State) -> None:
    column = _COLUMNS[message][0]
    within = f"Microsoft.Dynamics.CRM.LastXDays(PropertyName='{column}',PropertyValue={_DAYS})"
    try:
        page = await api.get(entity_set + query({"$select": column, "$filter": within, "$count": "true", "$top": "1"}))
    except Permanent:
        return
    if page is not None:
        state.volumes[table, message] = int(page["@odata.count"])

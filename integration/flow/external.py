"""A message by which Dataverse passes on that a row of a virtual table has changed in the other system.

    flow = EventFlow(External("new_erpcustomer", UPDATED, {"new_balance": "amount"}))

    @flow.effect("warning", system="dunning")
    async def warning(call: Call, kit: Kit, key: str) -> Answer:
        ...

Whoever has told Dataverse of it (this app does, with VIRTUAL_TABLE_EVENTS; so do Microsoft's own providers), a step on
the message comes back here. `call.key` is the row's id, and `call.parameters` has the columns that were reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from integration.flow.custom_api import CustomApi


@dataclass(frozen=True, slots=True, init=False)
class External(CustomApi):
    """One of the messages of `integration.dataverse.external`, of the virtual table `table`.

    `columns` are those that a flow takes, with their kinds as in `CustomApi`.
    """

    table: str = ""

    def __init__(self, table: str, message: str, columns: Mapping[str, str]) -> None:
        object.__setattr__(self, "table", table)
        CustomApi.__init__(self, message, {**columns, f"{table}id": "text"}, has_plug_in=True)

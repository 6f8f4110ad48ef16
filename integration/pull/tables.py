"""The tables that can be pulled, as their flows declare them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from integration.flow import Flow


@dataclass(frozen=True, slots=True)
class PulledTable:
    """A table, and the messages of the events of its changes and deletions; empty where its flow takes none."""

    table: str
    entity_set: str
    id_column: str
    changed: str
    deleted: str


def pulled_table(flow: Flow[Any]) -> PulledTable:
    """The table of a flow. Nothing says whether a row is new: its event is an Update where the flow takes one."""
    accepted = flow.accepted
    changed = next((it for it in ("Update", "Create") if it in accepted), "")
    deleted = "Delete" if "Delete" in accepted else ""
    return PulledTable(flow.table, flow.entity_set, flow.id_column, changed, deleted)


def tracked_tables(flows: Iterable[Flow[Any]]) -> list[PulledTable]:
    """The tables of the flows that ask for change tracking."""
    return [pulled_table(flow) for flow in flows if flow.change_tracking]

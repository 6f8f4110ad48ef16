"""A subscription: who wants to know of which events, where they are told, and how that has gone so far."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from integration import signatures
from integration.clock import iso
from integration.tables import Entity
from integration.webhooks.ended_event import EndedEvent, is_after

TOLERANCE: Final = timedelta(minutes=1)
"""By how much the clocks of instances may differ."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription of a caller. `secrets` are shown when they are made and never again; the newest one is first.

    Empty `tables`, `flows` and `outcomes` mean all. `failing_since` is the time of the first failed delivery since the
    last one that succeeded; `disabled_at` that of being switched off because of it.
    """

    id: str
    owner: str
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    tables: tuple[str, ...]
    flows: tuple[str, ...]
    outcomes: tuple[str, ...]
    created_at: datetime
    failing_since: datetime | None = None
    failed_with: str | None = None
    disabled_at: datetime | None = None

    @property
    def keys(self) -> list[bytes]:
        """What its deliveries are signed with."""
        return [signatures.secret_of(it) for it in self.secrets]

    def wants(self, told: EndedEvent, tables_of: Mapping[str, frozenset[str]]) -> bool:
        """Whether the subscriber is to be told; `tables_of` has the tables of each flow."""
        return (
            self.disabled_at is None
            and is_after(told, self.created_at - TOLERANCE)
            and (not self.tables or told.table in self.tables)
            and (not self.flows or any(told.table in tables_of.get(flow, ()) for flow in self.flows))
            and (not self.outcomes or told.outcome in self.outcomes)
        )


def to_entity(it: Subscription) -> Entity:
    """The row of the table."""
    return {
        "PartitionKey": it.owner,
        "RowKey": it.id,
        "url": it.url,
        "secrets": json.dumps(it.secrets),
        "filter": json.dumps({"tables": it.tables, "flows": it.flows, "outcomes": it.outcomes}),
        "createdAt": iso(it.created_at),
        "failingSince": iso(it.failing_since) if it.failing_since else "",
        "failedWith": it.failed_with or "",
        "disabledAt": iso(it.disabled_at) if it.disabled_at else "",
    }


def of_entity(row: Entity) -> Subscription:
    """The subscription of a row."""
    wanted: dict[str, Any] = json.loads(str(row["filter"]))
    return Subscription(
        id=str(row["RowKey"]),
        owner=str(row["PartitionKey"]),
        url=str(row["url"]),
        secrets=tuple(json.loads(str(row["secrets"]))),
        tables=tuple(wanted["tables"]),
        flows=tuple(wanted["flows"]),
        outcomes=tuple(wanted["outcomes"]),
        created_at=datetime.fromisoformat(str(row["createdAt"])),
        failing_since=_time(row["failingSince"]),
        failed_with=str(row["failedWith"]) or None,
        disabled_at=_time(row["disabledAt"]),
    )


def _time(raw: object) -> datetime | None:
    return datetime.fromisoformat(str(raw)) if raw else None

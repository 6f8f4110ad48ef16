"""What the sample has of comparisons: the last reconciliation of two tables, and what is registered in Dataverse.

They are documents of the app's table `systems`, by their keys, which no copy of the ledger has.
"""

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.sample.moments import iso


@dataclass(frozen=True, slots=True)
class _Reconciled:
    """A reconciliation `hours` ago; `count` rows of it differ as `kind` and `detail` say."""

    table: str
    hours: float
    rows: int
    kind: str
    detail: str
    count: int
    healing: bool


_RECONCILED: Final = (
    _Reconciled("account", 2.1, 1_204, "never-accepted", "no event has brought its present state", 3, healing=True),
    _Reconciled("opportunity", 6.4, 3_518, "dead-lettered", "its event is dead-lettered", 2, healing=False),
)
_LINES: Final = ("~   step.opportunity.Update is changed", "filteringAttributes: +estimatedvalue")


def documents(now: datetime, *, seed: int = 7) -> Mapping[str, dict[str, Any]]:
    """The documents by their keys; times are relative to `now`."""
    chance = random.Random(seed)
    night = now.astimezone(UTC).replace(hour=3, minute=37, second=0)
    at = iso(night if night < now else night - timedelta(days=1))
    differs = {"address": "step.opportunity.Update", "kind": "step", "lines": list(_LINES), "since": at}
    drift = {"at": at, "drift": "different", "unchanged": 41, "differences": [differs], "left_out": 0, "why": ""}
    return {"drift": drift, **{f"reconciled.{it.table}": _document(it, now, chance) for it in _RECONCILED}}


def entities(now: datetime) -> Sequence[dict[str, str]]:
    """The same as the app keeps them in its table `systems`."""
    return [
        {"PartitionKey": key, "RowKey": "state", "state": json.dumps(document, separators=(",", ":"))}
        for key, document in documents(now).items()
    ]


def _document(it: _Reconciled, now: datetime, chance: random.Random) -> dict[str, Any]:
    at = now - timedelta(hours=it.hours)
    ids = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(it.count)]
    return {
        "table": it.table,
        "since": iso(at - timedelta(hours=12)),
        "until": iso(at - timedelta(minutes=5)),
        "by": "tomas.reyes",
        "began": iso(at),
        "at": iso(at),
        "systems": not it.healing,
        "deleted": it.healing,
        "healing": it.healing,
        "rows": it.rows,
        "kinds": {it.kind: it.count},
        "queued": it.count if it.healing else 0,
        "found": [{"record_id": row, "kind": it.kind, "detail": it.detail, "event_id": ""} for row in ids],
        "whole": True,
    }

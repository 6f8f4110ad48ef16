"""What each record was last driven to, so that late and duplicate events of it cost nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

from integration.ledger.tables import Tables, guarded

_BASIS = "basis_"

BEGUN = "begun"
"""The basis of an effect that was begun and of which nobody may know yet whether it was done: it is always due."""


@dataclass(frozen=True, slots=True)
class RecordMemory:
    """What one record was driven to.

    `row_version` is the row's when it was last acted on, by `event_id`; `bases` has per effect a digest of what it was
    done with; `paid` has the answer that was last paid for, under the digest of what was asked. `failed` says that an
    event was condemned and none has been completed since.
    """

    row_version: int = 0
    event_id: str = ""
    bases: Mapping[str, str] = field(default_factory=dict)
    paid: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: bool = False


class Records:
    """Remembers records in the table `records`; raises `Transient` where the tables are away."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def recall(self, table: str, record_id: str) -> RecordMemory:
        """What is remembered of a record; an empty memory where it was never acted on."""
        with guarded():
            try:
                row = self._tables.records.get_entity(f"{table}:{record_id}", "state")
            except ResourceNotFoundError:
                return RecordMemory()
        return RecordMemory(
            row_version=int(row.get("rowVersion", 0)),
            event_id=row.get("eventId", ""),
            bases={_effect(name): value for name, value in row.items() if name.startswith(_BASIS)},
            paid=json.loads(row.get("paid", "{}")),
            failed=bool(row.get("failed")),
        )

    def remember(
        self,
        table: str,
        record_id: str,
        *,
        bases: Mapping[str, str],
        row_version: int = 0,
        event_id: str = "",
        since: str | None = None,
    ) -> str:
        """Merge into what is remembered; its ETag. Row version and event only where the record itself was acted on.

        `since` is the ETag of the note with which the effects were begun, given by those who are not alone with the
        record: where somebody else has noted something since, nobody knows whose effect was the last.
        """
        acted_on = {"rowVersion": str(row_version), "eventId": event_id, "failed": False} if event_id else {}
        known = {_column(name): basis for name, basis in bases.items()}
        try:
            return self._merge(table, record_id, known | acted_on, since)
        except ResourceModifiedError:
            return self._merge(table, record_id, dict.fromkeys(known, BEGUN) | acted_on)

    def paid(self, table: str, record_id: str, basis: str, answer: Mapping[str, Any]) -> None:
        """Remember an answer that was paid for, in place of the one before."""
        self._merge(table, record_id, {"paid": json.dumps({basis: answer})})

    def failed(self, table: str, record_id: str) -> None:
        """Remember that an event was condemned: the row says so until another one is completed."""
        self._merge(table, record_id, {"failed": True})

    def _merge(self, table: str, record_id: str, columns: Mapping[str, object], since: str | None = None) -> str:
        row = {"PartitionKey": f"{table}:{record_id}", "RowKey": "state", **columns}
        with guarded(ResourceModifiedError):
            if since is None:
                written = self._tables.records.upsert_entity(row)
            else:
                written = self._tables.records.update_entity(
                    row, etag=since, match_condition=MatchConditions.IfNotModified
                )
        return str(written["etag"])


def _column(effect: str) -> str:
    """Columns are named as C# identifiers are: without dashes (learn.microsoft.com, "Table service data model")."""
    return _BASIS + effect.replace("-", "_")


def _effect(column: str) -> str:
    return column.removeprefix(_BASIS).replace("_", "-")

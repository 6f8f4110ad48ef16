"""Tells Dataverse what has changed in the ERP, so that flows and steps on its virtual tables run.

The hint is an event of the ERP, whichever way it came; the row is read as it is now, and compared with the state that
was reported last (hashes of its columns, in the ledger). So the same event twice, late or out of order reports nothing
new, and a flow that writes to the ERP what the ERP has already ends there: only a state that differs is reported. An
answer of Dataverse that was lost is the one case in which a change is reported twice.

Source: "Enable Virtual Tables to support Dataverse events" in Microsoft's documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from integration.dataverse import DataverseClient
from integration.dataverse.external import CREATED, DELETED, UPDATED
from integration.errors import Permanent
from integration.telemetry import get_logger
from integration.virtual_tables.csdl import type_name
from integration.virtual_tables.edm import Edm, Value, moment_text
from integration.virtual_tables.entity_set import ServedSet
from integration.virtual_tables.reading import Reading
from integration.virtual_tables.reporting_handler import EFFECT
from integration.worker.effects import fingerprint
from integration.worker.work import Work

_CREATION: Final = "-created"
"""How the names of events end that say of a record that it is new."""
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReportedSet:
    """A set whose changes are reported, and what reads it."""

    set: ServedSet
    reading: Reading

    def key_of(self, record: str) -> UUID:
        """The key of the row of a record that an event names; raises `ValueError` where it can have none."""
        key = self.set.by.key
        return key.of({key.field: record})


class ExternalChanges:
    """Reports rows of the `sets`, which are by the kind of record of their events (`erp.customer`).

    `prefix` is that of the tables and columns in Dataverse.
    """

    def __init__(self, dataverse: DataverseClient, sets: Mapping[str, ReportedSet], prefix: str) -> None:
        self._dataverse, self._sets, self._prefix = dataverse, sets, prefix

    async def report(self, records: str, work: Work) -> str:
        """Report what is new of the event's record, of this kind; in words what was reported, empty for nothing.

        Raises `Transient`. What Dataverse refuses is logged: the rest of the event does not suffer from it.
        """
        it = self._sets.get(records)
        if it is None:
            return ""
        try:
            key = it.key_of(work.record_id)
        except ValueError:
            _log.warning("virtual-table-event-refused", event=work.event, reason="record-missing")
            return ""
        found = await it.reading.one(key, work.context)
        known: Mapping[str, Any] = work.effects.memory.effect(EFFECT).answer
        before: Mapping[str, str] = known.get("columns") or {}
        now = {} if found is None else self._columns(it.set, found.row)
        if found is None and not before:
            return ""  # nobody has heard of it
        hashes = {name: fingerprint(str(key), name, value) for name, value in now.items()}
        message = self._message(work, known, gone=found is None)
        changed = {name: value for name, value in now.items() if before.get(name) != hashes[name]} or now
        if message != UPDATED:
            changed = now

        async def send(_key: str) -> Mapping[str, Any]:
            await self._send(it.set, key, message, changed, work)
            return {"message": message, "table": self._table(it.set), "columns": hashes}

        try:
            await work.effects.once(
                EFFECT,
                fingerprint(str(key), sorted(hashes.items())),
                send,
                report=lambda answer: str(answer["message"]),
            )
        except Permanent as error:
            _log.warning("virtual-table-event-refused", event=work.event, error=error)
            return f"Dataverse has not taken {message} of {self._table(it.set)} ({error.reason})"
        return message if work.effects.memory.effect(EFFECT).event_id == work.event.event_id else ""

    @staticmethod
    def _message(work: Work, known: Mapping[str, Any], *, gone: bool) -> str:
        if gone:
            return DELETED
        new = known.get("message") == DELETED or (not known and work.event.message.endswith(_CREATION))
        return CREATED if new else UPDATED

    def _columns(self, entity_set: ServedSet, row: Mapping[str, Value]) -> dict[str, Any]:
        """What Dataverse has columns for (all but the GUIDs beside the key), as its Web API takes it."""
        return {
            f"{self._prefix}_{it.name}": _as_sent(row[it.name], day=it.day)
            for it in entity_set.columns
            if it.edm is not Edm.GUID
        }

    def _table(self, entity_set: ServedSet) -> str:
        return f"{self._prefix}_{type_name(entity_set)}"

    async def _send(
        self, entity_set: ServedSet, key: UUID, message: str, columns: Mapping[str, Any], work: Work
    ) -> None:
        """No tag goes with it: steps on it, ours too, are to run."""
        table = self._table(entity_set)
        target = {"@odata.type": f"Microsoft.Dynamics.CRM.{table}", f"{table}id": str(key), **columns}
        await self._dataverse.call_on(
            f"{self._prefix}_{entity_set.name}", message, {"Target": target}, context=work.context
        )


def _as_sent(value: Value, *, day: bool) -> Any:
    if isinstance(value, datetime):
        return value.date().isoformat() if day else moment_text(value)
    return value

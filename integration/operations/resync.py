"""Sending records again: the repair after Dataverse or another system was restored from an older copy."""

import asyncio
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from integration.clock import Clock
from integration.errors import Fault, Rejected, Transient
from integration.events import IntegrationEvent
from integration.events.erp_fields import record_of
from integration.events.identity import event_id as new_event_id
from integration.events.model import is_of_another_system
from integration.operations.audit import Audit, Subject
from integration.operations.queueing import Queueing
from integration.telemetry import get_logger

MOST: Final = 500
"""Records of one request, which takes half a minute then."""
PER_SECOND: Final = 20.0
_TABLE: Final = re.compile(r"[a-z][a-z0-9_]{0,127}(?:\.[a-z][a-z0-9_]{0,30})?")
"""A table of Dataverse, or a kind of records of another system (`erp.order`)."""
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Resynced:
    """The events that were sent have this correlation id; `left` are the records for which none was sent."""

    correlation_id: str
    sent: tuple[str, ...]
    left: tuple[str, ...]


class Resync:
    """Sends a forced Update event for each record, `per_second` at most.

    What is remembered of effects does not count for them: the systems are brought to the state of the row whatever they
    hold, and what is charged is charged again. `organisation` is the id of the Dataverse organisation.
    """

    def __init__(
        self,
        queueing: Queueing,
        audit: Audit,
        clock: Clock,
        *,
        organisation: str,
        per_second: float = PER_SECOND,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._queueing = queueing
        self._audit = audit
        self._clock = clock
        self._organisation = organisation
        self._pause = 1.0 / per_second
        self._sleep = sleep

    async def resync(self, table: str, record_ids: Sequence[str], *, by: str, why: str) -> Resynced:
        """Send the records again, each once; ends early, with what is `left`, where broker or tables do not answer.

        Raises `Rejected` (400) for a table or ids that cannot be, `Transient` where the audit cannot be written.
        """
        wanted = _checked(table, record_ids)
        correlation_id, token = str(uuid.uuid4()), secrets.token_hex(8)
        sent: list[str] = []
        about = Subject(table=table, count=len(wanted))
        async with self._audit.action("resync", about, by=by, why=why) as entry:
            for record_id in wanted:
                event = self._event(table, record_id, correlation_id, token)
                try:
                    await self._queueing.show(await self._queueing.send(event))
                except Transient as error:
                    _log.warning("resync-interrupted", error=error, table=table, count=len(sent))
                    break
                sent.append(record_id)
                if len(sent) < len(wanted):
                    await self._sleep(self._pause)
            entry.outcome = f"sent {len(sent)} of {len(wanted)}, correlation id {correlation_id}"
        return Resynced(correlation_id, tuple(sent), tuple(wanted[len(sent) :]))

    def _event(self, table: str, record_id: str, correlation_id: str, token: str) -> IntegrationEvent:
        now = self._clock.now()
        return IntegrationEvent(
            event_id=new_event_id(now, table, record_id, "resync", token, session_id=f"{table}:{record_id}"),
            table=table,
            message="Update",
            record_id=record_id,
            organisation=self._organisation,
            correlation_id=correlation_id,
            operation_time=now,
            accepted_time=now,
            user_id=None,
            initiating_user_id=None,
            trimmed=True,
            forced=True,
        )


def _checked(table: str, record_ids: Iterable[str]) -> list[str]:
    """The ids as events have them, each once."""
    faults = []
    if not _TABLE.fullmatch(table):
        faults.append(Fault("/table", "is not the logical name of a table"))
    wanted: dict[str, None] = {}
    elsewhere = is_of_another_system(table)
    for number, record_id in enumerate(record_ids):
        try:
            wanted[record_of(record_id) if elsewhere else str(uuid.UUID(record_id))] = None
        except ValueError:
            what = "cannot be a record's key" if elsewhere else "is not a GUID"
            faults.append(Fault(f"/recordIds/{number}", what))
    if not 0 < len(wanted) <= MOST and not faults:
        faults.append(Fault("/recordIds", f"has to name between 1 and {MOST} records"))
    if faults:
        detail = f"Name a table and between 1 and {MOST} ids of its records; send more in further requests."
        raise Rejected(400, "The records cannot be sent again", detail, faults=tuple(faults[:20]))
    return list(wanted)

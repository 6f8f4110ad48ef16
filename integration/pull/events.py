"""Events that the app makes of what it has read: they say why they were made, and of which version of the row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from integration.clock import Clock
from integration.dataverse import Row
from integration.events import IntegrationEvent
from integration.events.identity import event_id as new_event_id
from integration.pull.tables import PulledTable

MODIFIED: Final = "modifiedon"
"""Read with each row: it is the time of the event's operation."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why events are made: `caller` stands in their rows and logs, `cause` is a sentence.

    `run` names what they were made for, and is part of their identity: read again for the same, a row is the same
    event; read for something else, it is another one.
    """

    caller: str
    cause: str
    run: str


class PulledEvents:
    """Makes the events; `organisation` is the id of the Dataverse organisation."""

    def __init__(self, organisation: str, clock: Clock) -> None:
        self._organisation = organisation
        self._clock = clock

    def changed(self, of: PulledTable, row: Row, reason: Reason) -> IntegrationEvent:
        """The row is to be brought to the other systems as it is; the same version of it is the same event."""
        at = modified_on(row) or self._clock.now()
        return self._event(of, of.changed, row.id, at, reason, version=row.version)

    def deleted(self, of: PulledTable, record_id: str, at: datetime, reason: Reason) -> IntegrationEvent:
        """The row does not exist any more; `at` is when that was found out, as nothing says when it was deleted."""
        return self._event(of, of.deleted, record_id, at, reason)

    def _event(  # noqa: PLR0917 -- called twice, above
        self, of: PulledTable, message: str, record_id: str, at: datetime, reason: Reason, version: int | None = None
    ) -> IntegrationEvent:
        session_id = f"{of.table}:{record_id}"
        identity = (self._organisation, of.table, message, record_id, reason.caller, reason.run)
        event_id = new_event_id(at, *identity, "" if version is None else str(version), session_id=session_id)
        return IntegrationEvent(
            event_id=event_id,
            table=of.table,
            message=message,
            record_id=record_id,
            organisation=self._organisation,
            correlation_id=event_id,
            operation_time=at,
            accepted_time=self._clock.now(),
            user_id=None,
            initiating_user_id=None,
            trimmed=True,
            cause=reason.cause,
            row_version=version,
        )


def modified_on(row: Row) -> datetime | None:
    """When the row was last changed; None for a table that does not say it."""
    text = row.values.get(MODIFIED)
    return datetime.fromisoformat(text) if isinstance(text, str) else None

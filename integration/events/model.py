"""IntegrationEvent: one change in Dataverse or in another system, normalised by the intake.

Later parts do not know which payload it was.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from integration.events.values import Value


@dataclass(frozen=True, slots=True)
class Claim:
    """Stands for what an event carries and its message cannot hold: the hash (SHA-256, hex) and size of that."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class IntegrationEvent:
    """One event on its way through the work queue. Times are aware and in UTC.

    `event_id` is `yyyyMMddHHmm-<32 hex>`: the minute the operation was created and a hash of what identifies it
    (`integration.events.identity`); a redelivery by Dataverse has the same id. `table` and `message` are as Dataverse
    spells them (`opportunity`, `Update`); table is `none` for a global custom API. `record_id` is a lower-case GUID or
    None. For an event of another system, `table` is the system and the kind of record (`erp.order`), `message` the name
    that the intake took it under (`order-shipped`), and `record_id` the record's key there. `caller` is the caller
    whose key the intake accepted.

    `changed_columns` is None where the payload does not say (trimmed, or not an Update or Create), else the logical
    names: all that were sent for a Create; for an Update without the key and without modifiedon, modifiedby,
    modifiedonbehalfby. `values` are all columns that the payload carried for its target; `parameters` the message's
    other input parameters. `pre_image` and `post_image` merge the registered images of that side. `unread` names what
    was left out because it could not be read. `trimmed` says that something was left out and must be read from
    Dataverse. Where there is a `claim`, what the event carries is kept in Blob Storage (`integration.claim_check`).

    `uncommitted` says that the event was sent before its transaction was committed: the row may still be the old one,
    and may stay so, as the transaction can be rolled back. `expected` has the values that the row will show once it is
    committed, of the columns that decide what a handler does. If it is empty, no deciding column has changed, provided
    that `changed_columns` is known and the event is not trimmed; otherwise nothing is known.

    `attempt` starts at 1 and counts scheduled copies; `first_failed_at` is when the first attempt failed. `replay_of`
    is the id of the event that this one repeats on request; `forced` says that what was done for the record before is
    ignored. `cause` is why the app made the event itself, and `row_version` the version of the row that it saw then: if
    the other systems agreed with that version before, the row is not even read. `settled` is the document about an
    event that has already ended and only has to be published.
    """

    event_id: str
    table: str
    message: str
    record_id: str | None
    organisation: str
    correlation_id: str
    operation_time: datetime
    accepted_time: datetime
    user_id: str | None
    initiating_user_id: str | None
    changed_columns: tuple[str, ...] | None = None
    values: dict[str, Value] = field(default_factory=dict)
    parameters: dict[str, Value] = field(default_factory=dict)
    pre_image: dict[str, Value] = field(default_factory=dict)
    post_image: dict[str, Value] = field(default_factory=dict)
    tag: str | None = None
    trimmed: bool = False
    unread: tuple[str, ...] = ()
    uncommitted: bool = False
    expected: dict[str, Value] = field(default_factory=dict)
    caller: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    attempt: int = 1
    first_failed_at: datetime | None = None
    replay_of: str | None = None
    forced: bool = False
    cause: str | None = None
    row_version: int | None = None
    settled: dict[str, Any] | None = None
    claim: Claim | None = None

    @property
    def system(self) -> str:
        """The system in which it happened."""
        return self.table.partition(".")[0] if is_of_another_system(self.table) else "dataverse"

    @property
    def session_id(self) -> str:
        """The session in the work queue: the record, or the event itself if it has no record."""
        return f"{self.table}:{self.record_id}" if self.record_id else self.event_id

    @property
    def message_id(self) -> str:
        """The MessageId.

        It differs for each attempt, so that duplicate detection does not drop a copy scheduled for later.
        """
        return f"{self.event_id}#{self.attempt}"


def nobodys_event(event_id: str, now: datetime) -> IntegrationEvent:
    """What stands for a message that is none of our events."""
    now = now.astimezone(UTC)
    return IntegrationEvent(
        event_id=event_id,
        table="",
        message="",
        record_id=None,
        organisation="",
        correlation_id=event_id,
        operation_time=now,
        accepted_time=now,
        user_id=None,
        initiating_user_id=None,
    )


def is_of_another_system(table: str) -> bool:
    """Whether this names records of another system (`erp.order`): no table of Dataverse has a dot in its name."""
    return "." in table

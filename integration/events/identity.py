"""The event id: the same for every delivery of one event, different for two events."""

from datetime import datetime
from hashlib import blake2b, sha256


def event_id(operation_time: datetime, *identity: str | None, session_id: str | None = None) -> str:
    """`yyyyMMddHHmm-<32 hex>`: the minute of `operation_time` (UTC), and a hash of it and of `identity`.

    The first eight digits of the hash are those of the record (`session_id`, where there is one): the ledger finds an
    event by its id, and the events of a record side by side. What identifies an event is not its RequestId, nor its
    OperationId or CorrelationId: a Create and the Update nested in it share all three.
    """
    parts = (operation_time.isoformat(), *("" if part is None else part for part in identity))
    digest = blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
    return f"{minute(operation_time)}-{partition_of(session_id) if session_id else digest[:8]}{digest[8:]}"


def partition_of(session_id: str) -> str:
    """Eight hexadecimal digits that stand for a record, named by its session id."""
    return blake2b(session_id.encode(), digest_size=16).hexdigest()[:8]


def minute(moment: datetime) -> str:
    """`yyyyMMddHHmm`; the year always has four digits (strftime's has not)."""
    return f"{moment.year:04}{moment.month:02}{moment.day:02}{moment.hour:02}{moment.minute:02}"


def unreadable_id(body: bytes) -> str:
    """Stands for the id of a message that is none of our events: made of its bytes."""
    return f"unreadable-{sha256(body).hexdigest()[:32]}"

"""The event id: the same for every delivery of one event, different for two events."""

from datetime import datetime
from hashlib import blake2b, sha256


def event_id(operation_time: datetime, *identity: str | None, session_id: str | None = None) -> str:
    """`yyyyMMddHHmm-<32 hex>`: the minute of `operation_time` (UTC), and a hash of that time and of `identity`.

    If there is a record (`session_id`), the first eight digits are a hash of it, so that the ledger finds an event by
    its id, and the events of a record next to each other. Neither RequestId nor OperationId nor CorrelationId is enough
    to identify an event: a Create and the Update nested in it share all three.
    """
    parts = (operation_time.isoformat(), *("" if part is None else part for part in identity))
    digest = blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
    return f"{minute(operation_time)}-{partition_of(session_id) if session_id else digest[:8]}{digest[8:]}"


def partition_of(session_id: str) -> str:
    """Eight hexadecimal digits of a hash of the record's session id."""
    return blake2b(session_id.encode(), digest_size=16).hexdigest()[:8]


def minute(moment: datetime) -> str:
    """`yyyyMMddHHmm`; the year always has four digits (with strftime it has not)."""
    return f"{moment.year:04}{moment.month:02}{moment.day:02}{moment.hour:02}{moment.minute:02}"


def unreadable_id(body: bytes) -> str:
    """An id for a message that is not one of our events, made from its bytes."""
    return f"unreadable-{sha256(body).hexdigest()[:32]}"

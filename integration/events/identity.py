"""The event id: the same for every delivery of one event, different for two events."""

from datetime import datetime
from hashlib import blake2b


def event_id(operation_time: datetime, *identity: str | None) -> str:
    """`yyyyMMddHHmm-<32 hex>`: the minute of `operation_time` (UTC), and a hash of it and of `identity`.

    The minute makes the ledger's partition. What identifies an event is not its RequestId, nor its OperationId or
    CorrelationId: a Create and the Update nested in it share all three.
    """
    parts = (operation_time.isoformat(), *("" if part is None else part for part in identity))
    digest = blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
    return f"{minute(operation_time)}-{digest}"


def minute(moment: datetime) -> str:
    """`yyyyMMddHHmm`; the year always has four digits (strftime's has not)."""
    return f"{moment.year:04}{moment.month:02}{moment.day:02}{moment.hour:02}{moment.minute:02}"

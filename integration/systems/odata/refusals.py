"""What the adapters refuse themselves, in the same words and with the same reasons for every system."""

from collections.abc import Iterable

from integration.errors import NotFound, Permanent, Transient


def not_there(service: str, what: str, *, table: str, record_id: str | None = None) -> NotFound:
    """The system does not have what was asked for."""
    return NotFound(
        f"{service} has no {what}", reason=f"{service}-not-found", service=service, table=table, record_id=record_id
    )


def conflict(service: str, said: str) -> Transient:
    """Somebody was quicker: it has to be read again."""
    return Transient(said, reason=f"{service}-conflict", service=service)


def ambiguous(service: str, numbers: Iterable[str]) -> Permanent:
    """Two complete orders stand for one opportunity, and nobody here can know which of them counts."""
    found = ", ".join(sorted(numbers))
    return Permanent(
        f"{service} has more than one order for the same opportunity: {found}; people have to remove one",
        reason=f"{service}-ambiguous",
        service=service,
    )


def taken_over(service: str, number: str) -> Permanent:
    """People have replaced the line that the app has made."""
    return Permanent(
        f"people have replaced the line of order {number} in {service}: they have to change it",
        reason=f"{service}-taken-over",
        service=service,
    )


def posted(service: str, number: str, why: str) -> Permanent:
    """A posted order is not changed any more; `why` says what was to be done to it."""
    return Permanent(
        f"order {number} was posted in {service}, and {why}: people have to correct it there",
        reason=f"{service}-order-posted",
        service=service,
    )

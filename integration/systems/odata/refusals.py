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


def match_ambiguous(service: str, numbers: Iterable[str], own_number: str | None) -> Permanent:
    """Several customers that were there before may be this one."""
    return Permanent(
        f"{service} has more than one customer with the same key: {', '.join(numbers)}; {_choose(own_number)}",
        reason=f"{service}-match-ambiguous",
        service=service,
    )


def match_taken(service: str, numbers: Iterable[str], own_number: str | None) -> Permanent:
    """The customer that this one would be is another record's."""
    return Permanent(
        f"{service} has the customer {', '.join(numbers)}, which belongs to another record; {_choose(own_number)}",
        reason=f"{service}-match-taken",
        service=service,
    )


def number_unknown(service: str) -> Permanent:
    """The number that stands in Dataverse is not there."""
    return Permanent(
        f"{service} does not have the customer number that stands in the row: correct or empty it, then send the event "
        "again",
        reason=f"{service}-number-unknown",
        service=service,
    )


def _choose(own_number: str | None) -> str:
    own = f", or {own_number} for a customer of its own" if own_number else ""
    return f"write the number of the right one into the row{own}, then send the event again"

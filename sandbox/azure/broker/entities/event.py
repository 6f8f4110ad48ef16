"""An event while the broker has it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event in a partition; `encoded` is what readers get, from the message annotations on."""

    sequence_number: int
    offset: int
    enqueued_at: int
    encoded: bytes

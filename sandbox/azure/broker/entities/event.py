"""An event as the broker keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event in a partition; `encoded` is what readers get: its sections from the annotations onwards."""

    sequence_number: int
    offset: int
    enqueued_at: int
    encoded: bytes

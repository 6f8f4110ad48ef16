"""The options of an entity."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """The options of a queue, topic or subscription; the defaults are those of Config.json. Times in milliseconds."""

    lock_duration: int = 60_000
    max_delivery_count: int = 3
    time_to_live: int | None = 3_600_000
    dead_letter_expired: bool = False
    requires_session: bool = False
    duplicate_window: int = 0
    forward_to: str | None = None
    forward_dead_letters_to: str | None = None

"""The options of an entity."""

from dataclasses import dataclass, field

STATES = ("Active", "Disabled", "SendDisabled", "ReceiveDisabled")
_SENDABLE, _RECEIVABLE = frozenset({"Active", "ReceiveDisabled"}), frozenset({"Active", "SendDisabled"})


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """The options of a queue, topic or subscription; the defaults are those of Config.json. Times in milliseconds.

    `kept` are settings that the broker returns as they were given and does not act on, by their names in Azure's API.
    """

    lock_duration: int = 60_000
    max_delivery_count: int = 3
    time_to_live: int | None = 3_600_000
    dead_letter_expired: bool = False
    requires_session: bool = False
    duplicate_window: int = 0
    forward_to: str | None = None
    forward_dead_letters_to: str | None = None
    status: str = "Active"
    kept: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def can_send(self) -> bool:
        """Whether messages can be sent to it."""
        return self.status in _SENDABLE

    @property
    def can_receive(self) -> bool:
        """Whether messages can be received from it."""
        return self.status in _RECEIVABLE

"""What the intake does with messages of queues, topics and hubs: an event in the work queue, or a dead letter.

A message is completed, or a partition goes on, only when the broker has acknowledged what was made of it: an event in
the work queue, or a refused message on its way to the dead-letter queue. Nobody hears a refusal here, so none is ever
raised: a queue would deliver such a message again at once, and a partition would stop at it.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from integration.errors import Rejected, Transient, Unavailable
from integration.events import IntegrationEvent
from integration.intake.taking_in import TakingIn
from integration.telemetry import get_logger

_HOLD_SECONDS: Final = 100.0
_PAUSE_SECONDS: Final = 5.0
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EndpointMessage:
    """A message of a queue or topic, or an event of a hub, as it was posted."""

    body: bytes
    properties: Mapping[Any, Any] = field(default_factory=dict)
    content_type: str = ""


class Receiving(ABC):
    """Takes in what `read` makes of messages. Raises `Transient` where the broker takes nothing."""

    def __init__(self, taking_in: TakingIn) -> None:
        self._taking_in = taking_in

    @abstractmethod
    def read(self, message: EndpointMessage, source: str) -> list[IntegrationEvent]:
        """The events of a message that came on the way `source`; raises `Rejected`."""

    async def take_in_all(self, messages: Sequence[EndpointMessage], source: str) -> None:
        """Take in a batch; returns when each message is where it belongs."""
        await asyncio.gather(*(self.take_in(message, source) for message in messages))

    async def take_in(self, message: EndpointMessage, source: str) -> None:
        """Take in one message; `source` says which way it came, and stands for its caller.

        A broker that takes nothing is tried for minutes: raising at once would use up the message's deliveries within
        seconds.
        """
        clock = self._taking_in.clock
        started = clock.monotonic()
        while True:
            try:
                await self._take_in(message, source, started)
            except Unavailable as error:
                if clock.monotonic() + _PAUSE_SECONDS >= started + _HOLD_SECONDS:
                    raise Transient("the work queue takes no event", reason="broker-unavailable") from error
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return

    async def _take_in(self, message: EndpointMessage, source: str, started: float) -> None:
        try:
            self._taking_in.check_size(message.body)
            events = self.read(message, source)
        except Rejected as error:
            await self._taking_in.set_aside(message.body, source, error, source=source)
            return
        except Exception as error:  # noqa: BLE001 -- a defect of ours must not stop a partition
            _log.error("intake-failed", error=error)
            await self._taking_in.set_aside(message.body, source, _defect(), source=source)
            return
        await self._taking_in.queue_all(events, source, source, started)


def _defect() -> Rejected:
    return Rejected(
        500,
        "A defect of the app",
        "The app failed while it read the message; intake-failed in the log says where. Report it.",
        reason="unexpected-error",
    )

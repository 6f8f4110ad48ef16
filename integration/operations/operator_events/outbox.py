"""Which operator events are due, and what has become of them.

One document of the table `systems` has the conditions that hold, and the events that the receiver does not have yet. It
is written before anything is sent: an event is sent until the receiver has it, every minute for a day, always with the
same id. A process that dies in between sends it once more.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from integration.clock import Clock, iso
from integration.errors import Conflict, IntegrationError, Transient
from integration.ledger import Ledger, keys
from integration.ledger.shared_state import TableState
from integration.operations.operator_events.conditions import Condition, Picture, conditions
from integration.telemetry import get_logger

_KEY: Final = "operator-events"
_TRIED_FOR: Final = timedelta(days=1)
_MOST_UNSENT: Final = 40
"""What a column of the document holds; there are far fewer, as each cause is told once."""
_log = get_logger(__name__)

Look = Callable[[], Awaitable[Picture]]


class Delivery(Protocol):
    """Where operator events go."""

    async def deliver(self, event: Mapping[str, Any]) -> None:
        """Returns when the receiver has the event; raises `IntegrationError` otherwise."""


class OperatorEvents:
    """Compares what holds with what held, and sends what is new; one instance of the app does so every minute.

    `source` is the CloudEvents attribute, `console` the address of the console, if it is known.
    """

    def __init__(
        self,
        look: Look,
        delivery: Delivery,
        ledger: Ledger,
        clock: Clock,
        *,
        source: str,
        console: str | None,
        longest_wait: timedelta,
    ) -> None:
        self._look = look
        self._delivery = delivery
        self._clock = clock
        self._source = source
        self._console = console
        self._longest_wait = longest_wait
        self._state = TableState(ledger.table(keys.SYSTEMS))

    async def run(self) -> None:
        """Note what has begun and ended, and send what is unsent; what is away now is asked for in the next run."""
        try:
            await self._note_and_send()
        except (Transient, Conflict) as error:
            _log.warning("operator-events-not-sent", error=error)

    async def _note_and_send(self) -> None:
        picture = await self._look()
        document, etag = await self._state.read(_KEY)
        held: dict[str, Any] = dict((document or {}).get("holds", {}))
        unsent: list[dict[str, Any]] = list((document or {}).get("unsent", []))
        now = self._clock.now()
        hold = {it.key: it for it in conditions(picture, now, longest_wait=self._longest_wait, holding=held)}
        new = [self._begun(it, now) for it in _told(hold, held)]
        new += [self._ended(it, now) for key, it in held.items() if key not in hold and it["over"]]
        kept = self._still_tried([*unsent, *new], now)
        holds = {key: held.get(key) or _noted(it, now) for key, it in hold.items()}
        if (holds, kept) != (held, unsent):
            etag = await self._state.write(_KEY, {"holds": holds, "unsent": kept}, etag)
        left = await self._sent(kept)
        if left != kept:
            await self._state.write(_KEY, {"holds": holds, "unsent": left}, etag)

    async def _sent(self, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send them in their order, until one fails; those that are left."""
        for number, event in enumerate(events):
            try:
                await self._delivery.deliver(event)
            except IntegrationError as error:
                _log.warning("operator-events-not-sent", error=error, count=len(events) - number)
                return list(events[number:])
            _log.info("operator-event-sent", operation=str(event["type"]))
        return []

    def _still_tried(self, events: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
        young = [it for it in events if now - datetime.fromisoformat(it["time"]) < _TRIED_FOR][-_MOST_UNSENT:]
        if len(young) < len(events):
            _log.error("operator-events-dropped", count=len(events) - len(young))
        return young

    def _begun(self, condition: Condition, now: datetime) -> dict[str, Any]:
        page = f"{self._console}/{condition.page}" if self._console else None
        return self._event(condition.kind, condition.subject, {**condition.data, "console": page}, now)

    def _ended(self, noted: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        seconds = round((now - datetime.fromisoformat(noted["since"])).total_seconds())
        return self._event(noted["over"], noted["subject"], {"since": noted["since"], "seconds": seconds}, now)

    def _event(self, kind: str, subject: str, data: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """A CloudEvents 1.0 document."""
        return {
            "specversion": "1.0",
            "id": secrets.token_hex(16),
            "source": self._source,
            "type": f"integration.{kind}",
            "subject": subject,
            "time": iso(now),
            "datacontenttype": "application/json",
            "data": {name: it for name, it in data.items() if it is not None},
        }


def _noted(condition: Condition, now: datetime) -> dict[str, str]:
    """What is remembered of a condition while it holds."""
    return {"subject": condition.subject, "over": condition.over, "since": iso(now)}


def _told(hold: Mapping[str, Condition], held: Mapping[str, Any]) -> list[Condition]:
    """Those that have begun; of several levels of one budget that were passed at once, the highest."""
    begun = {key: it for key, it in hold.items() if key not in held}
    highest = {it.subject: key for key, it in begun.items() if it.kind == "budget-used"}
    return [it for key, it in begun.items() if it.kind != "budget-used" or highest[it.subject] == key]

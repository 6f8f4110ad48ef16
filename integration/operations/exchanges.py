"""What was sent to other systems and what came back, for people with the right to see payloads."""

from collections.abc import Mapping, Sequence
from typing import Any

from integration.clock import iso
from integration.ledger import Ledger
from integration.ledger.exchanges import Body, Exchange
from integration.operations.rights import Person, Right
from integration.operations.status import read_known
from integration.telemetry import get_logger

_log = get_logger(__name__)


class ExchangeQuery:
    """Lists them, and logs who has looked. Raises `Rejected` (400, 403, 404) and `Outage`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def of_event(self, event_id: str, person: Person) -> Sequence[Exchange]:
        """Those of the attempts of an event that failed, oldest first, as long as they are kept."""
        person.check(Right.PAYLOADS)
        await read_known(self._ledger, event_id)
        found = await self._ledger.exchanges_of(event_id)
        if found:
            _log.info("payloads-shown", event_id=event_id, caller=person.name, count=len(found))
        return found


def exchange_as_json(it: Exchange) -> dict[str, Any]:
    """A request and its answer; `status` is null where there was no answer."""
    return {
        "attempt": it.attempt,
        "at": iso(it.at),
        "seconds": it.seconds,
        "system": it.system,
        "operation": it.operation,
        "method": it.method,
        "url": it.url,
        "status": it.status or None,
        "sent": _body(it.sent),
        "received": _body(it.received) if it.status else None,
    }


def _body(body: Body) -> Mapping[str, Any]:
    return {"headers": body.headers, "text": body.text, "bytes": body.size, "cut": body.cut}

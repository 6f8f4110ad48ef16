"""The lists of the audit that can be asked for."""

import re
from collections.abc import Mapping
from typing import Final

from integration.clock import Clock
from integration.errors import Fault, Rejected
from integration.ledger import keys
from integration.ledger.audit_log import AuditLog, AuditPage, who_partition
from integration.operations.status import EVENT_ID

_SHAPES: Final = {
    "month": (re.compile(r"\d{4}(0[1-9]|1[0-2])"), "is not a month such as 202611"),
    "event_id": (EVENT_ID, "is not an event id"),
    "bulk_id": (re.compile(r"\d{12}-[0-9a-f]{8}"), "is not the id of a bulk operation"),
    "following": (re.compile(r"\d{16}\.[0-9a-f]{8}"), "is not what a page before this one has as `following`"),
}


class AuditQuery:
    """Reads the audit by month, and in it by who, event or bulk operation. Raises `Rejected` (400) and `Transient`."""

    def __init__(self, log: AuditLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def page(self, params: Mapping[str, str]) -> AuditPage:
        """100 entries at most, newest first.

        `month` (this one), `who`, `event_id` (of all months, unless one is named), `bulk_id`, `following` of the page
        before.
        """
        given = {name: value for name, value in params.items() if value}
        faults = tuple(
            Fault(name, says)
            for name, (shape, says) in _SHAPES.items()
            if name in given and not shape.fullmatch(given[name])
        )
        if faults:
            raise Rejected(400, "This list cannot be given", "Correct what is named.", faults=faults)
        event_id, bulk_id, who = given.get("event_id"), given.get("bulk_id"), given.get("who")
        if event_id and "month" not in given:
            return AuditPage(await self._log.about_event(event_id))
        partition = "all"
        if event_id:
            partition = f"event.{event_id}"
        elif bulk_id:
            partition = f"bulk.{bulk_id}"
        elif who:
            partition = who_partition(who)
        month = given.get("month") or (bulk_id[:6] if bulk_id else keys.month_at(self._clock.now()))
        return await self._log.page(month, partition, following=given.get("following"))

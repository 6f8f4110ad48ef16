"""Driving a whole table, or a part of it, through its flow: for the first time, or again.

How far a load has come is in the ledger's tables, by table and filter, and not in the process that asks for it. Whoever
asks for the same again goes on there. A page is queued before that is written down; read again, its rows are the same
events, or have been brought meanwhile.
"""

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from integration.clock import Clock, iso
from integration.dataverse import DataverseClient, Row
from integration.errors import Conflict, Fault, Permanent, Rejected
from integration.flow import Flow
from integration.ledger.keys import hashed
from integration.operations.audit import Audit, Subject
from integration.protection import SharedState
from integration.pull.events import MODIFIED, PulledEvents, Reason
from integration.pull.pace import REQUESTS_EACH
from integration.pull.queueing import Counted, PulledQueue
from integration.pull.tables import PulledTable, pulled_table
from integration.pull.tracking import PAGE

CALLER: Final = "dataverse-load"
FASTEST: Final = 1_000.0
STEP_SECONDS: Final = 20.0
"""Events of so many seconds are queued with one request, so that whoever asks sees progress, and can stop."""
_PAGE: Final = 500
"""Rows after which it is known how far a load has come; half as many once they take longer than a request."""
_SMALLEST: Final = 8
REQUEST_SECONDS: Final = 45.0
"""Under the 60 s for which the commands wait for an answer."""
LEASE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Load:
    """How far a load has come: `rows` were read, of which `queued` became events; `known` needed none.

    `run` is part of the identity of its events. `following` is what the next page is asked for with, which has at most
    `page` rows, and `ended` when there was none (ISO 8601). Nobody else takes a step before `lease`, unless the one
    under way gives it back.
    """

    table: str
    where: str
    run: str
    began: str
    following: str = ""
    rows: int = 0
    queued: int = 0
    known: int = 0
    ended: str = ""
    lease: str = ""
    page: int = _PAGE


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is after a step; `held`: it has to wait, for live traffic or for the worker."""

    load: Load
    rate: float
    held: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """A part of a count: `rows` and the requests that reading them takes; `following` is empty after the last one.

    `requests_each` and `calls_each` are the requests to Dataverse, and the calls of other systems, of one row at most.
    """

    rows: int
    following: str
    rate: float
    calls_each: Mapping[str, int]
    requests_each: int = REQUESTS_EACH
    page: int = PAGE


class Loading:
    """Raises `Rejected` (400, 404, 409), and what Dataverse, ledger and broker raise."""

    def __init__(
        self,
        flows: Mapping[str, Flow[Any]],
        *,
        dataverse: DataverseClient,
        events: PulledEvents,
        queue: PulledQueue,
        shared: SharedState,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._flows = flows
        self._dataverse = dataverse
        self._events = events
        self._queue = queue
        self._shared = shared
        self._audit = audit
        self._clock = clock

    async def size(self, table: str, where: str = "", following: str = "") -> Size:
        """Count rows page by page, as nothing in Dataverse counts more than 50,000 of them exactly; changes nothing."""
        flow, rows = self._flow(table), 0
        until = self._clock.monotonic() + STEP_SECONDS
        while True:
            page, following = await self._page(pulled_table(flow), where, PAGE, following)
            rows += len(page)
            if not following or self._clock.monotonic() > until:
                break
        calls = Counter(effect.system for effect in flow.effects)
        return Size(rows, following, self._queue.pace.default_rate, calls)

    async def step(
        self, table: str, *, where: str = "", rate: float | None = None, again: bool = False, by: str, why: str
    ) -> Step:
        """Queue the next rows, of about 20 seconds at this rate; begins where there is no load that has not ended.

        `again` begins anew although one has not ended.
        """
        flow = self._flow(table)
        rate = self._queue.pace.default_rate if rate is None else rate
        if not 0 < rate <= FASTEST:
            fault = Fault("/rate", f"has to be above 0, and {FASTEST:.0f} at most")
            raise Rejected(400, "This cannot be loaded", "Correct what is named.", faults=(fault,))
        key = f"load.{hashed(f'{table} {where}', 32)}"
        document, etag = await self._shared.read(key)
        load, now = None if document is None else Load(**document), self._clock.now()
        if load is not None and load.lease and datetime.fromisoformat(load.lease) > now:
            raise _taken()
        if load is None or load.ended or again:
            load = Load(table, where, secrets.token_hex(8), iso(now))
            async with self._audit.action("load", Subject(table=table), by=by, why=why) as entry:
                entry.outcome = f"began{f', where {where}' if where else ''}"
        try:
            etag = await self._shared.write(key, asdict(replace(load, lease=iso(now + LEASE))), etag)
        except Conflict:
            raise _taken() from None
        began, enough = self._clock.monotonic(), load.rows + max(1, int(rate * STEP_SECONDS))
        held = False
        try:
            while not (held or load.ended or load.rows >= enough or self._clock.monotonic() - began > STEP_SECONDS):
                size = min(load.page, enough - load.rows)
                following = await self._queue_page(pulled_table(flow), load, size, rate, why, began + REQUEST_SECONDS)
                held = following is None
                load = following or replace(load, page=max(_SMALLEST, load.page // 2))
        finally:
            await self._shared.write(key, asdict(replace(load, lease="")), etag)
        return Step(load, rate, held=held)

    async def _queue_page(  # noqa: PLR0917 -- called once, above
        self, of: PulledTable, load: Load, size: int, rate: float, why: str, until: float
    ) -> Load | None:
        """Queue a page; how far the load has come then, None where the time was over before its last event."""
        rows, following = await self._page(of, load.where, size, load.following)
        reason, counted = Reason(CALLER, f"loaded: {why}", load.run), Counted()
        events = [self._events.changed(of, row, reason) for row in rows]
        if not await self._queue.offer(events, reason, counted, rate=rate, until=until):
            return None
        return replace(
            load,
            following=following,
            rows=load.rows + len(rows),
            queued=load.queued + counted.queued,
            known=load.known + counted.known,
            ended="" if following else iso(self._clock.now()),
        )

    async def _page(self, of: PulledTable, where: str, size: int, following: str) -> tuple[list[Row], str]:
        try:
            return await self._dataverse.page(
                of.entity_set,
                id_column=of.id_column,
                select=(MODIFIED,),
                size=size,
                where=where or None,
                following=following,
            )
        except Permanent as error:
            fault = Fault("/where", "is not taken by Dataverse, or by this table")
            raise Rejected(400, "Dataverse refuses to list these rows", str(error), faults=(fault,)) from error

    def _flow(self, table: str) -> Flow[Any]:
        flow = self._flows.get(table)
        if flow is None or not pulled_table(flow).changed:
            names = ", ".join(sorted(self._flows))
            raise Rejected(404, "Unknown table", f"There is no flow for rows of {table[:100]}; there are {names}.")
        return flow


def _taken() -> Rejected:
    return Rejected(
        409, "These rows are being loaded", "The step before is still under way, or somebody else loads the same rows."
    )

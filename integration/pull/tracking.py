"""Reads what has changed in Dataverse, and what was deleted, since the last time: it finds what no push has brought.

Of each table the ledger keeps how far it has been read, as one document (`Bookmark`), which is replaced only if it is
still the one that was read (If-Match). A page is queued before its link is kept. Killed in between, the next run reads
the page again, and its events are the same ones, or are not needed any more.

    first       all rows are read, none is queued: tracking begins now, and `run.py load` brings what was there before
    changes     what has changed or was deleted since the link; then the next link
    comparison  the link has expired: all rows are read, and those that were changed since the last round are queued
    sweep       then the rows that the ledger knows and Dataverse does not are queued as deleted
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from integration.clock import Clock, iso
from integration.dataverse import Row
from integration.dataverse.changes import EXPIRED, Changes, ChangeTracking
from integration.errors import Conflict, IntegrationError, Permanent
from integration.protection import SharedState
from integration.pull.deletions import Deletions
from integration.pull.events import MODIFIED, PulledEvents, Reason, modified_on
from integration.pull.queueing import Counted, PulledQueue
from integration.pull.tables import PulledTable
from integration.telemetry import get_logger

CALLER: Final = "dataverse-change-tracking"
PAGE: Final = 5_000
RUN_SECONDS: Final = 200.0
"""Under the functionTimeout of host.json; the next run goes on."""
_OVERLAP: Final = timedelta(hours=1)
"""Of a comparison, as transactions take their time; what is read twice costs a look at the ledger."""
_log = get_logger(__name__)


class Round(StrEnum):
    """What is being read of a table."""

    FIRST = "first"
    CHANGES = "changes"
    COMPARISON = "comparison"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a table has been read.

    `link` is what the next round asks for, `page` the next page of the round under way, which began at `began` (ISO
    8601). `newest` is when the row that was changed last was changed, of those read so far, and `since` what that was
    when the link expired; both by the clock of Dataverse.
    """

    round: Round = Round.FIRST
    link: str = ""
    page: str = ""
    began: str = ""
    newest: str = ""
    since: str = ""

    @classmethod
    def from_document(cls, document: Any) -> "Bookmark":
        """What is stored; without anything, the beginning."""
        return cls(**{**document, "round": Round(document["round"])}) if document else cls()


class TableChanges:
    """One run over all tables; raises nothing that belongs to one of them."""

    def __init__(
        self,
        tables: Sequence[PulledTable],
        *,
        tracking: ChangeTracking,
        deletions: Deletions,
        events: PulledEvents,
        queue: PulledQueue,
        shared: SharedState,
        clock: Clock,
        run_seconds: float = RUN_SECONDS,
    ) -> None:
        self._tables = tables
        self._tracking = tracking
        self._deletions = deletions
        self._events = events
        self._queue = queue
        self._shared = shared
        self._clock = clock
        self._run_seconds = run_seconds

    async def run(self) -> None:
        """Read every table to its end, or for its share of the time; one that fails is logged, and comes again."""
        end = self._clock.monotonic() + self._run_seconds
        for behind, table in zip(range(len(self._tables), 0, -1), self._tables, strict=True):
            now = self._clock.monotonic()
            try:
                await self.read(table, now + (end - now) / behind)
            except Conflict:
                _log.info("pulled-by-another", table=table.table)
            except IntegrationError as error:
                _log.warning("pull-failed", table=table.table, error=error)

    async def read(self, table: PulledTable, until: float) -> Counted:
        """Read one table; raises what the calls raise, `Conflict` where another instance reads it too."""
        document, etag = await self._shared.read(f"pull.{table.table}")
        at, counted = Bookmark.from_document(document), Counted()
        while self._clock.monotonic() < until:
            if not at.began:  # it names the round's deletions, whichever run finds them
                at = replace(at, began=iso(self._clock.now()))
                etag = await self._keep(table, at, etag)
            following = await self._step(table, at, counted, until)
            if following is None:
                break
            etag = await self._keep(table, following, etag)
            whole = following.round is Round.CHANGES and not following.page
            at = following
            if whole:
                break
        if counted.queued or counted.known:
            outcome = f"{counted.queued} queued, {counted.known} known"
            _log.info("pulled", table=table.table, count=counted.queued, outcome=outcome)
        return counted

    async def _keep(self, table: PulledTable, at: Bookmark, etag: str | None) -> str:
        return await self._shared.write(f"pull.{table.table}", asdict(at), etag)

    async def _step(self, table: PulledTable, at: Bookmark, counted: Counted, until: float) -> Bookmark | None:
        """Queue one page, and what is to be kept then; None where the time was over before its last event."""
        if at.round is Round.SWEEP:
            return await self._sweep(table, at, counted, until)
        try:
            changes = await self._page(table, at)
        except Permanent as error:
            if error.reason != EXPIRED:
                raise
            _log.warning("link-expired", table=table.table, error=error)
            return Bookmark(Round.FIRST) if at.round is Round.FIRST else _comparison(at)
        if not await self._offer(table, at, self._to_queue(at, changes.rows), changes.deleted, counted, until):
            return None
        at = replace(at, newest=max([at.newest, *(str(it.values.get(MODIFIED) or "") for it in changes.rows)]))
        if not changes.last:
            return replace(at, page=changes.link)
        if at.round is Round.COMPARISON:
            return replace(at, round=Round.SWEEP, link=changes.link, page="")
        return Bookmark(Round.CHANGES, link=changes.link, newest=at.newest)

    async def _offer(  # noqa: PLR0917 -- called twice, here
        self,
        of: PulledTable,
        at: Bookmark,
        rows: Sequence[Row],
        deleted: Sequence[str],
        counted: Counted,
        until: float,
    ) -> bool:
        reason, found = _reason(at), datetime.fromisoformat(at.began)
        events = [self._events.changed(of, it, reason) for it in rows] if of.changed else []
        if of.deleted:
            events += [self._events.deleted(of, it, found, reason) for it in deleted]
        return await self._queue.offer(events, reason, counted, rate=self._queue.pace.default_rate, until=until)

    async def _page(self, table: PulledTable, at: Bookmark) -> Changes:
        return await self._tracking.page(
            table.table, table.entity_set, id_column=table.id_column, select=(MODIFIED,), link=at.page or at.link
        )

    @staticmethod
    def _to_queue(at: Bookmark, rows: Sequence[Row]) -> list[Row]:
        if at.round is Round.FIRST:
            return []
        if at.round is Round.CHANGES:
            return list(rows)
        if not at.since:
            return list(rows)
        since = datetime.fromisoformat(at.since) - _OVERLAP
        return [it for it in rows if (modified_on(it) or since) >= since]

    async def _sweep(self, table: PulledTable, at: Bookmark, counted: Counted, until: float) -> Bookmark | None:
        found = await self._deletions.page(table, json.loads(at.page or "null"))
        if not await self._offer(table, at, (), found.deleted, counted, until):
            return None
        if found.following is not None:
            return replace(at, page=json.dumps(found.following))
        return Bookmark(Round.CHANGES, link=at.link, newest=at.newest)


def _comparison(at: Bookmark) -> Bookmark:
    """One whose own link has expired again began at what the first one began at."""
    return Bookmark(Round.COMPARISON, newest=at.newest, since=at.since or at.newest)


def _reason(at: Bookmark) -> Reason:
    cause = "change tracking of Dataverse lists the row, and no other event had brought this version of it"
    if at.round is not Round.CHANGES:
        cause = "the link of change tracking had expired, and a comparison of all rows found this one to be newer"
    return Reason(CALLER, cause, "" if at.round is Round.CHANGES else at.began)

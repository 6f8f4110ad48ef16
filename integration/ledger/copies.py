"""A copy of the ledger for each day, in blobs: what `ledger import` restores after tables were lost or damaged.

`2026-11-26T000720Z.jsonl.gz`, by the time at which the copy was started: an export as `ledger export` writes it. No
copy is ever written over, so a ledger that was emptied by mistake leaves the copies before it as they are.

A run has less time than a function may take. A copy that needs longer goes on with the next run: what has been read so
far is in staged blocks of the blob, and the place is noted in the ledger. Blocks that are never committed disappear
after a week.
"""

import asyncio
import gzip
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

from integration.blobs import container_of, failing_as
from integration.clock import Clock
from integration.errors import Transient
from integration.ledger import transfer
from integration.ledger.ledger import Ledger
from integration.ledger.shared_state import TableState
from integration.ledger.transfer import Place
from integration.telemetry import get_logger

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_RUN_SECONDS: Final = 200.0
"""Less than the functionTimeout of host.json."""
_BLOCK_CHARACTERS: Final = 4_000_000
_STATE: Final = "ledger-copy"
_BLOCKS_LIVE: Final = timedelta(days=6)
_log = get_logger(__name__)


class Copies(Protocol):
    """Where copies are kept. Methods raise `Transient` if it cannot be reached."""

    def has(self, prefix: str) -> bool:
        """Whether there is a copy whose name begins so."""

    def stage(self, name: str, number: int, content: bytes) -> None:
        """Keep a block of a copy; a block that comes again replaces itself."""

    def commit(self, name: str, blocks: int) -> None:
        """Make a copy of its blocks 0 to `blocks` - 1."""


class DailyCopy:
    """Makes one copy of the ledger a day, in UTC."""

    def __init__(
        self,
        ledger: Ledger,
        copies: Copies,
        state: TableState,
        clock: Clock,
        *,
        run_seconds: float = _RUN_SECONDS,
        block_characters: int = _BLOCK_CHARACTERS,
    ) -> None:
        self._ledger = ledger
        self._copies = copies
        self._state = state
        self._clock = clock
        self._run_seconds = run_seconds
        self._block_characters = block_characters
        self._complete = ""

    async def run(self) -> bool:
        """Make today's copy unless there is one; False if it goes on with the next run.

        Raises `Transient` if tables or blobs cannot be reached; the next run goes on then too.
        """
        today = f"{self._clock.now():%Y-%m-%d}"
        if self._complete == today:
            return True
        started, etag = await self._state.read(_STATE)
        if started is None or started["place"] is None or self._is_too_old(started):
            if await asyncio.to_thread(self._copies.has, today):
                self._complete = today
                return True
            started = {"name": f"{self._clock.now():%Y-%m-%dT%H%M%SZ}.jsonl.gz", "blocks": 0, "place": None}
        finished = await self._go_on(started, etag)
        if finished and str(started["name"]).startswith(today):
            self._complete = today
        return finished

    async def _go_on(self, started: dict[str, Any], etag: str | None) -> bool:
        name, blocks = str(started["name"]), int(started["blocks"])
        until = self._clock.monotonic() + self._run_seconds
        waiting: list[str] = []
        size = 0
        async for lines, following in transfer.pages(self._ledger, self._clock, _place(started)):
            waiting += lines
            size += sum(map(len, lines))
            if following is not None and size < self._block_characters:
                continue
            await asyncio.to_thread(self._stage, name, blocks, waiting)
            blocks, waiting, size = blocks + 1, [], 0
            if following is not None and self._clock.monotonic() > until:
                noted = {"name": name, "blocks": blocks, "place": asdict(following)}
                await self._state.write(_STATE, noted, etag)
                _log.info("ledger-copy-unfinished", blob=name, count=following.entities)
                return False
        await asyncio.to_thread(self._copies.commit, name, blocks)
        await self._state.write(_STATE, {"name": name, "blocks": blocks, "place": None}, etag)
        _log.info("ledger-copied", blob=name)
        return True

    def _stage(self, name: str, number: int, lines: list[str]) -> None:
        """Members of gzip, one after the other, are one file of gzip."""
        self._copies.stage(name, number, gzip.compress(("\n".join(lines) + "\n").encode()))

    def _is_too_old(self, started: dict[str, Any]) -> bool:
        oldest = self._clock.now() - _BLOCKS_LIVE
        return str(started["name"]) < f"{oldest:%Y-%m-%dT%H%M%SZ}"


def _place(started: dict[str, Any]) -> Place | None:
    return Place(**started["place"]) if started["place"] else None


class BlobCopies:
    """Copies in one container, which is created on first use."""

    def __init__(self, connect: "Callable[[], ContainerClient]") -> None:
        self._connect = connect

    @cached_property
    def _container(self) -> "ContainerClient":
        return container_of(self._connect)

    def has(self, prefix: str) -> bool:
        """Whether a blob's name begins so."""
        with _reached():
            return any(self._container.list_blob_names(name_starts_with=prefix))

    def stage(self, name: str, number: int, content: bytes) -> None:
        """Stage a block of a blob."""
        with _reached():
            self._container.get_blob_client(name).stage_block(_block(number), content)

    def commit(self, name: str, blocks: int) -> None:
        """Commit the blocks of a blob."""
        from azure.storage.blob import BlobBlock, ContentSettings  # noqa: PLC0415 -- the intake has no use for blobs

        with _reached():
            self._container.get_blob_client(name).commit_block_list(
                [BlobBlock(_block(number)) for number in range(blocks)],
                content_settings=ContentSettings(content_type="application/gzip"),
            )


def _block(number: int) -> str:
    return f"{number:06d}"


def _reached() -> AbstractContextManager[None]:
    return failing_as(lambda it: Transient(f"copies: {type(it).__name__}", reason="ledger-copies-unavailable"))

"""Correlation ids that people have asked debug detail of, each until a given time; all instances share the list.

It is in the document of the paused tables, which workers read every other second while they have something to do. So it
costs no read of its own there, and an event of any correlation id a look into memory.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from integration.clock import Clock, iso
from integration.errors import Rejected
from integration.protection.shared_document import Content, SharedDocument
from integration.protection.shared_state import MemoryState
from integration.protection.table_pauses import DEBUG_DETAIL

MOST: Final = 20
"""The most correlation ids at the same time: what is logged of an event that is looked at is ten times the usual."""


@dataclass(frozen=True, slots=True)
class Detail:
    """Who wants debug detail of a correlation id, and why, from when to when (UTC)."""

    by: str
    why: str
    since: datetime
    until: datetime


class DebugDetail:
    """Of which correlation ids it is on; an event that begins within two seconds may still miss it."""

    def __init__(self, document: SharedDocument, clock: Clock) -> None:
        self._document = document
        self._clock = clock

    @classmethod
    def of_nothing(cls, clock: Clock) -> "DebugDetail":
        """One that nobody has asked for anything, shared with nobody."""
        return cls(SharedDocument("tables", MemoryState(), clock), clock)

    def until(self, correlation_id: str) -> datetime | None:
        """The end of the debug detail of this correlation id; None where there is none, as far as is known."""
        found = self._document.last.get(DEBUG_DETAIL)
        if not found or correlation_id not in found:
            return None
        until = datetime.fromisoformat(found[correlation_id]["until"])
        return until if until > self._clock.now() else None

    def look(self) -> "asyncio.Task[None] | None":
        """Begin to read what people have asked for, if it was read longer ago than two seconds; the run, if any.

        It never fails: while the tables are away, what was read last holds.
        """
        return self._document.look()

    async def keep_up(self) -> None:
        """Return when what is known is at most two seconds old, or cannot be read."""
        await self._document.keep_up()

    async def turn_on(self, correlation_id: str, until: datetime, *, by: str, why: str) -> Detail:
        """Turn it on, or change its end. Raises `Rejected` (409) where it is on for too many, and as the store does."""
        now = self._clock.now()
        asked = Detail(by, why, now, until)

        def change(content: Content) -> Content:
            on = self._running(content)
            if len(on) >= MOST and correlation_id not in on:
                detail = f"It is on for {MOST} correlation ids already. Turn it off for one of them first."
                raise Rejected(409, "Debug detail cannot be turned on", detail)
            entry = {"by": by, "why": why, "since": iso(now), "until": iso(until)}
            return content | {DEBUG_DETAIL: on | {correlation_id: entry}}

        await self._document.change(change)
        return asked

    async def turn_off(self, correlation_id: str) -> bool:
        """End it; False where it was not on. Raises what the store raises."""
        was_on = False

        def change(content: Content) -> Content:
            nonlocal was_on
            on = self._running(content)
            was_on = on.pop(correlation_id, None) is not None
            return content | {DEBUG_DETAIL: on}

        await self._document.change(change)
        return was_on

    async def running(self) -> dict[str, Detail]:
        """The correlation ids of which it is on, as all instances know it; raises what the store raises."""
        return {
            correlation_id: Detail(
                it["by"], it["why"], datetime.fromisoformat(it["since"]), datetime.fromisoformat(it["until"])
            )
            for correlation_id, it in self._running(await self._document.read()).items()
        }

    def _running(self, content: Content) -> dict[str, Any]:
        now = self._clock.now()
        on: dict[str, Any] = content.get(DEBUG_DETAIL) or {}
        return {name: it for name, it in on.items() if datetime.fromisoformat(it["until"]) > now}

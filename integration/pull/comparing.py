"""Rows of Dataverse beside what the ledger remembers of them, and beside what the other systems have.

A row that was accepted has an effect for its present state in the ledger. So what no event has brought is found by the
row's columns and not by the version alone: a change of a column that no flow reads is none. It costs one request to
Dataverse for a page, and one point read of the ledger for a row; a comparison with the other systems adds one call for
each effect that is done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from integration.batching import each
from integration.dataverse import DataverseClient, Row, differs
from integration.errors import IntegrationError, NotFound
from integration.flow import Columns, Flow
from integration.flow.due import due
from integration.flow.handler import reads_of, results_of
from integration.ledger import Ledger, Memory, State
from integration.pull.events import MODIFIED, modified_on
from integration.pull.window import Window
from integration.worker.reading import CURRENCY
from integration.worker.write_back import WriteBack

ROWS: Final = 500
BY_ID: Final = 50
"""Rows that are asked for by their ids with one request."""
_AT_ONCE: Final = 16


class Kind(StrEnum):
    """How a row stands differently."""

    NEVER_ACCEPTED = "never-accepted"
    NOT_BROUGHT = "not-brought"
    NOT_WRITTEN_BACK = "not-written-back"
    DIFFERENT = "different"
    DELETED = "deleted"
    WAITING = "waiting"
    DEAD_LETTERED = "dead-lettered"
    DISCARDED = "discarded"
    UNKNOWN = "unknown"

    @property
    def healed(self) -> bool:
        """Whether an event makes up for it; the others wait by themselves, for support, or for a system."""
        return self not in {Kind.WAITING, Kind.DEAD_LETTERED, Kind.DISCARDED, Kind.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that stands differently: `detail` says how, `forget` are the effects that a system has lost.

    `row` is the row that was read, None where it was deleted; `event_id` is the event that makes up for it.
    """

    record_id: str
    kind: Kind
    detail: str
    row: Row | None = None
    forget: tuple[str, ...] = ()
    event_id: str = ""


class FlowComparing:
    """Compares rows of the tables of flows; `systems` are the clients that flows call, by name."""

    def __init__(
        self,
        ledger: Ledger,
        dataverse: DataverseClient,
        write_back: WriteBack,
        systems: Mapping[str, object],
        *,
        rows: int = ROWS,
    ) -> None:
        self._ledger = ledger
        self._dataverse = dataverse
        self._write_back = write_back
        self._systems = systems
        self._rows = rows

    async def page(self, flow: Flow[Any], window: Window, following: str) -> tuple[int, list[Difference], str]:
        """How many rows were compared, what is different, and what the next page is asked for with (or nothing).

        Raises what Dataverse and the ledger raise. What another system does not answer is a difference (`unknown`).
        """
        rows, following = await self._read(flow, window.where, self._rows, following)
        return len(rows), await self._differences(flow, rows, systems=window.systems), following

    async def rows(self, flow: Flow[Any], ids: Sequence[str], *, systems: bool) -> tuple[set[str], list[Difference]]:
        """Of these rows those that exist, and what is different about them. Raises as `page` does."""
        there, found = set[str](), list[Difference]()
        for start in range(0, len(ids), BY_ID):
            where = " or ".join(f"{flow.id_column} eq {it}" for it in ids[start : start + BY_ID])
            rows, _ = await self._read(flow, where, BY_ID)
            there.update(row.id for row in rows)
            found += await self._differences(flow, rows, systems=systems)
        return there, found

    async def _read(self, flow: Flow[Any], where: str, size: int, following: str = "") -> tuple[list[Row], str]:
        reads = reads_of(flow, self._write_back)
        rows, following = await self._dataverse.page(
            flow.entity_set,
            id_column=flow.id_column,
            select=tuple(dict.fromkeys((*reads.select, MODIFIED))),
            expand=reads.expand,
            size=size,
            where=where,
            following=following,
        )
        if reads.currency:
            rows = await each(self._with_currency, rows, at_once=_AT_ONCE)
        return rows, following

    async def _differences(self, flow: Flow[Any], rows: Sequence[Row], *, systems: bool) -> list[Difference]:
        found = await each(lambda row: self._compare(flow, row, systems=systems), rows, at_once=_AT_ONCE)
        return [it for it in found if it is not None]

    async def _with_currency(self, row: Row) -> Row:
        currency_id = row.values.get(CURRENCY)
        if not currency_id:
            return row
        try:
            return replace(row, currency=await self._dataverse.currency_code(currency_id))
        except NotFound:
            return row

    async def _compare(self, flow: Flow[Any], row: Row, *, systems: bool) -> Difference | None:
        memory = (await self._ledger.record(f"{flow.table}:{row.id}")).memory
        columns = flow.columns(row, prefix=self._write_back.prefix)
        if left := due(flow, columns, memory):
            return Difference(row.id, *_undone(row, memory, left), row)
        if lacking := self._lacking(flow, row, memory):
            return Difference(row.id, Kind.NOT_WRITTEN_BACK, lacking, row)
        return await self._differs(flow, row, columns, memory) if systems else None

    def _lacking(self, flow: Flow[Any], row: Row, memory: Memory) -> str:
        """The result columns that do not have what is remembered."""
        prefix = self._write_back.prefix
        wrong = [name for name, value in results_of(flow, memory).items() if differs(row, {f"{prefix}_{name}": value})]
        return f"the row does not have what was answered: {', '.join(sorted(wrong))}" if wrong else ""

    async def _differs(self, flow: Flow[Any], row: Row, columns: Columns, memory: Memory) -> Difference | None:
        said, lost = [], []
        for effect in flow.effects:
            known = memory.effect(effect.name)
            if effect.compare is None or known.done is None or not effect.when(columns):
                continue
            system = self._systems.get(effect.system)
            if system is None:
                return Difference(row.id, Kind.UNKNOWN, f"no setting names the system {effect.system}", row)
            try:
                different = await effect.compare(columns, known.answer, system)
            except IntegrationError as error:
                return Difference(row.id, Kind.UNKNOWN, f"{effect.system} did not say: {error.reason}", row)
            if different:
                said.append(different)
                lost.append(effect.name)
        return Difference(row.id, Kind.DIFFERENT, "; ".join(said), row, tuple(lost)) if said else None


def _undone(row: Row, memory: Memory, left: list[str]) -> tuple[Kind, str]:
    """Why something is left to do for a row.

    A dead letter, and a person's decision about one, explain only what was there when it was written.
    """
    what = f"left to do: {', '.join(left)}"
    known = row.version is not None and memory.knows(row.version)
    if memory.waiting and memory.waiting not in {*memory.recent, *memory.dead_letters}:
        return Kind.WAITING, f"event {memory.waiting} waits for its next attempt; {what}"
    for event_id, letter in list(memory.dead_letters.items())[-1:]:
        changed = modified_on(row)
        if known or changed is None or datetime.fromisoformat(letter.at) >= changed:
            return Kind.DEAD_LETTERED, f"event {event_id} is dead-lettered ({letter.reason}); {what}"
    if not known:
        return Kind.NEVER_ACCEPTED, f"no event has brought version {row.version} of the row; {what}"
    for event_id, state in reversed(memory.recent.items()):
        if state is State.DISCARDED:
            return Kind.DISCARDED, f"somebody has discarded event {event_id}; {what}"
    return Kind.NOT_BROUGHT, f"events have ended without it; {what}"

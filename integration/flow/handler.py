"""A flow as the worker's handler: brings the systems to the state of a row, and the row to its results."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from integration.dataverse import DataverseClient, Row
from integration.errors import Conflict, NotFound, Permanent, Stale
from integration.events import IntegrationEvent, Lookup
from integration.flow.columns import Columns, expansion, selected
from integration.flow.flow import Effect, Flow, Needs
from integration.flow.kit import Answer, Kit
from integration.flow.outcomes import nothing_to_do
from integration.ledger import Memory
from integration.worker.ahead import ahead
from integration.worker.effects import Effects, fingerprint
from integration.worker.handler import Handler, Outcome
from integration.worker.reading import Reads, Rows
from integration.worker.work import Work
from integration.worker.write_back import Target, WriteBack

MERGE: Final = "Merge"
_SUBORDINATE: Final = "SubordinateId"
"""The parameter that names the merged row."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What all flows share; `systems` are the clients by name, `flows` the flows by table."""

    dataverse: DataverseClient
    rows: Rows
    write_back: WriteBack
    systems: Mapping[str, object]
    flows: Mapping[str, Flow[Any]]


class FlowHandler(Handler):
    """Handles the events of one flow's table."""

    ignored = frozenset({"Assign"})

    def __init__(self, flow: Flow[Any], tools: Tools) -> None:
        self._flow = flow
        self._tools = tools
        self.table = flow.table
        self.messages = flow.accepted
        self.answers = {it.name: it.publishes for it in flow.effects}
        if flow.deletion is not None:
            self.answers.setdefault(flow.deletion.name, flow.deletion.publishes)

    @property
    def reads(self) -> Reads:
        return reads_of(self._flow, self._tools.write_back)

    def carried(self, message: str) -> frozenset[str]:
        if message == MERGE:
            return frozenset({_SUBORDINATE})
        kept = pre_image_of(self._flow, self._tools.write_back.prefix) if message == "Delete" else ()
        return frozenset(kept)

    async def present(self, work: Work, row: Row) -> Outcome:
        done = await _Bringing(self._tools, work).bring(self._flow, work.effects, row)
        _check_merge(work.event)
        if not work.trace.drove:
            return nothing_to_do(work, row)
        return Outcome.completed(" and ".join(done) or "the result columns are right again")

    async def deleted(self, work: Work) -> Outcome:
        if self._flow.deletion is None:
            return await super().deleted(work)
        kit = Kit(work.record_id, self._tools.dataverse, work, work.effects, self._tools.systems)
        return Outcome.completed(await self._flow.deletion.do(kit))

    async def mark_failed(self, event: IntegrationEvent, reason: str) -> int:
        if not self._flow.results:
            return 0
        return await self._tools.write_back.mark_failed(target_of(self._flow), event, reason)


class _Bringing:
    """Brings records to the state of their rows, for one event: its own, and those that it needs."""

    def __init__(self, tools: Tools, work: Work) -> None:
        self._tools = tools
        self._work = work
        self._under_way: set[str] = set()

    async def bring(self, flow: Flow[Any], effects: Effects, row: Row) -> list[str]:
        """Do what is due, then write the results back; what was done, in words."""
        self._under_way.add(row.id)
        columns = flow.columns(row, prefix=self._tools.write_back.prefix)
        kit = Kit(row.id, self._tools.dataverse, self._work, effects, self._tools.systems)
        done = [words for effect in flow.effects for words in await self._do(effect, columns, kit)]
        if flow.results and effects.memory.effects:
            results = results_of(flow, effects.memory)
            await self._tools.write_back.write(self._work, target_of(flow), row, results)
        return done

    async def _do(self, effect: Effect[Any], row: Columns, kit: Kit) -> list[str]:
        if effect.when(row):
            return await self._do_wanted(effect, row, kit)
        undo, known = effect.undone_by, kit.effects.memory.effect(effect.name)
        if undo is None or not known.number or known.done == undo.fingerprint:
            return []
        await kit.effects.once(effect.name, undo.fingerprint, lambda key: undo.do(row, kit, key), report=undo.says)
        return [undo.done]

    async def _do_wanted(self, effect: Effect[Any], row: Columns, kit: Kit) -> list[str]:
        if not kit.effects.memory.effect(effect.name).number and not self._may_begin(effect, kit):
            return []
        done_with = fingerprint(*effect.of(row))
        due = not kit.effects.is_done(effect.name, done_with, charged=effect.charged)
        needed = await self._ensure(effect, row) if due else None

        async def do(key: str) -> Answer:
            try:
                return await effect.do(row, kit, key)
            except Permanent:  # the system may know less of what this needs than is remembered
                if needed is not None:
                    await _forget(needed)
                raise

        await kit.effects.once(effect.name, done_with, do, report=effect.says, charged=effect.charged)
        return [effect.done] if due else []

    def _may_begin(self, effect: Effect[Any], kit: Kit) -> bool:
        needed_by_another = kit.record_id != self._work.event.record_id
        return needed_by_another or bool(kit.effects.memory.dead_letters) or effect.may_begin(self._work.event)

    async def _ensure(self, effect: Effect[Any], row: Columns) -> Effects | None:
        """Make sure that a record which an effect needs has been brought to its systems, as it is now."""
        needs = effect.needs
        if needs is None:
            return None
        record = needs.of(row)
        flow = self._tools.flows.get(record.table)
        if flow is None:
            raise Permanent(
                f"the {needs.role} is a row of {record.table}, for which there is no flow, or FLOWS_OFF names it",
                reason="flow-missing",
            )
        if record.id in self._under_way:  # it needs, in turn, what is being brought
            return None
        found = await self._read(flow, record, needs)
        columns = flow.columns(found, prefix=self._tools.write_back.prefix)
        effects = await self._work.effects_of(record.table, record.id)
        if all(_is_done(it, columns, effects) for it in flow.effects):
            return effects
        try:
            await self.bring(flow, effects, found)
        except Stale as error:  # its own events are worked on beside this one, and have brought a newer state
            if failure := ahead(error, found, await self._read(flow, record, needs)):
                raise failure from error
            raise Conflict(f"the {needs.role} changes while it is worked on", service="dataverse") from error
        await effects.save()
        return effects

    async def _read(self, flow: Flow[Any], record: Lookup, needs: Needs[Any]) -> Row:
        try:
            return await self._tools.rows.read(reads_of(flow, self._tools.write_back), record.id, self._work.context)
        except NotFound as error:
            raise Permanent(
                f"the {needs.role} ({record.table} {record.id}) does not exist in Dataverse", reason=needs.gone
            ) from error


def _check_merge(event: IntegrationEvent) -> None:
    """Raise `Permanent` (record-missing) for a Merge whose payload was too large to name the row that was merged.

    Otherwise that row has an event of its own, which the intake makes.
    """
    if event.message == MERGE and event.trimmed and not event.parameters:
        raise Permanent(
            f"{event.message} of {event.table} does not name the merged row: deactivate that row again, so that it has "
            "an event of its own",
            reason="record-missing",
        )


def reads_of(flow: Flow[Any], write_back: WriteBack) -> Reads:
    """What is read of a row of the flow's table."""
    results = write_back.reads(target_of(flow)) if flow.results else ()
    columns = (*selected(flow.columns), *results)
    return Reads(flow.entity_set, columns, expansion(flow.columns), flow.with_currency)


def target_of(flow: Flow[Any]) -> Target:
    """Where the flow's results are written."""
    return Target(flow.table, flow.entity_set, tuple(it.name for it in flow.results))


def pre_image_of(flow: Flow[Any], prefix: str) -> tuple[str, ...]:
    """The columns of the image that a Delete keeps, result columns with their prefix."""
    results = {it.name for it in flow.results}
    return tuple(f"{prefix}_{name}" if name in results else name for name in flow.pre_image)


def _is_done(effect: Effect[Any], row: Columns, effects: Effects) -> bool:
    return not effect.when(row) or effects.is_done(effect.name, fingerprint(*effect.of(row)), charged=effect.charged)


def results_of(flow: Flow[Any], memory: Memory) -> dict[str, Any]:
    """The result columns, from what is remembered of the effects."""
    return {
        column: flow.result(column).value(memory.effect(effect.name).answer[part])
        for effect in flow.effects
        for column, part in effect.writes.items()
        if memory.effect(effect.name).answer.get(part) is not None
    }


async def _forget(effects: Effects) -> None:
    for name in list(effects.memory.effects):
        effects.forget(name)
    await effects.save()

"""An inbound flow as the worker's handler: reads the record in its system, and brings its row in Dataverse to it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from integration.dataverse import DataverseClient, Row, version_of
from integration.errors import Conflict, Permanent, Transient
from integration.flow.inbound import InboundFlow, Reading
from integration.flow.kit import Answer, Kit
from integration.flow.outcomes import nothing_to_do
from integration.worker.comparing import has_to_be_written
from integration.worker.effects import fingerprint
from integration.worker.handler import InboundHandler, Outcome
from integration.worker.work import Work

EFFECT: Final = "dataverse-row"
_LINKED_WITHIN: Final = timedelta(seconds=60)
"""An event may come before the number of what it is about has been written back to its row; so long it waits for it."""


class InboundFlowHandler(InboundHandler):
    """Handles the events of one inbound flow; `prefix` and `tag` are those of every write to Dataverse."""

    def __init__(
        self, flow: InboundFlow, dataverse: DataverseClient, systems: Mapping[str, object], *, prefix: str, tag: str
    ) -> None:
        self._flow = flow
        self._dataverse = dataverse
        self._systems = systems
        self._prefix = prefix
        self._tag = tag
        self.table = flow.table
        self.messages = flow.messages
        self.answers = {EFFECT: ("table", "recordId")}

    async def bring(self, work: Work) -> Outcome:
        kit = Kit(work.record_id, self._dataverse, work, work.effects, self._systems)
        reading = await self._flow.read_record(kit)
        if reading is None:
            return Outcome.completed(f"{self._flow.system} has no such {self._flow.kind} any more")
        wanted = self._columns(reading)
        found = await self._find(work, reading.key, [*wanted])
        if found is None:
            return await self._without_row(work, reading.key, wanted)
        table, row = found
        if not has_to_be_written(row, wanted):
            work.row_version = version_of(row)
            return nothing_to_do(work, row)

        async def write(_key: str) -> Answer:
            written = await self._dataverse.update(
                row.entity_set, row.id, wanted, etag=row.etag, tag=self._tag, context=work.context
            )
            work.row_version = version_of(written)
            return {"table": table, "recordId": row.id}

        await self._once(work, row.id, row.version, wanted, write)
        return Outcome.completed(f"{table} {row.id} has the state of {self._flow.kind} {reading.key}")

    async def _find(self, work: Work, key: str, columns: list[str]) -> tuple[str, Row] | None:
        for table, entity_set in self._flow.tables.items():
            row = await self._dataverse.find(
                entity_set, self._key(key), id_column=f"{table}id", select=columns, context=work.context
            )
            if row is not None:
                return table, row
        return None

    async def _without_row(self, work: Work, key: str, wanted: Mapping[str, Any]) -> Outcome:
        if self._flow.creates:
            return await self._create(work, key, wanted)
        tables = " or ".join(self._flow.tables)
        if work.now - work.event.accepted_time < _LINKED_WITHIN:
            raise Transient(
                f"no {tables} has the number of this {self._flow.kind} yet: it may just be written back",
                reason="row-not-linked-yet",
                service="dataverse",
            )
        return Outcome.completed(f"no {tables} has the number {key}: nothing follows")

    async def _create(self, work: Work, key: str, wanted: Mapping[str, Any]) -> Outcome:
        [(table, entity_set)] = self._flow.tables.items()

        async def write(_key: str) -> Answer:
            try:
                written = await self._dataverse.create(
                    entity_set, self._key(key), wanted, id_column=f"{table}id", tag=self._tag, context=work.context
                )
            except Permanent as error:
                if error.reason != "dataverse-duplicate" or await self._find(work, key, [*wanted]) is None:
                    raise
                raise Conflict("somebody has created the row meanwhile", service="dataverse") from error
            work.row_version = version_of(written)
            return {"table": table, "recordId": written.id}

        await self._once(work, key, None, wanted, write)
        return Outcome.completed(f"{table} is created for {self._flow.kind} {key}")

    async def _once(self, work: Work, row: str, version: int | None, wanted: Mapping[str, Any], write: Any) -> None:
        """Written down before and after, so that an invocation that has lost its session ends before it writes."""
        await work.effects.once(
            EFFECT,
            fingerprint(row, version, sorted(wanted.items())),
            write,
            report=lambda answer: f"{answer['table']} {answer['recordId']}: {', '.join(sorted(wanted))}",
        )

    def _key(self, key: str) -> tuple[str, str]:
        return f"{self._prefix}_{self._flow.key}", key

    def _columns(self, reading: Reading) -> dict[str, Any]:
        """With prefix; of declared results only, as a change of anything else would come back as an event."""
        return {f"{self._prefix}_{name}": self._flow.result(name).value(it) for name, it in reading.results.items()}

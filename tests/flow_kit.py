"""For tests of flows: a row, an event, and what the flow does with them. Without a sandbox, within milliseconds.

The worker, the ledger and the write-back are the product's own, over tables in memory; Dataverse and the other systems
are objects of the test:

    marketing = System(put=Answered(number="P-1"))
    it = FlowKit(lead.flow, marketing=marketing)
    it.row(companyname="Contoso", leadqualitycode=1)
    outcome = it.handle("Update", changed=("companyname",))
    assert outcome.state == "completed"
    assert marketing.calls[0].arguments["body"]["company"] == "Contoso"
    assert it.written == {"prospectnumber": "P-1"}
"""

import asyncio
import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from integration import flows
from integration.dataverse import DataverseClient, Row
from integration.dataverse.row import read_row
from integration.errors import Conflict, NotFound, Permanent
from integration.events import IntegrationEvent, Lookup
from integration.flow import Columns, Flow
from integration.flow.columns import with_currency
from integration.flow.discovery import flows_in
from integration.flow.handler import FlowHandler, Tools
from integration.ledger import EventStatus, Memory
from integration.transport import NO_CONTEXT, CallContext
from integration.worker.reading import Rows
from integration.worker.write_back import WriteBack
from tests.builders import event
from tests.memory_table import HubStub, ManualClock, MemoryLedger, QueueStub
from tests.worker_kit import status_after, worker_of

PREFIX = "new"
Answered = SimpleNamespace
"""What a system answers: an object with these attributes."""


@dataclass(frozen=True)
class Call:
    """One call of a system: the method, and its arguments; those without a name by their number."""

    method: str
    arguments: Mapping[str, Any]


class System:
    """A system of which a test says what each method answers; an exception is raised.

    A list is answered one by one, and its last item for ever.
    """

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.calls: list[Call] = []

    def __getattr__(self, method: str) -> Any:
        if method not in self.answers:
            raise AttributeError(f"the test does not say what {method} answers: System({method}=...)")

        async def call(*positional: Any, **named: Any) -> Any:
            numbered = {str(number): value for number, value in enumerate(positional)}
            self.calls.append(Call(method, {**numbered, **named}))
            answer = self.answers[method]
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def called(self) -> list[str]:
        """The methods that were called, in order."""
        return [it.method for it in self.calls]


@dataclass
class _Stored:
    values: dict[str, Any]
    version: int


class Dataverse(DataverseClient):
    """Rows by entity set and id, with ETags; `written` has every update. A currency's id is its code."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], _Stored] = {}
        self.written: list[tuple[str, str, dict[str, Any]]] = []
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[Exception] = []
        """What calls of custom APIs are answered with, one by one; then each is taken."""

    async def retrieve(
        self,
        entity_set: str,
        row_id: str,
        *,
        select: Sequence[str],
        expand: str | None = None,
        context: CallContext = NO_CONTEXT,
    ) -> Row:
        stored = self._stored(entity_set, row_id)
        names = [*select, *([] if expand is None else [it.partition("(")[0] for it in _parts(expand)])]
        shown = {name: stored.values.get(name) for name in names}
        annotations = {name: value for name, value in stored.values.items() if name.partition("@")[0] in names}
        content = {"@odata.context": "", "@odata.etag": _etag(stored), "versionnumber": stored.version}
        return read_row(entity_set, row_id, {**content, **annotations, **shown})

    async def call_on(
        self, entity_set: str, message: str, parameters: Mapping[str, Any], *, context: CallContext = NO_CONTEXT
    ) -> None:
        self.called.append((f"{entity_set}/{message}", dict(parameters)))
        if self.answers:
            raise self.answers.pop(0)

    async def call(
        self, custom_api: str, parameters: Mapping[str, Any], *, tag: str, context: CallContext = NO_CONTEXT
    ) -> None:
        self.called.append((custom_api, dict(parameters)))
        if self.answers:
            raise self.answers.pop(0)

    async def currency_code(self, currency_id: str, *, context: CallContext = NO_CONTEXT) -> str:
        return currency_id

    async def update(
        self,
        entity_set: str,
        row_id: str,
        values: Mapping[str, Any],
        *,
        etag: str | None,
        tag: str,
        context: CallContext = NO_CONTEXT,
    ) -> Row:
        stored = self._stored(entity_set, row_id)
        if etag not in {None, _etag(stored)}:
            raise Conflict("changed meanwhile")
        stored.values.update(values)
        stored.version += 1
        self.written.append((entity_set, row_id, dict(values)))
        return Row(entity_set, row_id, etag=_etag(stored), version=stored.version)

    async def find(
        self,
        entity_set: str,
        key: tuple[str, str],
        *,
        id_column: str,
        select: Sequence[str],
        context: CallContext = NO_CONTEXT,
    ) -> Row | None:
        column, value = key
        for (name, row_id), stored in self.rows.items():
            if name == entity_set and stored.values.get(column) == value:
                return await self.retrieve(entity_set, row_id, select=select, context=context)
        return None

    async def create(
        self,
        entity_set: str,
        key: tuple[str, str],
        values: Mapping[str, Any],
        *,
        id_column: str,
        tag: str,
        context: CallContext = NO_CONTEXT,
    ) -> Row:
        if await self.find(entity_set, key, id_column=id_column, select=[], context=context) is not None:
            raise Permanent("there is one", reason="dataverse-duplicate", service="dataverse")
        row_id = str(uuid.uuid4())
        self.rows[entity_set, row_id] = stored = _Stored({key[0]: key[1], **values}, 1)
        self.written.append((entity_set, row_id, dict(values)))
        return Row(entity_set, row_id, etag=_etag(stored), version=stored.version)

    def put(self, entity_set: str, row_id: str, values: Mapping[str, Any]) -> None:
        """Somebody changes the row, or creates it."""
        stored = self.rows.setdefault((entity_set, row_id), _Stored({}, 0))
        stored.values.update(values)
        stored.version += 1

    def _stored(self, entity_set: str, row_id: str) -> _Stored:
        stored = self.rows.get((entity_set, row_id))
        if stored is None:
            raise NotFound("no such row", reason="dataverse-not-found", service="dataverse", record_id=row_id)
        return stored


@dataclass(frozen=True)
class Outcome:
    """What became of an event: its state, why, and its steps as `name: detail`."""

    state: str
    reason: str | None
    detail: str | None
    steps: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, status: EventStatus | None) -> "Outcome":
        assert status is not None, "the worker says nothing about the event"
        steps = [f"{it.name}: {it.detail}" for it in status.steps if it.name != "publish"]
        return cls(status.state.value, status.reason, status.detail, steps)


class FlowKit:
    """A flow with its worker. `systems` are what `kit.system(...)` gives; flows of the app are there as well."""

    def __init__(self, flow: Flow[Any], **systems: object) -> None:
        self.flow = flow
        self.systems = systems
        self.record_id = str(uuid.uuid4())
        self.dataverse = Dataverse()
        self.clock = ManualClock()
        self.ledger = MemoryLedger(self.clock)
        self.queue = QueueStub()
        self.hub = HubStub()
        known = {it.table: it for it in (*flows_in(flows).values(), flow)}
        tools = Tools(
            dataverse=self.dataverse,
            rows=Rows(self.dataverse),
            write_back=WriteBack(self.dataverse, self.clock, prefix=PREFIX, tag="test"),
            systems=systems,
            flows=known,
        )
        self.worker = worker_of(
            [FlowHandler(it, tools) for it in known.values()],
            tools.rows,
            ledger=self.ledger,
            queue=self.queue,
            hub=self.hub,
            clock=self.clock,
        )

    def row(self, flow: Flow[Any] | None = None, record_id: str | None = None, /, **columns: Any) -> None:
        """The row as Dataverse has it now, by logical names; of another flow's table where `flow` is given.

        A lookup is a `Lookup`, the currency its code (`transactioncurrencyid="EUR"`), rows behind a navigation property
        are dictionaries. What is not given is kept, at first nothing. Raises `ValueError` for what the flow does not
        read.
        """
        flow = flow or self.flow
        key = (flow.entity_set, record_id or self.record_id)
        stored = self.dataverse.rows.setdefault(key, _Stored({}, 0))
        stored.values.update(content(flow.columns, columns, {it.name for it in flow.results}))
        stored.version += 1

    def delete_row(self) -> None:
        """The row does not exist any more."""
        del self.dataverse.rows[self.flow.entity_set, self.record_id]

    def event(self, message: str = "Update", **fields: Any) -> IntegrationEvent:
        """An event of the row; `changed` are the columns that an Update names, None for all."""
        changed = fields.pop("changed", None)
        given = {"record_id": self.record_id, **fields}
        return dataclasses.replace(
            event(),
            table=self.flow.table,
            message=message,
            changed_columns=tuple(changed) if changed is not None else None,
            **given,
        )

    def handle(self, message: str | IntegrationEvent = "Update", **fields: Any) -> Outcome:
        """Work on an event of the row; `fields` as for `event`."""
        it = self.event(message, **fields) if isinstance(message, str) else message
        return Outcome.of(asyncio.run(status_after(self.worker, self.ledger, it)))

    @property
    def written(self) -> dict[str, Any]:
        """The result columns of the row now, without prefix and without those that only say when."""
        stored = self.dataverse.rows[self.flow.entity_set, self.record_id]
        return {it.name: stored.values.get(f"{PREFIX}_{it.name}") for it in self.flow.results}

    @property
    def sync_status(self) -> int | None:
        """1 where the row got through, 2 where it failed, None where nothing was written."""
        stored = self.dataverse.rows[self.flow.entity_set, self.record_id]
        return stored.values.get(f"{PREFIX}_syncstatus")

    @property
    def memory(self) -> Memory:
        """What the ledger remembers of the record."""
        return self.ledger.memory(f"{self.flow.table}:{self.record_id}")


def row_of(flow: Flow[Any], *, version: int = 1, **columns: Any) -> Any:
    """A row as the flow's functions get it, for tests of a mapping alone."""
    given = content(flow.columns, columns, {it.name for it in flow.results})
    currency = given.get("_transactioncurrencyid_value")
    row = read_row(flow.entity_set, str(uuid.uuid4()), {"@odata.context": "", "versionnumber": version, **given})
    return flow.columns(dataclasses.replace(row, currency=currency), prefix=PREFIX)


def content(columns: type[Columns], given: Mapping[str, Any], results: set[str] = frozenset()) -> dict[str, Any]:  # type: ignore[assignment] # a set that nobody changes
    """Columns by logical name as the Web API answers them; raises `ValueError` for what `columns` do not read."""
    declared = {it.name: it for it in columns.declared.values()}
    known = {*declared, *results, *(["transactioncurrencyid"] if with_currency(columns) else [])}
    if unread := given.keys() - known:
        raise ValueError(f"the flow does not read {', '.join(sorted(unread))}; it reads {', '.join(sorted(known))}")
    found: dict[str, Any] = {}
    for name, value in given.items():
        related = declared[name].related if name in declared else None
        if name in results:
            found[f"{PREFIX}_{name}"] = value
        elif related is not None and value is not None:
            found[name] = [content(related, it) for it in value] if isinstance(value, list) else content(related, value)
        elif isinstance(value, Lookup):
            found[f"_{name}_value"] = value.id
            found[f"_{name}_value@Microsoft.Dynamics.CRM.lookuplogicalname"] = value.table
        elif name == "transactioncurrencyid" or (name in declared and declared[name].kind == "lookup"):
            found[f"_{name}_value"] = value
        else:
            found[name] = value
    return found


def _etag(stored: _Stored) -> str:
    return f'W/"{stored.version}"'


def _parts(expand: str) -> list[str]:
    """The parts of an `$expand` at its outermost level."""
    found, depth = [""], 0
    for character in expand:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return found

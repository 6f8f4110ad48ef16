"""What is read of a row, and what is written back to it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from integration.dataverse import DataverseClient, Row
from integration.errors import Conflict, NotFound, Outage, Permanent
from integration.events import Wants
from integration.transport import NO_CONTEXT, CallContext
from integration.worker import Handler, Handlers, Outcome, Pace, Work
from integration.worker.reading import CURRENCY, Reads, Rows
from integration.worker.write_back import FAILED, SYNCED, Target, WriteBack
from tests.builders import event
from tests.memory_table import ManualClock, MemoryLedger

CONTEXT = CallContext("c-1")
READS = Reads("opportunities", ("name", "_customerid_value"), expand="lines($select=x)", currency=True)
TARGET = Target("opportunity", "opportunities", ("erpnumber",))


class Dataverse(DataverseClient):
    """Answers with one row, and remembers what it was asked for and what was written."""

    def __init__(self, **values: Any) -> None:
        self.row = Row("opportunities", "r-1", values, 'W/"1"', 1)
        self.read: list[tuple[Any, ...]] = []
        self.currencies: list[tuple[str, CallContext]] = []
        self.updates: list[dict[str, Any]] = []
        self.error: Exception | None = None

    async def retrieve(
        self,
        entity_set: str,
        row_id: str,
        *,
        select: Sequence[str],
        expand: str | None = None,
        context: CallContext = NO_CONTEXT,
    ) -> Row:
        self.read.append((entity_set, row_id, tuple(select), expand, context))
        return self.row

    async def currency_code(self, currency_id: str, *, context: CallContext = NO_CONTEXT) -> str:
        if self.error is not None:
            raise self.error
        self.currencies.append((currency_id, context))
        return "EUR"

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
        if self.error is not None:
            raise self.error
        self.updates.append(
            {"set": entity_set, "id": row_id, "values": dict(values), "etag": etag, "tag": tag, "context": context}
        )
        return Row(entity_set, row_id, etag='W/"2"', version=2)


async def test_a_row_is_read_with_what_its_handler_declares_and_the_code_of_its_currency() -> None:
    dataverse = Dataverse(**{"name": "a", CURRENCY: "c-eur"})
    row = await Rows(dataverse).read(READS, "r-1", CONTEXT)

    select = ("name", "_customerid_value", CURRENCY)
    assert dataverse.read == [("opportunities", "r-1", select, "lines($select=x)", CONTEXT)]
    assert dataverse.currencies == [("c-eur", CONTEXT)]
    assert (row.values["name"], row.currency, row.etag) == ("a", "EUR", 'W/"1"')


async def test_a_row_without_a_currency_costs_no_second_read() -> None:
    dataverse = Dataverse(**{"name": "a", CURRENCY: None})
    row = await Rows(dataverse).read(READS, "r-1", CONTEXT)

    assert row is dataverse.row
    assert dataverse.currencies == []


async def test_a_currency_that_was_deleted_leaves_the_row_without_one() -> None:
    """An amount without a currency says what is wrong; a Dataverse that is away is something else."""
    dataverse = Dataverse(**{CURRENCY: "c-eur"})
    dataverse.error = NotFound("gone", reason="dataverse-not-found", service="dataverse")
    assert (await Rows(dataverse).read(READS, "r-1", CONTEXT)).currency is None
    dataverse.error = Outage("away", reason="dataverse-unreachable")
    with pytest.raises(Outage):
        await Rows(dataverse).read(READS, "r-1", CONTEXT)


def test_each_column_is_selected_once_and_the_currency_where_it_is_wanted() -> None:
    assert Reads("accounts", ("name", "name")).select == ("name",)
    assert Reads("accounts", (CURRENCY, "name"), currency=True).select == (CURRENCY, "name")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def work(clock: ManualClock) -> Work:
    """An event of the row r-1."""
    it = dataclasses.replace(event(), record_id="r-1")
    ledger = MemoryLedger(clock)
    return Work(it, await ledger.record(it.session_id), ledger, clock, pace=Pace(0, clock), deadline=2_000.0)


def write_back(dataverse: Dataverse, clock: ManualClock) -> WriteBack:
    return WriteBack(dataverse, clock, prefix="new", tag="ours")


async def test_results_are_written_where_nobody_has_changed_the_row_since(work: Work, clock: ManualClock) -> None:
    """With the tag by which the intake knows them again, and shown as a step."""
    dataverse = Dataverse(new_erpnumber=None, new_syncstatus=FAILED, new_syncmessage="erp-rejected")
    await write_back(dataverse, clock).write(work, TARGET, dataverse.row, {"erpnumber": "SO-1"})

    (update,) = dataverse.updates
    assert update == {
        "set": "opportunities",
        "id": "r-1",
        "values": {
            "new_erpnumber": "SO-1",
            "new_syncstatus": SYNCED,
            "new_syncmessage": None,
            "new_syncedon": "2026-11-20T20:00:00Z",
        },
        "etag": 'W/"1"',
        "tag": "ours",
        "context": work.context,
    }
    assert (work.trace.steps["write-back"].detail, work.row_version) == ("erpnumber", 2)


async def test_what_the_row_has_already_is_not_written_again(work: Work, clock: ManualClock) -> None:
    """Each write would be an event; when it was last processed is no reason for one."""
    dataverse = Dataverse(new_erpnumber="SO-1", new_syncstatus=SYNCED, new_syncmessage=None)
    await write_back(dataverse, clock).write(work, TARGET, dataverse.row, {"erpnumber": "SO-1"})

    assert dataverse.updates == []
    assert not work.trace.drove
    read = write_back(dataverse, clock).reads(TARGET)
    assert read == ("new_erpnumber", "new_syncstatus", "new_syncmessage")


async def test_a_row_that_somebody_has_changed_meanwhile_is_a_conflict(work: Work, clock: ManualClock) -> None:
    dataverse = Dataverse()
    dataverse.error = Conflict("changed")
    with pytest.raises(Conflict):
        await write_back(dataverse, clock).write(work, TARGET, dataverse.row, {"erpnumber": "SO-1"})
    assert "write-back" not in work.trace.steps


async def test_a_write_to_another_row_is_a_step_of_its_own(work: Work, clock: ManualClock) -> None:
    """And says nothing about the version of the event's row."""
    dataverse = Dataverse()
    other = dataclasses.replace(dataverse.row, id="a-1")
    target = Target("account", "accounts", ("erpnumber",))
    await write_back(dataverse, clock).write(work, target, other, {"erpnumber": "C-1"})

    assert list(work.trace.steps) == ["write-back-account"]
    assert work.row_version == 0


async def test_only_declared_columns_are_written(work: Work, clock: ManualClock) -> None:
    """An update of anything else would come back as an event, without end."""
    dataverse = Dataverse()
    with pytest.raises(ValueError, match="name"):
        await write_back(dataverse, clock).write(work, TARGET, dataverse.row, {"name": "x"})
    assert dataverse.updates == []


async def test_a_failure_is_shown_on_the_row_whatever_its_state(clock: ManualClock) -> None:
    """With the event's id, by which support finds it."""
    dataverse, it = Dataverse(), event()
    assert await write_back(dataverse, clock).mark_failed(TARGET, it, "erp-rejected") == 2

    (update,) = dataverse.updates
    assert (update["set"], update["id"], update["etag"], update["tag"]) == ("opportunities", it.record_id, None, "ours")
    assert update["values"] == {
        "new_syncstatus": FAILED,
        "new_syncedon": "2026-11-20T20:00:00Z",
        "new_syncmessage": f"erp-rejected (event {it.event_id})",
    }


async def test_an_event_without_a_record_has_no_row_to_show_it_on(clock: ManualClock) -> None:
    dataverse = Dataverse()
    bare = dataclasses.replace(event(), record_id=None)
    assert await write_back(dataverse, clock).mark_failed(TARGET, bare, "r") == 0
    assert dataverse.updates == []


async def test_a_row_that_comes_back_without_a_version_is_a_dead_letter(work: Work, clock: ManualClock) -> None:
    """Its order to later changes would not be known."""
    dataverse = Dataverse()

    async def update(*_: Any, **__: Any) -> Row:
        return Row("opportunities", "r-1")

    dataverse.update = update  # type: ignore[method-assign]
    with pytest.raises(Permanent):
        await write_back(dataverse, clock).write(work, TARGET, dataverse.row, {"erpnumber": "SO-1"})


class Plain(Handler):
    """A handler that leaves everything else as it is."""

    table = "account"
    messages = frozenset({"Update"})

    @property
    def reads(self) -> Reads:
        return Reads("accounts", ("name", "_parentaccountid_value"), currency=True)

    async def present(self, work: Work, row: Row) -> Outcome:
        raise NotImplementedError


async def test_a_handler_wants_the_values_of_what_it_reads_by_the_columns_own_names(work: Work) -> None:
    """Of messages that it does not handle, and of other tables, nothing."""
    handlers = Handlers([Plain()])
    decisive = frozenset({"name", "parentaccountid", "transactioncurrencyid"})

    assert handlers.wants_of("account", "Update") == Wants(decisive=decisive)
    assert handlers.wants_of("account", "Create") == handlers.wants_of("contact", "Update") == Wants()


async def test_a_deletion_that_undoes_nothing_ends_well(work: Work) -> None:
    outcome = await Plain().deleted(work)
    assert await Plain().mark_failed(work.event, "r") == 0

    assert outcome.state.settled
    assert outcome.agrees
    assert "nothing" in outcome.detail

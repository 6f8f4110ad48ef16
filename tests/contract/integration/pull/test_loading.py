"""A load drives every row of a table through its flow, at a rate, and goes on wherever it was interrupted."""

from uuid import uuid4

import pytest

from integration import flows
from integration.admission import CallerKeys, Senders
from integration.errors import Rejected, Transient
from integration.flow.discovery import flows_in
from integration.intake import TakingIn
from integration.ledger import State
from integration.operations.audit import Audit
from integration.protection.shared_state import Document
from integration.pull.events import PulledEvents
from integration.pull.loading import Loading, Step
from integration.pull.pace import Pace
from integration.pull.queueing import AHEAD, PulledQueue
from integration.settings import Settings
from tests.claim_kit import claim_check
from tests.contract.integration.pull.support import ORGANISATION, Killed, Pulling, ids
from tests.unit.integration.settings.test_reading import environment


class Loader:
    """Loads the accounts of one test, which a name tells from those of others."""

    def __init__(self, pulling: Pulling) -> None:
        self.pulling = pulling
        self.name = uuid4().hex
        self.where = f"startswith(name,'{self.name}')"
        self.pauses: list[float] = []
        self.works, self.stuck = False, -1

    async def sleep(self, seconds: float) -> None:
        """Time goes by, and the worker takes up what is queued, but for the event of the number `stuck`."""
        self.pauses.append(seconds)
        self.pulling.clock.advance(seconds)
        if not self.works:
            return
        for number, event in enumerate(self.pulling.queue.events):
            if number != self.stuck:
                record = await self.pulling.ledger.record(event.session_id)
                await record.write(lambda memory, event=event: memory.end(event.event_id, State.COMPLETED))  # type: ignore[misc] # mypy #15459

    @property
    def loading(self) -> Loading:
        """As a process has it that has just been started."""
        it = self.pulling
        settings = Settings.from_environment(environment())
        senders = Senders(CallerKeys(settings.intake_keys))
        taking_in = TakingIn(settings, senders, it.queue, it.ledger, claim_check(), it.clock)
        return Loading(
            {flow.table: flow for flow in flows_in(flows).values()},
            dataverse=it.dataverse,
            events=PulledEvents(ORGANISATION, it.clock),
            queue=PulledQueue(taking_in, it.ledger, Pace(6_000, it.spent, it.clock, sleep=self.sleep)),
            shared=it.shared,
            audit=Audit(it.ledger, it.clock),
            clock=it.clock,
        )

    def accounts(self, count: int) -> list[str]:
        return sorted(self.pulling.create(name=f"{self.name} {number}") for number in range(count))

    async def step(self, *, rate: float = 0.1, again: bool = False) -> Step:
        """With this rate, a step has two rows."""
        return await self.loading.step("account", where=self.where, rate=rate, again=again, by="anna", why="first load")

    async def to_the_end(self) -> Step:
        while not (step := await self.step()).load.ended:
            pass
        return step

    def queued(self) -> list[str]:
        return ids(self.pulling.queue.events)


@pytest.fixture
def loader(pulling: Pulling) -> Loader:
    return Loader(pulling)


async def test_every_row_becomes_an_event_that_says_why_and_what_is_known_does_not(loader: Loader) -> None:
    rows = loader.accounts(5)
    await loader.pulling.pushed(rows[3])
    done = await loader.to_the_end()

    assert loader.queued() == [*rows[:3], rows[4]]
    assert (done.load.rows, done.load.queued, done.load.known) == (5, 4, 1)
    first = loader.pulling.queue.events[0]
    assert (first.message, first.caller, first.cause) == ("Update", "dataverse-load", "loaded: first load")


async def test_rows_are_queued_at_the_rate_and_none_while_the_budget_is_used_up(loader: Loader) -> None:
    """A step that had no time left stays where it was; live traffic comes first."""
    loader.accounts(30)
    step = await loader.step(rate=1.0)
    assert step.load.rows == 20
    assert sum(loader.pauses) == pytest.approx(20.0)

    loader.pulling.spent.requests, queued = 5_000, len(loader.queued())
    held = await loader.step(rate=1.0)
    assert (held.held, held.load.rows) == (True, 20)
    assert len(loader.queued()) == queued

    loader.pulling.spent.requests = 100
    assert (await loader.step(rate=1.0)).load.ended


async def test_time_that_queueing_takes_is_part_of_the_pause(loader: Loader) -> None:
    """Otherwise a load is slower than what was asked for, the more the faster it should be."""
    pace = Pace(6_000, loader.pulling.spent, loader.pulling.clock, sleep=loader.sleep)
    for _ in range(3):
        assert await pace.wait(10, 10.0, until=100.0 + loader.pulling.clock.monotonic())
        loader.pulling.clock.advance(0.25)
    assert loader.pauses == [pytest.approx(1.0), pytest.approx(0.75), pytest.approx(0.75)]


async def test_a_load_is_queued_only_a_little_ahead_of_the_worker(loader: Loader) -> None:
    """What somebody waits for comes behind no more than that; pages get smaller until one ends within a request.

    A page that is begun again makes the same events.
    """
    rows = loader.accounts(150)
    step = await loader.step(rate=500.0)
    assert step.held
    assert (step.load.rows, step.load.page) == (0, 250)
    assert AHEAD <= len(loader.queued()) <= AHEAD + 32
    loader.works = True
    while not (step := await loader.step(rate=500.0)).load.ended:
        pass
    assert step.load.rows == 150
    assert set(loader.queued()) == set(rows)
    assert len({it.event_id for it in loader.pulling.queue.events}) == 150


async def test_one_event_that_is_held_back_does_not_hold_back_the_load(loader: Loader) -> None:
    """The next ones are looked at then."""
    loader.accounts(150)
    loader.works, loader.stuck = True, 31
    while not (step := await loader.step(rate=500.0)).load.ended:
        assert not step.held
    assert step.load.rows == 150


async def test_killed_anywhere_it_goes_on_with_the_same_events(loader: Loader) -> None:
    """Nothing is left out, and the events are the same; what had been under way is waited for, a minute at most."""
    rows = loader.accounts(6)
    await loader.step()

    def kill(load: Document) -> None:
        if not load["lease"]:
            raise Killed

    loader.pulling.shared.hook = kill
    with pytest.raises(Killed):
        await loader.step()
    loader.pulling.shared.hook = lambda _: None
    with pytest.raises(Rejected) as refused:
        await loader.step()
    assert refused.value.status == 409
    loader.pulling.clock.advance(61)
    done = await loader.to_the_end()

    assert loader.queued() == sorted([*rows, *rows[2:4]])
    assert len({it.event_id for it in loader.pulling.queue.events}) == 6
    assert done.load.rows == 6


async def test_a_broker_that_is_away_loses_nothing(loader: Loader) -> None:
    rows = loader.accounts(3)
    await loader.step()
    loader.pulling.queue.fails = Transient("away", reason="broker-unavailable")
    with pytest.raises(Transient):
        await loader.step()
    loader.pulling.queue.fails = None
    await loader.to_the_end()
    assert loader.queued() == rows


async def test_rows_that_are_deleted_between_pages_keep_no_other_row_from_its_turn(loader: Loader) -> None:
    rows = loader.accounts(6)
    await loader.step()
    for row_id in (rows[0], rows[3]):
        loader.pulling.person.delete("accounts", row_id)
    await loader.to_the_end()
    assert loader.queued() == [rows[0], rows[1], rows[2], rows[4], rows[5]]


async def test_the_same_load_begins_anew_when_it_has_ended_or_is_to(loader: Loader) -> None:
    """Its events are others then: whoever loads again wants the rows to be looked at again."""
    rows = loader.accounts(3)
    first = await loader.to_the_end()
    second = await loader.step()
    assert (second.load.rows, second.load.run == first.load.run) == (2, False)

    again = await loader.step(again=True)
    assert (again.load.rows, again.load.run == second.load.run) == (2, False)
    assert loader.queued() == sorted([*rows, *rows[:2], *rows[:2]])
    assert len({it.event_id for it in loader.pulling.queue.events}) == 7


async def test_a_dry_run_counts_and_says_what_it_costs(loader: Loader) -> None:
    loader.accounts(3)
    size = await loader.loading.size("account", loader.where)
    assert (size.rows, size.following, size.rate) == (3, "", 5.0)
    assert (size.requests_each, dict(size.calls_each)) == (2, {"erp": 1})
    assert loader.queued() == []


async def test_what_cannot_be_loaded_is_refused_with_what_is_wrong(loader: Loader) -> None:
    for table, where, rate, status in (
        ("lead", "", 1.0, 404),
        ("account", "nosuchcolumn eq 1", 1.0, 400),
        ("account", "", 0.0, 400),
        ("account", "", 5_000.0, 400),
    ):
        with pytest.raises(Rejected) as refused:
            await loader.loading.step(table, where=where, rate=rate, by="anna", why="first load")
        assert refused.value.status == status


async def test_two_who_load_the_same_rows_are_told_of_each_other(loader: Loader) -> None:
    loader.accounts(3)
    await loader.step()

    original = loader.pulling.shared.read

    async def read(key: str) -> tuple[Document | None, str | None]:
        found = await original(key)
        loader.pulling.shared.read = original  # type: ignore[method-assign]
        await loader.step()
        return found

    loader.pulling.shared.read = read  # type: ignore[method-assign]
    with pytest.raises(Rejected) as refused:
        await loader.step()
    assert refused.value.status == 409

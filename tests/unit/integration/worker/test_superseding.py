"""Which effects an opportunity asks for, whatever the order and number in which its events are worked on."""

import dataclasses
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from integration.events import IntegrationEvent, Lookup
from integration.ledger import Memory, Record
from integration.worker.handlers.opportunities import (
    HELD,
    ORDER,
    SCORE,
    _due,
    _order_fingerprint,
    _score_fingerprint,
)
from integration.worker.mapping import OPEN, WON, Opportunity
from integration.worker.pace import Pace
from integration.worker.work import Work
from tests.builders import event
from tests.unit.integration.worker.memory_table import ManualClock, MemoryLedger

COLUMN = {"amount": "estimatedvalue", "customer": "customerid", "title": "name", "state": "statecode"}
changes = st.one_of(
    st.tuples(st.just("amount"), st.sampled_from([Decimal(n) for n in (1, 2, 3)])),
    st.tuples(st.just("customer"), st.sampled_from([Lookup("account", c) for c in "ab"])),
    st.tuples(st.just("title"), st.sampled_from(["x", "y"])),
    st.tuples(st.just("state"), st.sampled_from([OPEN, WON])),
)
FIRST = Opportunity("x", Decimal(1), "EUR", Lookup("account", "a"), OPEN, None, 1)
CLOCK = ManualClock()
LEDGER = MemoryLedger(CLOCK)


def work_on(it: IntegrationEvent, memory: Memory) -> Work:
    """The event in a handler's hands, with what is remembered of its record."""
    record = Record(LEDGER.records, it.session_id, None)
    record.memory = memory
    return Work(it, record, LEDGER, CLOCK, pace=Pace(0, CLOCK), deadline=0)


class World:
    """A row, the events that its changes raise, and what working on them has done."""

    def __init__(self) -> None:
        self.row = FIRST
        self.waiting = [dataclasses.replace(event(), message="Create")]
        self.memory = Memory()
        self.scored: list[str] = []

    def change(self, name: str, value: object) -> None:
        self.row = dataclasses.replace(self.row, version=self.row.version + 1, **{name: value})  # type: ignore[arg-type] # a field by name
        self.waiting.append(dataclasses.replace(event(), changed_columns=(COLUMN[name],)))

    def handle(self, it: IntegrationEvent) -> None:
        """What the handler does, without the network."""
        for effect in _due(self.row, work_on(it, self.memory)):
            done_with = {
                SCORE: _score_fingerprint(self.row), ORDER: _order_fingerprint(self.row), HELD: HELD,
            }[effect]  # fmt: skip
            name = ORDER if effect == HELD else effect
            if name == SCORE:
                self.scored.append(done_with)
            self.memory.start(name, done_with, event_id=it.event_id, at="")
            number = self.memory.effect(name).number
            self.memory.finish(name, number, done_with, {}, at="", detail="")


@given(st.data(), st.lists(changes, max_size=12))
def test_whatever_the_order_what_is_due_is_done_and_not_twice(
    data: st.DataObject, history: list[tuple[str, object]]
) -> None:
    """Events overtaken, twice or late: the last state is scored or ordered, none is scored twice in a row."""
    world = World()
    done: list[IntegrationEvent] = []
    for name, value in history:
        if data.draw(st.booleans()) and world.waiting:
            done.append(world.waiting.pop(data.draw(st.integers(0, len(world.waiting) - 1))))
            world.handle(done[-1])
        if data.draw(st.booleans()) and done:
            world.handle(data.draw(st.sampled_from(done)))
        world.change(name, value)
    while world.waiting:
        world.handle(world.waiting.pop(data.draw(st.integers(0, len(world.waiting) - 1))))
    if world.row.state == OPEN:
        assert world.memory.effect(SCORE).done == _score_fingerprint(world.row)
        assert world.memory.effect(ORDER).done in {None, HELD}
    else:
        assert world.memory.effect(ORDER).done == _order_fingerprint(world.row)
    assert all(first != second for first, second in zip(world.scored, world.scored[1:], strict=False))


def test_a_change_that_does_not_matter_is_not_scored() -> None:
    """An opportunity that was never scored is not scored because its name changes."""
    renamed = dataclasses.replace(event(), changed_columns=("name",))
    assert _due(FIRST, work_on(renamed, Memory())) == []


def test_a_payload_that_does_not_tell_its_columns_may_have_changed_them() -> None:
    """Trimmed and plug-in events without columns are scored where nothing is remembered."""
    assert SCORE in _due(FIRST, work_on(dataclasses.replace(event(), changed_columns=None), Memory()))

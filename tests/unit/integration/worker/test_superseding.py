"""Which effects are due, whatever the order and number in which events of a record are worked on."""

import dataclasses
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from integration.events import IntegrationEvent, Lookup
from integration.ledger import RecordMemory
from integration.worker.handlers.opportunities import ORDER, SCORE, _due, _order_basis, _score_basis
from integration.worker.mapping import OPEN, WON, Opportunity
from tests.builders import event

COLUMN = {"amount": "estimatedvalue", "customer": "customerid", "title": "name", "state": "statecode"}
changes = st.one_of(
    st.tuples(st.just("amount"), st.sampled_from([Decimal(n) for n in (1, 2, 3)])),
    st.tuples(st.just("customer"), st.sampled_from([Lookup("account", c) for c in "ab"])),
    st.tuples(st.just("title"), st.sampled_from(["x", "y"])),
    st.tuples(st.just("state"), st.sampled_from([OPEN, WON])),
)
FIRST = Opportunity("x", Decimal(1), "EUR", Lookup("account", "a"), OPEN, None, 1)


class World:
    """A row, the events that its changes raise, and what working on them has done."""

    def __init__(self) -> None:
        self.row = FIRST
        self.waiting = [dataclasses.replace(event(), message="Create")]
        self.memory = RecordMemory()
        self.scored: list[str] = []

    def change(self, name: str, value: object) -> None:
        changed: dict[str, Any] = {"version": self.row.version + 1, name: value}
        self.row = dataclasses.replace(self.row, **changed)
        self.waiting.append(dataclasses.replace(event(), changed_columns=(COLUMN[name],)))

    def work_on(self, it: IntegrationEvent) -> None:
        """What the handler does, without the network."""
        due = _due(self.row, self.memory, it)
        if not due or self.row.version < self.memory.row_version:
            return
        if SCORE in due:
            self.scored.append(due[SCORE])
        written = self.row.version + 1
        self.row = dataclasses.replace(self.row, version=written)
        self.memory = RecordMemory(written, it.event_id, {**self.memory.bases, **due})


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
            world.work_on(done[-1])
        if data.draw(st.booleans()) and done:
            world.work_on(data.draw(st.sampled_from(done)))
        world.change(name, value)
    while world.waiting:
        world.work_on(world.waiting.pop(data.draw(st.integers(0, len(world.waiting) - 1))))
    if world.row.state == OPEN:
        assert world.memory.bases[SCORE] == _score_basis(world.row)
        assert world.memory.bases.get(ORDER) in {None, "on-hold"}
    else:
        assert world.memory.bases[ORDER] == _order_basis(world.row)
    assert all(first != second for first, second in zip(world.scored, world.scored[1:], strict=False))


def test_a_change_that_does_not_matter_is_not_scored() -> None:
    """An opportunity that was never scored is not scored because its name changes."""
    renamed = dataclasses.replace(event(), changed_columns=("name",))
    assert _due(FIRST, RecordMemory(), renamed) == {}


def test_a_payload_that_does_not_tell_its_columns_may_have_changed_them() -> None:
    """Trimmed and plug-in events without columns are scored where nothing is remembered."""
    assert SCORE in _due(FIRST, RecordMemory(), dataclasses.replace(event(), changed_columns=None))

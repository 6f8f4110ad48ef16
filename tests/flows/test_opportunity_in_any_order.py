"""Which effects an opportunity asks for, whatever the order and number in which its events are worked on."""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from integration.events import IntegrationEvent, Lookup
from integration.flows import account, opportunity
from integration.flows.opportunity import ON_HOLD, ORDER, SCORE, ordered_with, scored_with
from integration.systems import CreditScore, CustomerState, Order, OrderState
from integration.worker.effects import fingerprint
from tests.flow_kit import FlowKit, row_of

CUSTOMERS = [Lookup("account", str(uuid.uuid4())) for _ in range(2)]
OPEN, WON = 0, 1
changes = st.one_of(
    st.tuples(st.just("estimatedvalue"), st.sampled_from([Decimal(n) for n in (1, 2, 3)])),
    st.tuples(st.just("customerid"), st.sampled_from(CUSTOMERS)),
    st.tuples(st.just("name"), st.sampled_from(["x", "y"])),
    st.tuples(st.just("statecode"), st.sampled_from([OPEN, WON])),
)
FIRST: Mapping[str, Any] = {
    "name": "x",
    "estimatedvalue": Decimal(1),
    "transactioncurrencyid": "EUR",
    "customerid": CUSTOMERS[0],
    "statecode": OPEN,
}


class Credit:
    """Remembers what was scored."""

    def __init__(self) -> None:
        self.scored: list[tuple[str, str, str]] = []

    async def score(self, *, subject_id: str, amount: Decimal, currency: str, **_: Any) -> CreditScore:
        self.scored.append((str(amount), currency, subject_id))
        return CreditScore(score_id="s", score=700, decision="approved")


class Erp:
    """Takes everything, and knows its orders."""

    async def put_customer(self, customer_id: str, *_: Any, **__: Any) -> CustomerState:
        return CustomerState(id=customer_id, number="C-1", status="active", source_version=1)

    async def put_order(self, order_id: str, order: Order, **_: Any) -> OrderState:
        return OrderState(id=order_id, number="SO-1", status="confirmed", source_version=order.source_version)

    async def hold_order(self, order_id: str, *, source_version: int, **_: Any) -> OrderState:
        return OrderState(id=order_id, number="SO-1", status="on-hold", source_version=source_version)


class World:
    """A row, the events that its changes raise, and what working on them has done."""

    def __init__(self) -> None:
        self.credit = Credit()
        self.kit = FlowKit(opportunity.flow, erp=Erp(), credit=self.credit)
        for customer in CUSTOMERS:
            self.kit.row(account.flow, customer.id, name="A", statecode=0)
        self.row: dict[str, Any] = dict(FIRST)
        self.kit.row(**self.row)
        self.waiting = [self.kit.event("Create")]

    def change(self, name: str, value: object) -> None:
        self.row[name] = value
        self.kit.row(**{name: value})
        self.waiting.append(self.kit.event(changed=[name]))

    def done(self, effect: str) -> str | None:
        """What the effect was last done with."""
        return self.kit.memory.effect(effect).done


@settings(max_examples=60, deadline=None)
@given(st.data(), st.lists(changes, max_size=8))
def test_whatever_the_order_what_is_due_is_done_and_not_twice(
    data: st.DataObject, history: list[tuple[str, object]]
) -> None:
    """Events overtaken, twice or late: the last state is scored or ordered, none is scored twice in a row."""
    world = World()
    done: list[IntegrationEvent] = []
    for name, value in history:
        if data.draw(st.booleans()) and world.waiting:
            done.append(world.waiting.pop(data.draw(st.integers(0, len(world.waiting) - 1))))
            world.kit.handle(done[-1])
        if data.draw(st.booleans()) and done:
            world.kit.handle(data.draw(st.sampled_from(done)))
        world.change(name, value)
    while world.waiting:
        world.kit.handle(world.waiting.pop(data.draw(st.integers(0, len(world.waiting) - 1))))
    row = row_of(opportunity.flow, **world.row)
    if row.state == "open":
        assert world.done(SCORE) == fingerprint(*scored_with(row))
        assert world.done(ORDER) in {None, fingerprint(ON_HOLD)}
    else:
        assert world.done(ORDER) == fingerprint(*ordered_with(row))
    scored = world.credit.scored
    assert all(first != second for first, second in pairwise(scored))


def test_a_change_that_does_not_matter_is_not_scored() -> None:
    """An opportunity that was never scored is not scored because its name changes."""
    world = World()
    outcome = world.kit.handle("Update", changed=["name"])
    assert (outcome.state, world.credit.scored) == ("completed", [])


def test_a_payload_that_does_not_name_its_columns_may_have_changed_them() -> None:
    """Trimmed and plug-in events without columns are scored where nothing is remembered."""
    world = World()
    world.kit.handle("Update")
    assert len(world.credit.scored) == 1

"""Flows into Dataverse: what is done goes by what the other system says now, and is written where it differs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration.dataverse import Row
from integration.errors import NotFound, Outage, Permanent
from integration.flow import InboundFlow, Kit, Reading, choice_result, text_result
from integration.flows import erp_customer, erp_order
from integration.systems import CustomerReport, OrderReport
from integration.transport import NO_CONTEXT, CallContext
from tests.flow_kit import Dataverse, System
from tests.inbound_kit import InboundKit

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def order(status: str, **more: Any) -> OrderReport:
    return OrderReport.model_validate({"orderNumber": "SO-1", "status": status, **more})


def kit(*reports: Any, dataverse: Dataverse | None = None) -> InboundKit:
    return InboundKit(erp_order.flow, dataverse, erp=System(order_report=list(reports)))


def missing() -> NotFound:
    return NotFound("none", reason="erp-not-found", service="erp")


def test_the_row_gets_what_the_system_says_now_whatever_the_event_is_called() -> None:
    it = kit(order("invoiced", shippedAt=NOON.isoformat()))
    row_id = it.row("opportunities", new_erpnumber="SO-1")
    outcome = it.handle("order-shipped", "o-1")
    assert (outcome.state, outcome.steps) == (
        "completed",
        [f"dataverse-row: opportunity {row_id}: new_erporderstatus, new_erpshippedon"],
    )
    assert it.columns() == {"new_erpnumber": "SO-1", "new_erporderstatus": 4, "new_erpshippedon": NOON}


def test_what_the_row_shows_already_is_not_written() -> None:
    """An event that our own write to the ERP has caused costs two reads, and no write that would come back."""
    it = kit(order("confirmed"))
    it.row("opportunities", new_erpnumber="SO-1", new_erporderstatus=1)
    assert it.handle("order-changed", "o-1").state == "completed"
    assert it.dataverse.written == []


def test_a_repeated_event_is_a_duplicate_and_another_one_of_the_same_state_is_superseded() -> None:
    it = kit(order("shipped"))
    it.row("opportunities", new_erpnumber="SO-1")
    first = it.event("order-shipped", "o-1")
    assert [it.handle(first).state, it.handle(first).state] == ["completed", "completed"]
    assert it.handle("order-changed", "o-1").state == "superseded"
    assert len(it.dataverse.written) == 1


def test_a_record_that_is_sent_again_brings_a_restored_row_to_the_state() -> None:
    """Dataverse was restored from an older copy, and the row shows what it showed then."""
    it = kit(order("shipped"))
    row_id = it.row("opportunities", new_erpnumber="SO-1")
    it.handle("order-shipped", "o-1")
    it.row("opportunities", row_id, new_erporderstatus=1)
    assert it.handle("Update", "o-1", forced=True).state == "completed"
    assert it.columns()["new_erporderstatus"] == 3


def test_events_in_the_wrong_order_end_with_the_state_of_the_system() -> None:
    """The older event is worked on last, and reads the same."""
    it = kit(order("invoiced"))
    it.row("opportunities", new_erpnumber="SO-1")
    older, newer = it.event("order-changed", "o-1"), it.event("order-changed", "o-1")
    it.handle(newer)
    it.handle(older)
    assert it.columns()["new_erporderstatus"] == 4


def test_a_record_without_a_row_is_waited_for_and_then_left() -> None:
    """Its number may just be on its way into the row; after a minute it is none of ours, and no failure."""
    it = kit(order("shipped"))
    young = it.handle("order-shipped", "o-1")
    assert (young.state, young.reason) == ("waiting", "row-not-linked-yet")
    late = it.handle(it.late("order-shipped", "o-1", 61))
    assert (late.state, late.detail) == ("completed", "no opportunity has the number SO-1: nothing follows")


def test_a_record_that_the_system_has_no_more_changes_nothing() -> None:
    it = kit(missing())
    it.row("opportunities", new_erpnumber="SO-1", new_erporderstatus=1)
    outcome = it.handle("order-changed", "o-1")
    assert (outcome.state, outcome.detail) == ("completed", "erp has no such order any more")
    assert it.dataverse.written == []


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (Outage("away", reason="erp-unavailable", service="erp"), "waiting"),
        (Permanent("no", reason="erp-rejected", service="erp"), "dead-lettered"),
    ],
)
def test_a_system_that_fails_is_tried_again_or_explained(failure: Exception, state: str) -> None:
    it = kit(failure)
    it.row("opportunities", new_erpnumber="SO-1")
    outcome = it.handle("order-changed", "o-1")
    assert (outcome.state, outcome.reason) == (state, getattr(failure, "reason", None))


def test_a_later_event_that_gets_through_resolves_the_dead_letter_before_it() -> None:
    it = kit(Permanent("no", reason="erp-rejected", service="erp"), order("shipped"))
    it.row("opportunities", new_erpnumber="SO-1")
    it.handle("order-changed", "o-1")
    assert it.memory("o-1").dead_letters
    assert it.handle("order-changed", "o-1").state == "completed"
    assert not it.memory("o-1").dead_letters


class Busy(Dataverse):
    """Somebody changes the row between the read and the write, so often."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

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
        if self.times:
            self.times -= 1
            self.put(entity_set, row_id, {})
        return await super().update(entity_set, row_id, values, etag=etag, tag=tag, context=context)


def test_a_row_that_changes_meanwhile_is_read_again_with_the_record() -> None:
    """What was read of the system before that may be older than what somebody else has written."""
    it = kit(order("shipped"), order("invoiced"), dataverse=Busy(1))
    it.row("opportunities", new_erpnumber="SO-1")
    assert it.handle("order-changed", "o-1").state == "completed"
    assert it.columns()["new_erporderstatus"] == 4


def test_a_row_that_never_holds_still_is_tried_later() -> None:
    it = kit(order("shipped"), dataverse=Busy(100))
    it.row("opportunities", new_erpnumber="SO-1")
    outcome = it.handle("order-changed", "o-1")
    assert (outcome.state, outcome.reason) == ("waiting", "row-contended")


@pytest.mark.parametrize("entity_set", ["accounts", "contacts"])
def test_a_customer_is_found_in_either_table(entity_set: str) -> None:
    report = CustomerReport(number="C-1", on_hold=True, balance=Decimal("12.50"))
    it = InboundKit(erp_customer.flow, erp=System(customer_report=report))
    it.row(entity_set, new_erpnumber="C-1")
    it.handle("customer-changed", "c-1")
    assert it.columns(entity_set) == {"new_erpnumber": "C-1", "new_erpcredit": 2, "new_erpbalance": Decimal("12.50")}


def invoices() -> InboundFlow:
    """A flow that creates what is not there."""
    flow = InboundFlow(
        "erp",
        "invoice",
        events=("invoice-posted",),
        tables={"new_invoice": "new_invoices"},
        key="number",
        results=(
            text_result("number", "Number", max_length=20, holds="its number", key=True),
            choice_result("state", "State", {1: "open", 2: "paid"}, holds="whether it is paid"),
        ),
        creates=True,
    )

    @flow.reading
    async def invoice(kit: Kit) -> Reading:
        report = await kit.system("erp").invoice(kit.record_id)
        return Reading(report.number, {"state": report.state})

    return flow


class _Invoice:
    number, state = "I-1", "paid"


def test_a_flow_may_create_the_row_and_then_keeps_to_it() -> None:
    """An upsert by the alternate key: the second event finds the row."""
    it = InboundKit(invoices(), erp=System(invoice=_Invoice()))
    assert it.handle("invoice-posted", "i-1").state == "completed"
    assert it.handle("invoice-posted", "i-1").state == "superseded"
    assert it.columns("new_invoices") == {"new_number": "I-1", "new_state": 2}


class Overtaken(Dataverse):
    """Somebody creates the row in the moment before we do."""

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
        self.put(entity_set, "11111111-1111-4111-8111-111111111111", {key[0]: key[1]})
        return await super().create(entity_set, key, values, id_column=id_column, tag=tag, context=context)


def test_a_row_that_somebody_creates_in_the_same_moment_is_brought_to_the_state() -> None:
    it = InboundKit(invoices(), Overtaken(), erp=System(invoice=_Invoice()))
    assert it.handle("invoice-posted", "i-1").state == "completed"
    assert it.columns("new_invoices") == {"new_number": "I-1", "new_state": 2}


def test_rows_are_created_in_one_table_only() -> None:
    tables = {"account": "accounts", "contact": "contacts"}
    with pytest.raises(ValueError, match="single table"):
        InboundFlow("erp", "x", events=("x",), tables=tables, key="k", results=(), creates=True)


def test_a_business_event_is_one_of_the_flows_own() -> None:
    with pytest.raises(ValueError, match="business_events names posted"):
        InboundFlow("erp", "x", events=("x",), tables={"account": "accounts"}, business_events={"Any": "posted"})


def test_a_column_that_is_not_declared_is_a_defect_and_not_written() -> None:
    """A change of anything but declared results would come back as an event of its own."""
    flow = InboundFlow("erp", "x", events=("x",), tables={"account": "accounts"}, key="erpnumber", results=())

    @flow.reading
    async def read(kit: Kit) -> Reading:
        return Reading("C-1", {"name": "changed"})

    it = InboundKit(flow)
    it.row("accounts", new_erpnumber="C-1", name="kept")
    assert it.handle("x", "c-1").state == "dead-lettered"
    assert it.columns()["name"] == "kept"


def test_what_was_started_and_not_finished_is_done_by_the_next_event(monkeypatch: pytest.MonkeyPatch) -> None:
    it = kit(order("shipped"))
    it.row("opportunities", new_erpnumber="SO-1")

    async def away(*_: object, **__: object) -> Row:
        raise Outage("away", reason="dataverse-unavailable", service="dataverse")

    with monkeypatch.context() as patched:
        patched.setattr(it.dataverse, "update", away)
        assert it.handle("order-shipped", "o-1").state == "waiting"
    assert it.handle("order-shipped", "o-1").state == "completed"
    assert it.columns()["new_erporderstatus"] == 3

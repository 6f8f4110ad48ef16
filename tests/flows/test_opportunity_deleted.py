"""A deleted opportunity: its order is put on hold where the ERP has one."""

from decimal import Decimal
from typing import Any

from integration.errors import NotFound, Stale
from integration.events import Lookup
from integration.flows import account, opportunity
from tests.flow_kit import Answered, FlowKit, System

CUSTOMER = Lookup("account", "a0000000-0000-4000-8000-000000000000")
MISSING = NotFound("no such order", reason="erp-not-found", service="erp")
CONFIRMED = Answered(number="SO-1", status="confirmed", source_version=7)


def won(*, ordered: bool = True, **erp: Any) -> tuple[FlowKit, System]:
    """A won opportunity, with its order where it is `ordered`."""
    answers = {
        "put_customer": Answered(number="C-1", replaced_version=None),
        "put_order": Answered(number="SO-1", replaced_version=None),
        "hold_order": Answered(number="SO-1"),
        **erp,
    }
    system = System(**answers)
    kit = FlowKit(opportunity.flow, erp=system)
    kit.row(account.flow, CUSTOMER.id, name="Contoso", statecode=0)
    kit.row(name="x", estimatedvalue=Decimal(10), transactioncurrencyid="EUR", customerid=CUSTOMER, statecode=1)
    if ordered:
        kit.handle("Update")
    return kit, system


def deleted(kit: FlowKit) -> Any:
    kit.delete_row()
    return kit.handle("Delete")


def test_the_order_is_put_on_hold_and_never_cancelled() -> None:
    """Above the version that the ERP has; only people may cancel what a customer was promised."""
    kit, erp = won(get_order=CONFIRMED)
    outcome = deleted(kit)

    assert (outcome.state, outcome.detail) == ("completed", "order SO-1 is put on hold")
    call = erp.calls[-1]
    assert (call.method, call.arguments["0"], call.arguments["source_version"]) == ("hold_order", kit.record_id, 8)
    assert call.arguments["reason"] == "the opportunity was deleted in Dataverse"
    assert outcome.steps == ["erp-order: on hold: SO-1"]


def test_an_order_that_is_on_hold_already_is_left_alone() -> None:
    kit, erp = won(get_order=Answered(number="SO-1", status="on-hold", source_version=7))
    outcome = deleted(kit)

    assert outcome.detail == "order SO-1 is on hold"
    assert "hold_order" not in erp.called()


def test_an_opportunity_without_an_order_leaves_nothing_to_do() -> None:
    kit, _ = won(ordered=False, get_order=MISSING)
    outcome = deleted(kit)

    assert (outcome.state, outcome.detail) == ("completed", "the ERP has no order of it")


def test_an_erp_that_has_lost_the_order_is_no_reason_to_say_that_all_is_well() -> None:
    kit, _ = won(get_order=MISSING)

    assert deleted(kit).reason == "erp-behind"


def test_an_order_that_changes_while_it_is_put_on_hold_is_read_again_later() -> None:
    kit, _ = won(get_order=CONFIRMED, hold_order=Stale("newer", service="erp"))
    outcome = deleted(kit)

    assert (outcome.state, outcome.reason) == ("waiting", "erp-conflict")


def test_an_order_that_vanishes_while_it_is_put_on_hold_is_reported() -> None:
    kit, _ = won(get_order=CONFIRMED, hold_order=MISSING)

    assert deleted(kit).reason == "erp-behind"

"""The customer of an order: brought to the ERP first, by its own flow, while its own events may be under way too."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from integration.errors import Permanent, Stale
from integration.events import Lookup
from integration.flows import account, opportunity
from integration.systems import CreditScore
from tests.flow_kit import Answered, FlowKit, System

CUSTOMER = Lookup("account", "a0000000-0000-4000-8000-000000000000")
ORDERED = Answered(number="SO-1", replaced_version=None)
KNOWN = Answered(number="C-1", replaced_version=None)


def won(**erp: Any) -> tuple[FlowKit, System]:
    """A won opportunity of an account, and what the ERP answers."""
    system = System(**{"put_customer": KNOWN, "put_order": ORDERED, **erp})
    kit = FlowKit(opportunity.flow, erp=system)
    kit.row(account.flow, CUSTOMER.id, name="Contoso", statecode=0)
    kit.row(
        name="50 bikes",
        estimatedvalue=Decimal(4200),
        transactioncurrencyid="EUR",
        customerid=CUSTOMER,
        statecode=1,
    )
    return kit, system


class NewerCustomer(System):
    """An ERP that has a newer state of the customer; `then` happens when it says so."""

    def __init__(self, then: Callable[[], None], times: int) -> None:
        super().__init__(put_order=ORDERED)
        self.then, self.times = then, times

    async def put_customer(self, *_: Any, **__: Any) -> Any:
        if self.times > 0:
            self.times -= 1
            self.then()
            raise Stale("it already holds a newer version", service="erp")
        return KNOWN


def test_the_customer_comes_first_and_gets_its_number() -> None:
    kit, erp = won()
    outcome = kit.handle("Update")
    assert (outcome.state, erp.called()) == ("completed", ["put_customer", "put_order"])
    assert erp.calls[1].arguments["1"].customer_id == CUSTOMER.id
    assert [(entity_set, values.get("new_erpnumber")) for entity_set, _, values in kit.dataverse.written] == [
        ("accounts", "C-1"),
        ("opportunities", "SO-1"),
    ]


def test_a_customer_that_the_erp_has_already_is_not_sent_again() -> None:
    kit, erp = won()
    kit.handle("Update")
    kit.row(name="60 bikes")
    kit.handle("Update")
    assert erp.called() == ["put_customer", "put_order", "put_order"]


def test_a_customer_that_does_not_exist_is_a_dead_letter() -> None:
    """Nobody would get the order."""
    kit, erp = won()
    kit.row(customerid=Lookup("account", "b0000000-0000-4000-8000-000000000000"))
    outcome = kit.handle("Update")
    assert (outcome.state, outcome.reason, erp.called()) == ("dead-lettered", "customer-gone", [])
    assert kit.sync_status == 2


def test_a_customer_whose_table_has_no_flow_is_a_dead_letter() -> None:
    kit, _ = won()
    kit.row(customerid=Lookup("systemuser", CUSTOMER.id))
    assert kit.handle("Update").reason == "flow-missing"


def test_an_order_that_the_erp_refuses_has_its_customer_sent_again() -> None:
    """The ERP may know less of the customer than the ledger remembers."""
    kit, erp = won(put_order=[Permanent("no such customer", reason="erp-rejected"), ORDERED])
    assert kit.handle("Update").reason == "erp-rejected"
    assert kit.handle("Update").state == "completed"
    assert erp.called() == ["put_customer", "put_order"] * 2


def test_a_customer_that_moved_on_meanwhile_is_read_again() -> None:
    """The order's event is not given up because the customer's own event was faster."""
    kit, _ = won()
    newer = NewerCustomer(lambda: kit.row(account.flow, CUSTOMER.id, name="Contoso Ltd"), times=1)
    kit.systems["erp"] = newer
    assert kit.handle("Update").state == "completed"


def test_a_customer_that_stands_still_and_is_older_than_in_the_erp_is_reported() -> None:
    """Dataverse was restored from an older copy."""
    kit, _ = won()
    kit.systems["erp"] = NewerCustomer(lambda: None, times=100)
    assert kit.handle("Update").reason == "erp-ahead"


def test_an_order_without_its_currency_says_what_is_missing() -> None:
    kit, _ = won()
    kit.row(transactioncurrencyid=None)
    outcome = kit.handle("Update")
    assert outcome.reason == "row-incomplete"
    assert "transactioncurrencyid" in str(outcome.detail)


@pytest.mark.parametrize("statecode", [0, 2])
def test_an_order_that_is_no_longer_won_is_put_on_hold_and_ordered_again_when_it_is(statecode: int) -> None:
    held = Answered(number="SO-1")
    kit, erp = won(hold_order=held, score=CreditScore(score=1, score_id="s", decision="review"))
    kit.systems["credit"] = erp
    kit.handle("Update")
    kit.row(statecode=statecode)
    assert "the order is put on hold" in str(kit.handle("Update", changed=["statecode"]).detail)
    kit.row(statecode=1)
    kit.handle("Update")
    assert [it for it in erp.called() if it != "score"] == ["put_customer", "put_order", "hold_order", "put_order"]

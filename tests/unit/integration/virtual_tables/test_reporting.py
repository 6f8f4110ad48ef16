"""What Dataverse is told of a row of the ERP: what is new since the last time, and nothing twice."""

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from integration.errors import Outage, Permanent, Transient
from integration.flows import erp_customer, erp_order
from integration.systems.messages import CustomerReport
from integration.systems.odata.calls import Creation, Row
from integration.systems.odata.listing import Listed, Listing
from integration.transport import NO_CONTEXT, CallContext
from integration.virtual_tables.pushing import DIALECTS
from integration.virtual_tables.reading import Reading
from integration.virtual_tables.reporting import ExternalChanges, ReportedSet
from integration.virtual_tables.reporting_handler import ReportingHandler
from integration.virtual_tables.sets import erp_customers, erp_orders
from integration.worker.handler import InboundHandler
from tests.flow_kit import Dataverse, System
from tests.inbound_kit import InboundKit

KEY = "11111111-1111-4111-8111-111111111111"
CUSTOMER = {"id": KEY, "customerNumber": "C-1", "name": "Fabrikam", "balance": "12.50", "onHold": False}
SET, TABLE = "new_erpcustomers", "new_erpcustomer"


class OneRow:
    """The rows of an ERP of the REST contract: one, or none."""

    def __init__(self, **row: Any) -> None:
        self.row: Row | None = row or None
        self.error: Exception | None = None

    async def listed(self, kind: str, listing: Listing, *, context: CallContext = NO_CONTEXT) -> Listed:
        if self.error:
            raise self.error
        return Listed([self.row] if self.row else [], None)

    async def create(self, kind: str, values: Row, *, context: CallContext) -> Creation:
        raise NotImplementedError

    async def update(self, kind: str, row: Row, values: Row, *, context: CallContext) -> object:
        raise NotImplementedError

    async def delete(self, kind: str, row: Row, *, context: CallContext) -> None:
        raise NotImplementedError


class Kit(InboundKit):
    """Customers of an ERP, with an account that has the number."""

    def __init__(self, **row: Any) -> None:
        self.erp_rows = OneRow(**(row or CUSTOMER))

        def wrapped(handler: InboundHandler, dataverse: Dataverse) -> InboundHandler:
            served = erp_customers.entity_set.of("rest-erp")
            assert served is not None
            reported = ReportedSet(served, Reading(served, DIALECTS["rest-erp"], self.erp_rows))
            changes = ExternalChanges(dataverse, {"erp.customer": reported}, "new")
            return ReportingHandler(handler, lambda: changes)

        report = CustomerReport(number="C-1", on_hold=False)
        super().__init__(erp_customer.flow, wrapped=wrapped, erp=System(customer_report=report))
        self.row("accounts", new_erpnumber="C-1")

    def told(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The messages that Dataverse got, with their targets."""
        found = [(name.partition("/")[2], it["Target"]) for name, it in self.dataverse.called]
        self.dataverse.called.clear()
        return found


def test_the_first_that_is_heard_of_a_row_is_reported_whole() -> None:
    it = Kit()
    outcome = it.handle("customer-changed", KEY)
    [(message, target)] = it.told()
    assert message == "OnExternalUpdated"
    assert target == {
        "@odata.type": "Microsoft.Dynamics.CRM.new_erpcustomer", "new_erpcustomerid": KEY, "new_number": "C-1",
        "new_name": "Fabrikam", "new_email": None, "new_phone": None, "new_city": None, "new_currency": None,
        "new_balance": Decimal("12.50"), "new_blocked": None,
    }  # fmt: skip
    assert outcome.state == "completed"
    assert str(outcome.detail).startswith("OnExternalUpdated; ")
    assert it.columns()["new_erpcredit"] == 1, "the flow of the record has done its own work"


def test_a_record_that_the_erp_says_is_new_is_reported_as_created() -> None:
    it = Kit()
    it.handle("customer-created", KEY)
    assert [message for message, _ in it.told()] == ["OnExternalCreated"]


def test_only_what_has_changed_is_reported_and_the_same_state_never_again() -> None:
    """Repeated, late and reordered events of the ERP come to the same."""
    it = Kit()
    it.handle("customer-changed", KEY)
    it.told()
    it.handle("customer-changed", KEY)
    assert it.told() == []
    it.erp_rows.row = {**CUSTOMER, "balance": "13.00"}
    it.handle("customer-changed", KEY)
    [(message, target)] = it.told()
    assert message == "OnExternalUpdated"
    assert set(target) == {"@odata.type", "new_erpcustomerid", "new_balance"}
    it.handle(it.late("customer-changed", KEY, 30))
    assert it.told() == []


def test_a_row_that_is_gone_is_reported_once_and_created_when_it_is_back() -> None:
    it = Kit()
    it.handle("customer-changed", KEY)
    it.told()
    it.erp_rows.row = None
    it.handle("customer-changed", KEY)
    it.handle("customer-changed", KEY)
    deleted = {"@odata.type": "Microsoft.Dynamics.CRM.new_erpcustomer", "new_erpcustomerid": KEY}
    assert it.told() == [("OnExternalDeleted", deleted)]
    it.erp_rows.row = dict(CUSTOMER)
    it.handle("customer-changed", KEY)
    assert [message for message, _ in it.told()] == ["OnExternalCreated"]


def test_nothing_is_reported_of_a_row_that_nobody_has_heard_of() -> None:
    it = Kit()
    it.erp_rows.row = None
    it.handle("customer-changed", KEY)
    assert it.told() == []


def test_a_report_whose_answer_was_lost_is_sent_again() -> None:
    it = Kit()
    it.dataverse.answers.append(Transient("no answer", reason="dataverse-unavailable"))
    first = it.event("customer-changed", KEY)
    assert it.handle(first).state == "waiting"
    assert it.handle(dataclasses.replace(first, attempt=2)).state == "completed"
    assert [message for message, _ in it.told()] == ["OnExternalUpdated"] * 2


def test_what_dataverse_refuses_does_not_keep_the_flow_from_its_work() -> None:
    """The tables may not be registered; the event says so, and the next change is reported again."""
    it = Kit()
    it.dataverse.answers.append(Permanent("no such segment", reason="dataverse-rejected"))
    outcome = it.handle("customer-changed", KEY)
    assert outcome.state == "completed"
    assert "Dataverse has not taken OnExternalUpdated of new_erpcustomer (dataverse-rejected)" in str(outcome.detail)
    assert it.columns()["new_erpcredit"] == 1
    it.told()
    it.handle("customer-changed", KEY)
    assert len(it.told()) == 1


def test_an_erp_that_is_away_is_asked_again_later() -> None:
    it = Kit()
    it.erp_rows.error = Outage("away", reason="erp-unavailable")
    assert it.handle("customer-changed", KEY).state == "waiting"
    assert it.told() == []


@pytest.mark.parametrize("record", ["not-a-guid", ""])
def test_a_record_that_can_have_no_key_is_left_alone(record: str) -> None:
    it = Kit()
    it.handle("customer-changed", record or "x")
    assert it.told() == []


def test_days_and_numbers_are_written_as_dataverse_takes_them() -> None:
    """Finance & Operations names records by number; a date is one without time, a GUID beside the key has no column."""
    served = erp_orders.entity_set.of("business-central")
    assert served is not None
    row = {
        "id": KEY, "number": "SO-1", "customerId": KEY, "orderDate": "2026-11-27", "totalAmountExcludingTax": 5,
        "status": "Open", "lastModifiedDateTime": "2026-11-27T09:00:00.5Z",
    }  # fmt: skip
    rows = OneRow(**row)

    def wrapped(handler: InboundHandler, dataverse: Dataverse) -> InboundHandler:
        reported = ReportedSet(served, Reading(served, DIALECTS["business-central"], rows))
        changes = ExternalChanges(dataverse, {"erp.order": reported}, "new")
        return ReportingHandler(handler, lambda: changes)

    it = InboundKit(erp_order.flow, wrapped=wrapped, erp=System(order_report=Permanent("x", reason="erp-rejected")))
    it.handle("order-changed", KEY)
    [(name, sent)] = it.dataverse.called
    assert name == "new_erporders/OnExternalUpdated"
    assert (sent["Target"]["new_orderdate"], sent["Target"]["new_status"]) == ("2026-11-27", "Released")
    assert sent["Target"]["new_changedon"] == "2026-11-27T09:00:00.500000Z"
    assert "new_customerid" not in sent["Target"]


def test_a_number_of_finance_and_operations_has_the_key_that_its_row_has() -> None:
    served = erp_customers.entity_set.of("finance-operations")
    assert served is not None
    reported = ReportedSet(served, Reading(served, DIALECTS["finance-operations"], OneRow()))
    row = served.row({"CustomerAccount": "C0001", "OrganizationName": "Contoso", "CreditLimit": 0})
    assert reported.key_of("C0001") == row["erpcustomerid"]

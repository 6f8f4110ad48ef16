"""Accounts and contacts: the ERP has each as a customer, which follows the row and is blocked when that is deleted."""

from typing import Any

import pytest

from integration.errors import NotFound, Stale
from integration.events import Lookup
from integration.flow import Flow
from integration.flows import account, contact
from integration.ledger import State
from integration.systems import Address, Customer, CustomerKeys
from tests.flow_kit import Answered, FlowKit, System, row_of

KNOWN = Answered(number="C-1", replaced_version=None)
ADDRESS = {
    "address1_line1": "Main Street 1",
    "address1_postalcode": "10115",
    "address1_city": "Berlin",
    "address1_country": "DE",
}
MISSING = NotFound("no such customer", reason="erp-not-found", service="erp")


def kit_of(flow: Flow[Any], **erp: Any) -> tuple[FlowKit, System]:
    system = System(**{"put_customer": KNOWN, **erp})
    kit = FlowKit(flow, erp=system)
    return kit, system


@pytest.mark.parametrize(
    ("flow", "mapped", "name", "kind"),
    [
        (account.flow, account.customer, "name", "organisation"),
        (contact.flow, contact.customer, "fullname", "person"),
    ],
)
def test_all_of_a_customer_reaches_the_erp(flow: Flow[Any], mapped: Any, name: str, kind: Any) -> None:
    row = row_of(
        flow,
        version=7,
        **{name: "Contoso"},
        emailaddress1="a@contoso.example",
        telephone1="030 1",
        statecode=0,
        transactioncurrencyid="EUR",
        **ADDRESS,
    )
    assert mapped(row) == Customer(
        name="Contoso",
        kind=kind,
        email="a@contoso.example",
        phone="030 1",
        currency="EUR",
        address=Address(line1="Main Street 1", postal_code="10115", city="Berlin", country="DE"),
        status="active",
        source_version=7,
    )


@pytest.mark.parametrize(("flow", "mapped"), [(account.flow, account.customer), (contact.flow, contact.customer)])
def test_a_customer_without_a_name_has_one_and_an_inactive_one_is_blocked(flow: Flow[Any], mapped: Any) -> None:
    """The ERP takes none without, and postings of a deactivated customer must stay."""
    customer = mapped(row_of(flow, statecode=1))

    assert (customer.name, customer.status) == ("(no name)", "blocked")


@pytest.mark.parametrize("flow", [account.flow, contact.flow])
def test_a_customer_that_was_merged_into_another_is_blocked(flow: Flow[Any]) -> None:
    """A Merge deactivates one of its two rows; each row has its event, and the row says what it has become."""
    kit, erp = kit_of(flow)
    kit.row(statecode=1)
    kit.handle("Merge")
    (call,) = erp.calls
    assert [it.status for it in call.arguments.values() if isinstance(it, Customer)] == ["blocked"]


@pytest.mark.parametrize("flow", [account.flow, contact.flow])
def test_a_customer_is_kept_under_the_rows_id_and_gets_its_number(flow: Flow[Any]) -> None:
    kit, erp = kit_of(flow)
    kit.row(statecode=0)
    outcome = kit.handle("Create")

    (call,) = erp.calls
    assert (outcome.state, call.arguments["0"]) == ("completed", kit.record_id)
    assert outcome.steps == ["erp-customer: customer C-1", "write-back: erpnumber"]
    assert outcome.detail == "the ERP customer has the state of the row"
    assert (kit.written, kit.sync_status) == ({"erpnumber": "C-1"}, 1)


def test_a_change_that_means_nothing_to_the_erp_is_not_sent() -> None:
    """The row's version alone is no change."""
    kit, erp = kit_of(account.flow)
    kit.row(statecode=0)
    kit.handle("Create")
    kit.row()
    kit.handle("Update")
    assert erp.called() == ["put_customer"]

    kit.row(telephone1="030 2")
    kit.handle("Update")
    assert erp.called() == ["put_customer", "put_customer"]
    first, second = (call.arguments["key"] for call in erp.calls)
    assert first != second


def test_a_forced_event_overwrites_a_newer_state_in_the_erp() -> None:
    kit, erp = kit_of(account.flow)
    kit.row(statecode=0)
    kit.handle("Create")
    kit.handle("Update", forced=True)

    assert [call.arguments["force"] for call in erp.calls] == [False, True]


def test_an_erp_that_held_an_older_state_than_it_has_confirmed_was_set_back() -> None:
    kit, _ = kit_of(account.flow)
    kit.row(statecode=0)
    kit.handle("Create")
    kit.systems["erp"] = System(put_customer=Answered(number="C-1", replaced_version=0))
    kit.row(telephone1="030 2")
    assert kit.handle("Update").state == "completed"

    (problem,) = kit.ledger.table("problems").entities.values()
    assert problem["reason"] == "erp-behind"


def deleted(kit: FlowKit) -> Any:
    kit.delete_row()
    return kit.handle("Delete")


def test_a_customer_whose_row_is_deleted_is_blocked_in_the_erp() -> None:
    """Above the version that the ERP has, so that no late change unblocks it."""
    known = Answered(number="C-1", status="active", source_version=7)
    kit, erp = kit_of(account.flow, get_customer=known, block_customer=Answered(number="C-1"))
    kit.row(statecode=0)
    kit.handle("Create")
    outcome = deleted(kit)

    assert (outcome.state, outcome.detail) == ("completed", "customer C-1 is blocked")
    call = erp.calls[-1]
    assert (call.method, call.arguments["0"], call.arguments["source_version"]) == ("block_customer", kit.record_id, 8)
    assert call.arguments["reason"] == "deleted in Dataverse"
    assert call.arguments["key"].startswith(f"erp-customer-block:account:{kit.record_id}:")
    assert kit.memory.effect("erp-customer").done is None


def test_a_customer_that_is_blocked_already_is_left_alone() -> None:
    """By people, or by an attempt whose answer was lost; a restored row is sent again all the same."""
    kit, erp = kit_of(account.flow, get_customer=Answered(number="C-1", status="blocked", source_version=7))
    kit.row(statecode=0)
    kit.handle("Create")
    assert deleted(kit).detail == "customer C-1 is blocked"
    assert "block_customer" not in erp.called()

    kit.row(statecode=0)
    kit.handle("Update")
    assert erp.called().count("put_customer") == 2


def test_a_customer_that_the_erp_never_had_needs_no_block() -> None:
    kit, _ = kit_of(account.flow, get_customer=MISSING)
    kit.row(statecode=0)
    assert deleted(kit).detail == "the ERP has no such customer"


def test_an_erp_that_has_lost_a_customer_is_no_reason_to_say_that_all_is_well() -> None:
    """It was restored from a copy: somebody has to know."""
    kit, _ = kit_of(account.flow, get_customer=MISSING)
    kit.row(statecode=0)
    kit.handle("Create")

    assert deleted(kit).reason == "erp-behind"


def test_a_customer_that_changes_while_it_is_blocked_is_read_again_later() -> None:
    known = Answered(number="C-1", status="active", source_version=7)
    kit, _ = kit_of(account.flow, get_customer=known, block_customer=Stale("newer", service="erp"))
    kit.row(statecode=0)
    outcome = deleted(kit)

    assert (outcome.state, outcome.reason) == (State.WAITING, "erp-conflict")
    assert len(kit.queue.scheduled) == 1


SUBORDINATE = "5b000000-0000-4000-8000-000000000001"


def merged(flow: Flow[Any], **erp: Any) -> tuple[FlowKit, System]:
    """Two rows that the ERP has, of which the second was merged into the first."""
    kit, system = kit_of(flow, block_customer=Answered(number="C-2"), **erp)
    kit.row(statecode=0)
    kit.row(flow, SUBORDINATE, statecode=0)
    kit.handle("Create")
    kit.handle("Create", record_id=SUBORDINATE)
    master = Lookup(flow.table, kit.record_id)
    kit.row(flow, SUBORDINATE, statecode=1, merged=True, masterid=master)
    system.calls.clear()
    return kit, system


@pytest.mark.parametrize("flow", [account.flow, contact.flow])
def test_the_customer_of_a_merged_row_is_blocked_with_the_reason_and_the_master_stays(flow: Flow[Any]) -> None:
    """The intake makes an event for each of the two rows."""
    kit, erp = merged(flow)
    assert kit.handle("Merge", parameters={"SubordinateId": SUBORDINATE}).state == "superseded"
    assert erp.called() == []
    outcome = kit.handle("Merge", record_id=SUBORDINATE)
    [call] = erp.calls
    assert (call.method, call.arguments["0"]) == ("block_customer", SUBORDINATE)
    assert call.arguments["reason"] == f"merged into {flow.table} {kit.record_id}"
    assert outcome.state == "completed"
    assert f"erp-customer: customer C-2 is blocked: merged into {flow.table} {kit.record_id}" in outcome.steps


def test_a_merged_row_is_blocked_once_whichever_event_comes_first() -> None:
    kit, erp = merged(account.flow)
    kit.handle("Update", record_id=SUBORDINATE)
    kit.handle("Merge", record_id=SUBORDINATE)
    assert erp.called() == ["block_customer"]


def test_a_merged_row_that_the_erp_never_had_needs_no_block() -> None:
    kit, erp = kit_of(account.flow, block_customer=MISSING)
    kit.row(statecode=1, merged=True)
    outcome = kit.handle("Merge")
    assert (outcome.state, erp.called()) == ("completed", ["block_customer"])


def test_a_merge_that_does_not_name_the_merged_row_is_a_dead_letter() -> None:
    """A payload of more than 256 KB comes without parameters; the master is right all the same."""
    kit, erp = kit_of(account.flow)
    kit.row(statecode=0)
    outcome = kit.handle("Merge", trimmed=True)
    assert (outcome.state, outcome.reason) == ("dead-lettered", "record-missing")
    assert erp.called() == ["put_customer"]


def test_what_the_erp_may_know_a_customer_by_goes_with_it() -> None:
    kit, erp = kit_of(account.flow)
    kit.row(statecode=0, accountnumber="10000", erpnumber="C-7")
    kit.handle("Create")
    assert erp.calls[0].arguments["known_by"] == CustomerKeys(customer_number="C-7", account_number="10000")

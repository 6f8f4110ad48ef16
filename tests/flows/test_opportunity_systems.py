"""What the ERP and credit scoring get of an opportunity, and what comes back to the row."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from integration.events import Lookup
from integration.flows import account, contact, opportunity
from integration.systems import Company, CreditScore, Order
from tests.flow_kit import Answered, FlowKit, System

ACCOUNT = Lookup("account", "a0000000-0000-4000-8000-000000000000")
PERSON = Lookup("contact", "c0000000-0000-4000-8000-000000000000")
SCORED = CreditScore(score_id="s-1", score=700, decision="approved")


def kit_of(**columns: Any) -> tuple[FlowKit, System]:
    system = System(
        put_customer=Answered(number="C-1", replaced_version=None),
        put_order=Answered(number="SO-1", replaced_version=None),
        hold_order=Answered(number="SO-1"),
        score=SCORED,
    )
    kit = FlowKit(opportunity.flow, erp=system, credit=system)
    kit.row(account.flow, ACCOUNT.id, name="Contoso", statecode=0)
    kit.row(contact.flow, PERSON.id, fullname="Jane", statecode=0)
    given: dict[str, Any] = {
        "name": "50 bikes",
        "estimatedvalue": Decimal(4200),
        "transactioncurrencyid": "EUR",
        "customerid": ACCOUNT,
        "statecode": 0,
    }
    kit.row(**{**given, **columns})
    return kit, system


def calls(system: System, method: str) -> list[Any]:
    return [call for call in system.calls if call.method == method]


def test_an_order_says_what_was_won() -> None:
    """The actual value counts once there is one; the day is the one on which it was won."""
    kit, system = kit_of(statecode=1, actualvalue=Decimal("4100.5"), actualclosedate="2026-11-20")
    outcome = kit.handle("Update")

    (call,) = calls(system, "put_order")
    assert call.arguments["0"] == kit.record_id
    wanted = call.arguments["1"]
    assert wanted == Order(
        customer_id=ACCOUNT.id,
        title="50 bikes",
        amount=Decimal("4100.50"),
        currency="EUR",
        closed_on=date(2026, 11, 20),
        status="confirmed",
        source_version=wanted.source_version,
    )
    assert str(wanted.amount) == "4100.50"
    assert call.arguments["key"].endswith(f":{wanted.source_version}")
    assert call.arguments["force"] is False
    assert "erp-order: order SO-1" in outcome.steps
    assert outcome.detail == "ordered"
    assert kit.written["erpnumber"] == "SO-1"
    assert kit.memory.effect("erp-order").answer["sourceVersion"] == wanted.source_version


def test_the_estimated_value_counts_until_there_is_an_actual_one() -> None:
    kit, system = kit_of(statecode=1, actualvalue=None)
    kit.handle("Update")

    assert calls(system, "put_order")[0].arguments["1"].amount == 4200


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "60 bikes"},
        {"actualvalue": Decimal(4300)},
        {"transactioncurrencyid": "USD"},
        {"customerid": PERSON},
        {"actualclosedate": "2026-11-21"},
    ],
)
def test_an_order_follows_each_column_that_it_is_made_of(changed: dict[str, Any]) -> None:
    kit, system = kit_of(statecode=1)
    kit.handle("Update")
    kit.row(**changed)
    kit.handle("Update")

    first, second = calls(system, "put_order")
    assert first.arguments["key"] != second.arguments["key"]
    assert second.arguments["1"].source_version > first.arguments["1"].source_version


@pytest.mark.parametrize(("customer", "kind"), [(ACCOUNT, "account"), (PERSON, "contact")])
def test_an_open_opportunity_is_scored_and_the_row_says_so(customer: Lookup, kind: str) -> None:
    kit, system = kit_of(customerid=customer)
    outcome = kit.handle("Create")

    (call,) = calls(system, "score")
    assert {
        name: call.arguments[name] for name in ("subject_id", "subject_kind", "amount", "currency", "reference")
    } == {
        "subject_id": customer.id,
        "subject_kind": kind,
        "amount": Decimal("4200.00"),
        "currency": "EUR",
        "reference": kit.record_id,
    }
    assert kit.written == {
        "erpnumber": None,
        "creditscore": 700,
        "creditdecision": 1,
        "creditscoredon": kit.clock.time.isoformat(timespec="seconds"),
    }
    assert "credit-score: approved (700)" in outcome.steps
    assert outcome.detail == "scored"


@pytest.mark.parametrize(("decision", "value"), [("approved", 1), ("review", 2), ("refused", 3)])
def test_each_decision_has_a_value_of_its_own_in_the_row(decision: str, value: int) -> None:
    kit, system = kit_of()
    system.answers["score"] = SCORED.model_copy(update={"decision": decision})
    kit.handle("Create")

    assert kit.written["creditdecision"] == value


@pytest.mark.parametrize(
    "changed", [{"estimatedvalue": Decimal(4300)}, {"transactioncurrencyid": "USD"}, {"customerid": PERSON}]
)
def test_a_score_is_asked_for_again_where_what_it_depends_on_has_changed(changed: dict[str, Any]) -> None:
    """Each answer is charged."""
    kit, system = kit_of()
    kit.handle("Create")
    kit.row(name="60 bikes")
    kit.handle("Update", changed=["name"])
    assert len(calls(system, "score")) == 1
    kit.row(**changed)
    kit.handle("Update", changed=list(changed))
    assert len(calls(system, "score")) == 2


@pytest.mark.parametrize(
    ("account", "company"),
    [
        (
            {"accountnumber": "FN 1a", "address1_country": "Austria"},
            Company(registration_number="FN 1a", country="Austria"),
        ),
        ({"accountnumber": "FN 1a"}, Company(registration_number="FN 1a", country=None)),
        ({"accountnumber": "", "address1_country": None}, None),
        (None, None),
    ],
)
def test_credit_scoring_hears_how_registers_know_the_customer(
    account: dict[str, Any] | None, company: Company | None
) -> None:
    """Whether it can do without is for the system to say."""
    kit, system = kit_of(customerid_account=account)
    kit.handle("Create")

    assert calls(system, "score")[0].arguments["company"] == company


def test_another_company_behind_the_customer_is_scored_anew() -> None:
    kit, system = kit_of(customerid_account={"accountnumber": "1", "address1_country": "AT"})
    kit.handle("Create")
    kit.row(customerid_account={"accountnumber": "2", "address1_country": "AT"})
    kit.handle("Update", changed=["name"])
    assert len(calls(system, "score")) == 2


def test_a_decision_without_a_score_leaves_the_score_empty() -> None:
    kit, system = kit_of()
    system.answers["score"] = CreditScore(score_id="none", score=None, decision="review")
    outcome = kit.handle("Create")

    assert (kit.written["creditscore"], kit.written["creditdecision"]) == (None, 2)
    assert "credit-score: review (no score)" in outcome.steps


def test_band_and_limit_are_kept_with_the_answer() -> None:
    kit, system = kit_of()
    advice = {"band": "B", "limit": Decimal("250000.00"), "limit_currency": "EUR"}
    system.answers["score"] = SCORED.model_copy(update=advice)
    kit.handle("Create")

    answer = kit.memory.effect("credit-score").answer
    assert (answer["band"], answer["limit"], answer["limitCurrency"]) == ("B", "250000.00", "EUR")


@pytest.mark.parametrize("missing", ["estimatedvalue", "customerid"])
def test_what_cannot_be_scored_yet_is_not(missing: str) -> None:
    kit, system = kit_of(**{missing: None})
    outcome = kit.handle("Create")

    assert (outcome.state, calls(system, "score")) == ("completed", [])


@pytest.mark.parametrize("missing", ["estimatedvalue", "customerid", "transactioncurrencyid"])
def test_a_won_opportunity_that_lacks_something_says_what(missing: str) -> None:
    kit, system = kit_of(statecode=1, **{missing: None})
    outcome = kit.handle("Update")

    assert (outcome.state, outcome.reason) == ("dead-lettered", "row-incomplete")
    assert missing in str(outcome.detail)
    assert system.calls == []


def test_an_order_on_hold_says_why_and_keeps_its_number() -> None:
    kit, system = kit_of(statecode=1)
    kit.handle("Update")
    kit.row(statecode=2)
    outcome = kit.handle("Update")

    (call,) = calls(system, "hold_order")
    assert (call.arguments["0"], call.arguments["reason"]) == (kit.record_id, "the opportunity is no longer won")
    assert call.arguments["source_version"] > calls(system, "put_order")[0].arguments["1"].source_version
    assert "erp-order: on hold: SO-1" in outcome.steps
    assert kit.written["erpnumber"] == "SO-1"


def test_an_opportunity_that_was_never_won_has_no_order_to_hold() -> None:
    kit, system = kit_of(statecode=2)
    outcome = kit.handle("Update")

    assert (outcome.state, system.calls) == ("completed", [])


@pytest.mark.parametrize("message", ["Win", "Lose", "Create", "Update", "SetState"])
def test_every_message_that_changes_an_opportunity_brings_it_to_its_state(message: str) -> None:
    kit, system = kit_of(statecode=1)
    kit.handle(message)

    assert len(calls(system, "put_order")) == 1


def test_an_event_of_a_change_that_was_acted_on_already_is_superseded() -> None:
    kit, system = kit_of(statecode=1)
    kit.handle("Update")
    outcome = kit.handle("Update")

    assert outcome.state == "superseded"
    assert len(calls(system, "put_order")) == 1


@pytest.mark.parametrize(("state", "called"), [(0, "score"), (1, "put_order")])
def test_a_negative_amount_is_a_dead_letter_and_reaches_no_system(state: int, called: str) -> None:
    kit, system = kit_of(statecode=state, estimatedvalue=Decimal("-0.01"))
    outcome = kit.handle("Update", changed=["estimatedvalue"])
    assert (outcome.state, outcome.reason, kit.sync_status) == ("dead-lettered", "amount-negative", 2)
    assert called not in system.called()


def test_nothing_is_scored_for_nothing_and_a_free_delivery_is_an_order() -> None:
    """A score is charged; an amount of zero has no risk."""
    kit, system = kit_of(estimatedvalue=Decimal(0))
    assert kit.handle("Update", changed=["estimatedvalue"]).state == "completed"
    assert system.called() == []
    kit.row(statecode=1)
    kit.handle("Update", changed=["statecode"])
    assert calls(system, "put_order")[0].arguments["1"].amount == 0


def test_without_a_currency_nothing_is_ordered() -> None:
    kit, system = kit_of(statecode=1, transactioncurrencyid=None)
    outcome = kit.handle("Update")
    assert (outcome.state, outcome.reason, system.called()) == ("dead-lettered", "row-incomplete", [])
    assert "transactioncurrencyid" in str(outcome.detail)

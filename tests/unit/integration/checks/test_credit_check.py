"""What a user hears who enters an amount, and how often credit scoring is asked and charged for it."""

import asyncio
import dataclasses
from decimal import Decimal
from typing import Any
from unittest.mock import AsyncMock

import pytest

from integration.checks import credit_check
from integration.errors import NotFound, Outage, Permanent
from integration.events import Choice, Lookup, Money
from integration.flow.handler import Tools
from integration.flows import account, opportunity
from integration.flows.opportunity import CHECK
from integration.synchronous import ALLOWED, Asked, CheckResult
from integration.systems import Company, CreditScore
from integration.transport import NO_CONTEXT
from integration.worker.reading import Rows
from integration.worker.write_back import WriteBack
from tests.flow_kit import PREFIX, FlowKit, System

ACCOUNT = Lookup("account", "a0000000-0000-4000-8000-000000000000")
OTHER = Lookup("account", "b0000000-0000-4000-8000-000000000000")
EVENT_ID = "202611201905-6861cdb2ac734e549b3e82cae1084511"
EUR = Lookup("transactioncurrency", "EUR")


def score(decision: Any = "approved", number: int = 1) -> CreditScore:
    return CreditScore(score_id=f"s-{number}", score=200, decision=decision)


class Opportunity:
    """An opportunity in Dataverse, its flow, and the check; `credit` has what scoring was asked."""

    def __init__(self, *answers: Any, **columns: Any) -> None:
        self.credit = System(score=[*answers] or [score()])
        self.kit = FlowKit(opportunity.flow, credit=self.credit, erp=System())
        self.kit.row(account.flow, ACCOUNT.id, name="Contoso")
        self.kit.dataverse.put("accounts", ACCOUNT.id, {"accountnumber": "FN 1", "address1_country": "AT"})
        self.kit.dataverse.put("accounts", OTHER.id, {"accountnumber": "FN 2", "address1_country": "DE"})
        given = {"estimatedvalue": Decimal(4200), "transactioncurrencyid": "EUR", "customerid": ACCOUNT, "statecode": 0}
        self.kit.row(**{**given, **columns})

    def save(self, message: str = "Update", *, record_id: Any = "", **values: Any) -> CheckResult:
        """What the check says to a save that brings these values."""
        event = self.kit.event(message, values=values)
        if record_id != "":
            event = dataclasses.replace(event, record_id=record_id, event_id=EVENT_ID)
        tools = Tools(
            dataverse=self.kit.dataverse,
            rows=Rows(self.kit.dataverse),
            write_back=WriteBack(self.kit.dataverse, self.kit.clock, prefix=PREFIX, tag="test"),
            systems=self.kit.systems,
            flows={it.table: it for it in (account.flow, opportunity.flow)},
        )
        asked = Asked(event, NO_CONTEXT, tools=tools, ledger=self.kit.ledger, clock=self.kit.clock)
        return asyncio.run(credit_check.check.ask(asked))

    @property
    def asked(self) -> list[Any]:
        return [call.arguments for call in self.credit.calls]


def test_an_amount_that_is_refused_is_not_saved_and_the_sentence_says_which() -> None:
    it = Opportunity(score("refused"))
    result = it.save(estimatedvalue=Money(Decimal(2_000_000)))
    assert not result.allowed
    assert "2,000,000.00 EUR" in result.message
    assert "lower amount" in result.message


@pytest.mark.parametrize("decision", ["approved", "review"])
def test_what_scoring_allows_is_saved(decision: str) -> None:
    assert Opportunity(score(decision)).save(estimatedvalue=Money(Decimal(9))) == ALLOWED


def test_the_row_is_asked_about_as_it_will_be() -> None:
    """What the message brings, over what Dataverse holds; another customer is another company."""
    it = Opportunity()
    it.save(estimatedvalue=Money(Decimal("9.5")))
    it.save(customerid=OTHER)
    first, second = it.asked
    assert (first["amount"], first["currency"], first["subject_id"]) == (Decimal("9.50"), "EUR", ACCOUNT.id)
    assert (second["amount"], second["subject_id"]) == (Decimal(4200), OTHER.id)
    assert second["company"] == Company(registration_number="FN 2", country="DE")


def test_a_row_that_is_being_created_is_known_from_the_message_alone() -> None:
    it = Opportunity()
    new = {"estimatedvalue": Money(Decimal(7)), "customerid": OTHER, "transactioncurrencyid": EUR}
    assert it.save("Create", record_id="c0000000-0000-4000-8000-000000000009", **new) == ALLOWED
    (asked,) = it.asked
    assert (asked["amount"], asked["currency"], asked["company"].country) == (Decimal(7), "EUR", "DE")


@pytest.mark.parametrize(
    "values",
    [
        {"estimatedvalue": None},
        {"customerid": None},
        {"statecode": Choice(1)},
        {"estimatedvalue": Money(Decimal(-5))},
    ],
)
def test_where_there_is_nothing_to_ask_nothing_is_asked(values: dict[str, Any]) -> None:
    it = Opportunity()
    assert it.save(**values) == ALLOWED
    assert it.asked == []


def test_the_same_question_is_charged_once_however_often_it_comes() -> None:
    """A user who presses save again, a repeated request: the answer is that of the first time."""
    it = Opportunity(score("refused"))
    assert it.save(estimatedvalue=Money(Decimal(50))) == it.save(estimatedvalue=Money(Decimal(50)))
    assert len(it.asked) == 1


def test_a_question_whose_answer_was_lost_is_asked_again_with_the_same_key() -> None:
    it = Opportunity(Outage("away", reason="credit-unavailable"), score())
    with pytest.raises(Outage):
        it.save(estimatedvalue=Money(Decimal(50)))
    it.save(estimatedvalue=Money(Decimal(50)))
    first, second = it.asked
    assert first["key"] == second["key"]


def test_a_row_without_an_id_is_asked_about_with_the_key_of_its_request() -> None:
    """Before the creation there is nothing to remember the answer with: scoring itself charges a key once."""
    it = Opportunity()
    new = {"estimatedvalue": Money(Decimal(7)), "customerid": OTHER, "transactioncurrencyid": EUR}
    it.save("Create", record_id=None, **new)
    it.save("Create", record_id=None, **new)
    first, second = it.asked
    assert first["key"] == second["key"]
    assert EVENT_ID in first["key"]


def test_the_flow_uses_what_the_check_was_answered() -> None:
    """The save goes through, its event arrives: no second charge, and the result columns are written."""
    it = Opportunity(score("review", 1), score("refused", 2))
    it.save(estimatedvalue=Money(Decimal(300_000)))
    it.kit.row(estimatedvalue=Decimal(300_000))
    outcome = it.kit.handle("Update", changed=("estimatedvalue",))
    assert (outcome.state, len(it.asked), it.kit.written["creditdecision"]) == ("completed", 1, 2)


def test_a_save_that_was_refused_does_not_displace_what_holds_for_the_row() -> None:
    """The old amount stays, and so does its score: nothing is asked or charged again."""
    it = Opportunity(score("approved", 1), score("refused", 2))
    it.kit.handle("Update", changed=("estimatedvalue",))
    assert not it.save(estimatedvalue=Money(Decimal(2_000_000))).allowed
    it.kit.handle("Update", changed=("name",))
    assert len(it.asked) == 2
    assert it.kit.written["creditdecision"] == 1
    assert it.kit.memory.effect(CHECK).answer["scoreId"] == "s-2"


def test_an_amount_in_a_currency_that_does_not_exist_is_saved() -> None:
    """The save cannot be judged; Dataverse itself will say what is wrong with it."""
    it = Opportunity()
    missing = NotFound("no such currency", reason="dataverse-not-found")
    it.kit.dataverse.currency_code = AsyncMock(side_effect=missing)  # type: ignore[method-assign]
    assert it.save(estimatedvalue=Money(Decimal(5)), transactioncurrencyid=EUR) == ALLOWED
    assert it.asked == []


def test_what_scoring_cannot_judge_is_saved() -> None:
    """A currency it does not take: the flow's dead letter says why, and the user can go on."""
    assert Opportunity(Permanent("no", reason="credit-rejected")).save(estimatedvalue=Money(Decimal(5))) == ALLOWED

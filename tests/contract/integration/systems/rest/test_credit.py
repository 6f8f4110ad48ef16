"""The credit scoring client and the service keep their contract."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from integration.errors import Outage, Permanent, Throttled
from integration.systems.rest import CreditClient
from tests.contract.sandbox.systems.stand_in import StandIn


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "subject_id": str(uuid4()),
        "subject_kind": "account",
        "amount": Decimal("1234.50"),
        "currency": "EUR",
        "reference": str(uuid4()),
        "key": uuid4().hex,
    } | changes


@pytest.mark.parametrize(
    ("amount", "decision"),
    [("0.01", "approved"), ("249999.99", "approved"), ("250000", "review"), ("1E+6", "refused")],
)
async def test_a_score_comes_with_its_decision(credit: CreditClient, amount: str, decision: str) -> None:
    """Amounts arrive as plain decimals, whatever form the Decimal has."""
    score = await credit.score(**asked(amount=Decimal(amount)))
    assert score.decision == decision
    assert score.score is not None
    assert 0 <= score.score <= 1000


async def test_the_same_key_is_charged_once(credit: CreditClient, credit_system: StandIn) -> None:
    question = asked()
    assert await credit.score(**question) == await credit.score(**question)
    charges = credit_system.control("GET", "charges").json()["charges"]
    assert [one["key"] for one in charges].count(question["key"]) == 1


async def test_an_answer_lost_on_the_way_back_is_charged_once(credit: CreditClient, credit_system: StandIn) -> None:
    """A POST with an Idempotency-Key may be sent again, and is."""
    question = asked()
    credit_system.fault("POST /api/scores", times=1, drop=True, after=True)
    await credit.score(**question)
    charges = credit_system.control("GET", "charges").json()["charges"]
    assert [one["key"] for one in charges].count(question["key"]) == 1


async def test_what_cannot_be_scored_is_permanent(credit: CreditClient) -> None:
    with pytest.raises(Permanent) as raised:
        await credit.score(**asked(currency="XXX"))
    assert raised.value.reason == "credit-rejected"


async def test_throttling_says_how_long(credit: CreditClient, credit_system: StandIn) -> None:
    credit_system.fault("POST .*", status=429, times=1, headers={"Retry-After": "7"})
    with pytest.raises(Throttled) as raised:
        await credit.score(**asked())
    assert raised.value.retry_after == 7


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 302, "gateway": True}, "credit-redirected"),
        ({"status": 404, "gateway": True}, "credit-answer-unreadable"),
        ({"status": 422, "gateway": True}, "credit-answer-unreadable"),
        ({"status": 200, "gateway": True}, "credit-answer-unreadable"),
        ({"status": 502, "gateway": True}, "credit-unavailable"),
        ({"status": 405}, "credit-answer-unreadable"),
    ],
)
async def test_what_answers_in_its_place_is_an_outage(
    credit: CreditClient, credit_system: StandIn, fault: dict[str, Any], reason: str
) -> None:
    """No opportunity is refused because a gateway has nobody to ask."""
    credit_system.fault("POST .*", **fault)
    with pytest.raises(Outage) as raised:
        await credit.score(**asked())
    assert (type(raised.value), raised.value.reason) == (Outage, reason)

"""One suite for credit scoring, run with each adapter: what holds whatever the bureau is, also while it fails."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from integration.errors import Outage, Throttled, Transient
from integration.systems import Company, Safety, Scoring
from integration.systems.rest import CreditClient
from integration.transport import ApiKey, Host, Transport
from tests.contract.integration.systems.creditsafe.bench import LIMITS, Bench
from tests.contract.integration.systems.subjects import MovedClock
from tests.contract.sandbox.systems.stand_in import StandIn

TRIES = 20


class Subject:
    """An adapter over its stand-in; `charged_call` is the call that is charged, for faults."""

    def __init__(self, adapter: Scoring, system: StandIn, clock: MovedClock, charged_call: str) -> None:
        self.adapter = adapter
        self.system = system
        self.clock = clock
        self.charged_call = charged_call
        self.number = uuid4().hex[:10]
        self.key = uuid4().hex

    def question(self, amount: int = 48_000) -> dict[str, Any]:
        return {
            "subject_id": "a0000000-0000-4000-8000-000000000000",
            "subject_kind": "account",
            "amount": Decimal(amount),
            "currency": "EUR",
            "reference": "o0000000-0000-4000-8000-000000000000",
            "key": f"{self.key}:{amount}",
            "company": Company(registration_number=self.number, country="AT"),
        }

    def charged(self) -> int:
        """How often this subject was charged."""
        charges: list[Mapping[str, Any]] = self.system.control("GET", "charges").json()["charges"]
        return sum(self.key in str(it.get("key")) or it.get("regNo") == self.number for it in charges)

    async def until_scored(self, amount: int = 48_000) -> str:
        """Repeat the question as the worker does."""
        for _ in range(TRIES):
            try:
                return (await self.adapter.score(**self.question(amount))).decision
            except Transient as error:
                self.clock.move(max(error.retry_after or 0.0, 61.0))
        raise AssertionError("it was never scored")


@pytest.fixture(params=["rest", "creditsafe"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "creditsafe":
        bench = Bench(request.getfixturevalue("creditsafe_system"))
        bench.system.control("DELETE", "faults")
        yield Subject(bench.adapter(), bench.system, bench.clock, "GET /v1/companies/")
        await bench.transport.aclose()
        bench.system.control("DELETE", "faults")
        return
    system, clock = request.getfixturevalue("credit_system"), MovedClock()
    system.control("DELETE", "faults")
    transport = Transport([Host(system.url, limits=LIMITS)], clock=clock)
    yield Subject(CreditClient(transport, ApiKey("credit-sandbox-key"), system.url), system, clock, "POST /api/scores")
    await transport.aclose()
    system.control("DELETE", "faults")


@pytest.mark.parametrize(("amount", "decision"), [(48_000, "approved"), (320_000, "review")])
async def test_an_amount_is_decided_on(subject: Subject, amount: int, decision: str) -> None:
    score = await subject.adapter.score(**subject.question(amount))
    assert score.decision == decision
    assert score.score is not None
    assert 0 <= score.score <= 1000


async def test_the_same_question_is_charged_once(subject: Subject) -> None:
    assert await subject.until_scored() == await subject.until_scored()
    assert subject.charged() == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": True},
        {"status": 500},
        {"status": 503},
        {"status": 503, "headers": {"Retry-After": "1"}},
        {"status": 429},
        {"status": 401},
        {"status": 502, "gateway": True},
        {"status": 404, "gateway": True},
        {"status": 200, "gateway": True},
    ],
    ids=str,
)
async def test_a_bureau_that_fails_before_it_answers_charges_once(subject: Subject, fault: dict[str, Any]) -> None:
    """It fails twice; then the question is answered."""
    subject.system.fault(subject.charged_call, times=2, **fault)
    assert await subject.until_scored() == "approved"
    assert subject.charged() == 1


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 500}, {"status": 504}, {"status": 502, "gateway": True}])
async def test_an_answer_that_is_lost_costs_what_the_adapter_says(subject: Subject, fault: dict[str, Any]) -> None:
    """Nothing where a key is honoured; one more report where there is none, as `safety` declares."""
    subject.system.fault(subject.charged_call, times=1, after=True, **fault)
    assert await subject.until_scored() == "approved"
    lost = {Safety.KEY_HONOURED: 0, Safety.READ: 1}[subject.adapter.safety["score"]]
    assert subject.charged() == 1 + lost


async def test_a_pause_that_is_asked_for_is_kept(subject: Subject) -> None:
    subject.system.fault(subject.charged_call, status=429, times=1, headers={"Retry-After": "7"})
    with pytest.raises(Throttled) as raised:
        await subject.adapter.score(**subject.question())
    assert raised.value.retry_after == 7


@pytest.mark.parametrize("status", [404, 422, 502, 200])
async def test_what_answers_in_its_place_is_an_outage(subject: Subject, status: int) -> None:
    """No customer is refused because a gateway has nobody to ask."""
    subject.system.fault(subject.charged_call, status=status, gateway=True, times=1)
    with pytest.raises(Outage):
        await subject.adapter.score(**subject.question())

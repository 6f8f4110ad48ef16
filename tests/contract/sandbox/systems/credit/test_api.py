"""The credit-scoring stand-in keeps its contract."""

import uuid
from datetime import UTC, datetime

import pytest
import requests

from tests.contract.sandbox.systems.stand_in import StandIn, Start


@pytest.fixture(scope="module")
def credit(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return start("credit", "--db", tmp_path_factory.mktemp("credit") / "credit.db")


def ask(credit: StandIn, key: str | None = None, **changes: str) -> requests.Response:
    body = {"subjectId": str(uuid.uuid4()), "subjectKind": "account", "amount": "1234.50", "currency": "EUR"}
    body |= {"reference": "f0000000-0000-4000-8000-000000000001", **changes}
    headers = {"X-Api-Key": "credit-sandbox-key", "Idempotency-Key": key or str(uuid.uuid4())}
    return credit.http.post(f"{credit.url}/api/scores", json=body, headers=headers, timeout=5)


@pytest.mark.parametrize(
    ("amount", "decision"),
    [("249999.99", "approved"), ("250000", "review"), ("999999.99", "review"), ("1000000.00", "refused")],
)
def test_the_amount_decides(credit: StandIn, amount: str, decision: str) -> None:
    answer = ask(credit, amount=amount)
    assert answer.status_code == 200
    body = answer.json()
    assert body["decision"] == decision
    assert 0 <= body["score"] <= 1000
    assert datetime.fromisoformat(body["validUntil"]) > datetime.now(UTC)


def test_a_replay_is_not_charged(credit: StandIn) -> None:
    key, subject = str(uuid.uuid4()), str(uuid.uuid4())
    before = credit.control("GET", "charges").json()["count"]
    first, again = ask(credit, key, subjectId=subject), ask(credit, key, subjectId=subject)
    assert (first.json(), again.headers["Idempotent-Replay"]) == (again.json(), "true")
    charges = credit.control("GET", "charges").json()
    assert charges["count"] == before + 1
    assert charges["charges"][-1]["key"] == key


@pytest.mark.parametrize("wrong", [{"currency": "XXX"}, {"amount": "much"}, {"subjectKind": "lead"}, {"reference": ""}])
def test_what_cannot_be_scored_is_not_charged(credit: StandIn, wrong: dict[str, str]) -> None:
    before = credit.control("GET", "charges").json()["count"]
    answer = ask(credit, **wrong)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert credit.control("GET", "charges").json()["count"] == before


def test_callers_need_a_key(credit: StandIn) -> None:
    assert credit.http.post(f"{credit.url}/api/scores", json={}, timeout=5).status_code == 401

"""Faults that every HTTP stand-in takes, seen on the credit stand-in."""

import time
import uuid
from typing import Any

import pytest
import requests

from tests.contract.sandbox.systems.stand_in import StandIn, Start

HEADERS = {"X-Api-Key": "credit-sandbox-key"}
BODY = {"subjectId": "a", "subjectKind": "account", "amount": "1", "currency": "EUR", "reference": "r"}


@pytest.fixture(scope="module")
def shared(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return start("credit", "--db", tmp_path_factory.mktemp("faults") / "credit.db")


@pytest.fixture
def credit(shared: StandIn) -> StandIn:
    shared.control("DELETE", "faults")
    return shared


def ask(credit: StandIn) -> requests.Response:
    headers = HEADERS | {"Idempotency-Key": str(uuid.uuid4())}
    return credit.http.post(f"{credit.url}/api/scores", json=BODY, headers=headers, timeout=5)


def charged(credit: StandIn) -> int:
    count: int = credit.control("GET", "charges").json()["count"]
    return count


def test_a_fault_answers_as_often_as_asked(credit: StandIn) -> None:
    credit.fault("POST /api/scores", status=503, times=2, headers={"Retry-After": "2"})
    first, second, third = ask(credit), ask(credit), ask(credit)
    assert [first.status_code, second.status_code, third.status_code] == [503, 503, 200]
    assert first.headers["Retry-After"] == "2"
    assert credit.control("GET", "faults").json() == []


def test_a_fault_without_count_lasts_until_deleted(credit: StandIn) -> None:
    credit.fault("* /api/.*", status=500, times=None)
    assert {ask(credit).status_code for _ in range(3)} == {500}
    credit.control("DELETE", "faults")
    assert ask(credit).status_code == 200


def test_a_fault_before_does_nothing_and_a_fault_after_does_the_work(credit: StandIn) -> None:
    before = charged(credit)
    credit.fault("POST /api/scores", status=502)
    assert (ask(credit).status_code, charged(credit)) == (502, before)
    credit.fault("POST /api/scores", status=502, after=True)
    assert (ask(credit).status_code, charged(credit)) == (502, before + 1)


@pytest.mark.parametrize("after", [False, True])
def test_a_dropped_connection_has_no_answer(credit: StandIn, after: bool) -> None:
    before = charged(credit)
    credit.fault("POST /api/scores", drop=True, after=after)
    with pytest.raises(requests.ConnectionError):
        ask(credit)
    assert charged(credit) == before + after


def test_a_delay_only_delays(credit: StandIn) -> None:
    credit.fault("POST /api/scores", delay_ms=300)
    started = time.monotonic()
    assert ask(credit).status_code == 200
    assert time.monotonic() - started >= 0.3


def test_other_methods_and_paths_are_left_alone(credit: StandIn) -> None:
    credit.fault("GET /api/scores", status=500)
    assert ask(credit).status_code == 200


def test_a_request_that_asks_to_be_spared_meets_no_fault(credit: StandIn) -> None:
    """People go on working while a system fails for the app; the fault stays for the others."""
    credit.fault("* /api/.*", status=503)
    headers = HEADERS | {"Idempotency-Key": str(uuid.uuid4()), "X-Sandbox-Spare": "1"}
    spared = credit.http.post(f"{credit.url}/api/scores", json=BODY, headers=headers, timeout=5)
    assert (spared.status_code, ask(credit).status_code) == (200, 503)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"currency": "XXX"}, 'The currency "XXX" is not a known ISO 4217 code.'),
        ({"amount": 1}, "The amount 1 is not a decimal string."),
        ({"subjectKind": "lead"}, "The subjectKind 'lead' is unknown."),
        ({"reference": ""}, "The field reference is missing."),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_send(credit: StandIn, change: dict[str, Any], says: str) -> None:
    headers = HEADERS | {"Idempotency-Key": str(uuid.uuid4())}
    answer = credit.http.post(f"{credit.url}/api/scores", json=BODY | change, headers=headers, timeout=5)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(says)
    assert " Send " in answer.json()["detail"]


@pytest.mark.parametrize(("status", "location"), [(302, "/sorry"), (404, None), (405, None), (502, None), (200, None)])
def test_a_gateway_answers_with_a_page_whatever_it_is_asked(credit: StandIn, status: int, location: str | None) -> None:
    credit.fault("* /api/.*", status=status, gateway=True)
    answer = credit.http.post(f"{credit.url}/api/scores", timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.headers.get("Location")) == (status, location)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<html>" in answer.text


def test_a_wrong_fault_is_refused(credit: StandIn) -> None:
    answer = credit.http.post(f"{credit.url}/control/faults", json={"match": "POST ("}, timeout=5)
    assert answer.status_code == 400


def test_requests_are_remembered_without_secrets(credit: StandIn) -> None:
    credit.control("DELETE", "requests")
    ask(credit)
    (seen,) = credit.control("GET", "requests").json()
    assert (seen["method"], seen["path"], seen["status"]) == ("POST", "/api/scores", 200)
    assert "Idempotency-Key" in seen["headers"]
    assert "credit-sandbox-key" not in str(seen)

"""The stand-in for Creditsafe Connect, as its documentation has the real one."""

from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.contract.sandbox.systems.stand_in import StandIn, Start

USER = {"username": "creditsafe-sandbox-client", "password": "creditsafe-sandbox-secret"}


@pytest.fixture(scope="module")
def system(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """One for these tests, which lock themselves out at the end."""
    return start("creditsafe", "--db", tmp_path_factory.mktemp("creditsafe") / "creditsafe.db")


@pytest.fixture(scope="module")
def token(system: StandIn) -> str:
    answer = system.http.post(f"{system.url}/v1/authenticate", json=USER)
    assert answer.status_code == 200
    given: str = answer.json()["token"]
    assert given.count(".") == 2
    return given


class Asking:
    """Requests with a token."""

    def __init__(self, system: StandIn, token: str) -> None:
        self._system, self._token = system, token

    def __call__(self, path: str, **query: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._token}"}
        return self._system.http.get(f"{self._system.url}/v1/{path}", params=query, headers=headers)


@pytest.fixture
def ask(system: StandIn, token: str) -> Asking:
    system.control("POST", "setup", json={"subscribed": True, "countries_left_out": ["RO"]})
    return Asking(system, token)


def refusal(answer: requests.Response) -> tuple[int, dict[str, Any]]:
    content: dict[str, Any] = answer.json()
    assert content.pop("correlationId")
    return answer.status_code, content


def test_a_search_names_the_company_and_costs_nothing(system: StandIn, ask: Asking) -> None:
    number = uuid4().hex[:8]
    found = ask("companies", countries="GB", regNo=number, exact="True", pageSize="10").json()
    assert found["totalSize"] == 1
    assert found["companies"][0].items() >= {"id": f"GB-0-{number}", "regNo": number, "status": "Active"}.items()
    assert number not in str(system.control("GET", "charges").json())


def test_a_report_has_the_rating_and_is_charged_each_time(system: StandIn, ask: Asking) -> None:
    number = uuid4().hex[:8]
    for _ in range(2):
        report = ask(f"companies/GB-0-{number}", language="en").json()["report"]
    rating = report["creditScore"]["currentCreditRating"]
    assert (rating["commonValue"], rating["creditLimit"]) == ("B", {"value": 250_000, "currency": "EUR"})
    assert report["companySummary"]["companyStatus"]["status"] == "Active"
    assert str(system.control("GET", "charges").json()).count(f"GB-0-{number}") == 2


@pytest.mark.parametrize(
    ("path", "query", "status", "details"),
    [
        ("companies", {"regNo": "1"}, 400, "countries and another criterion are required."),
        ("companies", {"countries": "GB", "regNo": "1", "colour": "red"}, 400, "Parameters not supported: colour"),
        ("companies/RO-0-1", {}, 403, "No access to RO reports"),
        ("companies/nonsense", {}, 404, "There is no such company."),
    ],
)
def test_refusals_have_a_message_and_details(
    ask: Asking, path: str, query: dict[str, str], status: int, details: str
) -> None:
    seen, content = refusal(ask(path, **query))
    assert (seen, content["details"]) == (status, details)
    assert content["message"]


def test_a_company_without_a_report_is_a_400_with_a_code(system: StandIn, ask: Asking) -> None:
    system.control("PUT", "companies/GB/00000001", json=[{"no_report": True}])
    status, content = refusal(ask("companies/GB-0-00000001"))
    assert (status, content["messages"][0]["code"]) == (400, "ReportUnavailable")


def test_without_a_subscription_reports_are_402(system: StandIn, ask: Asking) -> None:
    system.control("POST", "setup", json={"subscribed": False})
    assert refusal(ask("companies/GB-0-1"))[0] == 402


def test_companies_are_those_that_were_set(system: StandIn, ask: Asking) -> None:
    system.control("PUT", "companies/GB/2", json=[])
    assert ask("companies", countries="GB", regNo="2").json()["companies"] == []
    system.control("PUT", "companies/GB/2", json=[{}, {"name": "Another"}])
    assert ask("companies", countries="GB", regNo="2").json()["totalSize"] == 2


def test_a_token_is_wanted(system: StandIn) -> None:
    assert refusal(Asking(system, "another")("companies/GB-0-1"))[0] == 401


def test_charges_and_tokens_survive_being_killed(system: StandIn, ask: Asking) -> None:
    number = uuid4().hex[:8]
    ask(f"companies/GB-0-{number}")
    system.kill()
    system.start_again()
    assert f"GB-0-{number}" in str(system.control("GET", "charges").json())
    assert ask(f"companies/GB-0-{number}").status_code == 200


def test_five_equal_mistakes_lock_the_user_out(system: StandIn) -> None:
    """Also with the right password; the real one does so for five minutes."""
    wrong = USER | {"password": "wrong"}
    statuses = [system.http.post(f"{system.url}/v1/authenticate", json=wrong).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert system.http.post(f"{system.url}/v1/authenticate", json=USER).status_code == 429

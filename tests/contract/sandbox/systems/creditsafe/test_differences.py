"""What Creditsafe does otherwise than the stand-in is on the page, and what is there is still so."""

from collections.abc import Callable

import pytest

from tests.contract.sandbox.differences import listed
from tests.contract.sandbox.systems.creditsafe.test_api import USER, Asking
from tests.contract.sandbox.systems.stand_in import StandIn, Start

Probe = Callable[[Asking], None]
SEVERAL = 200


@pytest.fixture(scope="module")
def ask(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Asking:
    system: StandIn = start("creditsafe", "--db", tmp_path_factory.mktemp("differences") / "creditsafe.db")
    return Asking(system, system.http.post(f"{system.url}/v1/authenticate", json=USER).json()["token"])


def by_number_alone(ask: Asking) -> None:
    for name in ("name", "safeNo", "vatNo", "postCode"):
        assert ask("companies", countries="GB", **{name: "1"}).status_code == 400


def the_rating_alone(ask: Asking) -> None:
    assert ask("companies/GB-0-1").json()["report"].keys() == {"companyId", "companySummary", "creditScore"}


def one_language(ask: Asking) -> None:
    assert ask("companies/GB-0-1", language="de").json()["language"] == "en"


def no_limits(ask: Asking) -> None:
    assert {ask("companies", countries="GB", regNo="1").status_code for _ in range(SEVERAL)} == {200}


def nothing_else(ask: Asking) -> None:
    for path in ("freshinvestigations", "monitoring/portfolios", "people", "access"):
        assert ask(path).status_code == 404


DIFFERENCES: dict[str, Probe] = {
    "companies are found by name, address, VAT number or safeNo": by_number_alone,
    "other parts of a report: directors, accounts, negative information": the_rating_alone,
    "reports in several languages": one_language,
    "requests are limited by the minute (429)": no_limits,
    "fresh investigations, monitoring, other products": nothing_else,
}


def test_the_page_lists_the_differences_that_are_tried_here() -> None:
    assert listed("sandbox.md", "### Known differences of Creditsafe") == list(DIFFERENCES)


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_listed_difference_is_there(ask: Asking, difference: str) -> None:
    """When this fails because the stand-in now does it: take the row off the page and out of this list."""
    DIFFERENCES[difference](ask)

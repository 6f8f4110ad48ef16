"""What an ERP of the REST contract may do otherwise than the stand-in is on the page, and what is there is still so."""

import uuid
from collections.abc import Callable

import pytest

from tests.contract.sandbox.differences import listed
from tests.contract.sandbox.systems.credit.test_api import ask
from tests.contract.sandbox.systems.erp.test_api import KEY, customer, put
from tests.contract.sandbox.systems.stand_in import StandIn, Start

Probe = Callable[[StandIn, StandIn], None]


@pytest.fixture(scope="module")
def erp(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return start("erp", "--db", tmp_path_factory.mktemp("differences") / "erp.db")


@pytest.fixture(scope="module")
def credit(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return start("credit", "--db", tmp_path_factory.mktemp("differences") / "credit.db")


def keys_are_kept(erp: StandIn, _: StandIn) -> None:
    path, key = f"customers/{uuid.uuid4()}", str(uuid.uuid4())
    first = put(erp, path, customer(), key)
    erp.kill()
    erp.start_again()
    again = put(erp, path, customer(), key)
    assert (again.headers["Idempotent-Replay"], again.json()) == ("true", first.json())


def no_limits(erp: StandIn, _: StandIn) -> None:
    path = f"{erp.url}/api/customers/{uuid.uuid4()}"
    answers = {erp.http.get(path, headers=KEY, timeout=5).status_code for _number in range(200)}
    assert answers == {404}


def one_key_for_everything(erp: StandIn, _: StandIn) -> None:
    row = str(uuid.uuid4())
    assert put(erp, f"customers/{row}", customer()).status_code == 201
    assert erp.http.get(f"{erp.url}/api/customers/{row}", headers=KEY, timeout=5).status_code == 200


def few_lists(erp: StandIn, _: StandIn) -> None:
    assert erp.http.get(f"{erp.url}/api/items", headers=KEY, timeout=5).status_code == 404
    searched = erp.http.get(f"{erp.url}/api/customers?name=nobody&top=1", headers=KEY, timeout=5).json()
    assert len(searched["value"]) == min(1, searched["count"])


def the_amount_alone(_: StandIn, credit: StandIn) -> None:
    scores = {ask(credit, subjectId=str(uuid.uuid4()), amount="10").json()["score"] for _number in range(5)}
    assert len(scores) == 1


DIFFERENCES: dict[str, Probe] = {
    "an Idempotency-Key is forgotten after some time": keys_are_kept,
    "requests are limited": no_limits,
    "callers have different rights": one_key_for_everything,
    "customers and orders are searched, and other kinds listed": few_lists,
    "a score depends on the subject": the_amount_alone,
}


def test_the_page_lists_the_differences_that_are_tried_here() -> None:
    assert listed("sandbox.md", "### Known differences of the ERP and of credit scoring") == list(DIFFERENCES)


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_listed_difference_is_there(erp: StandIn, credit: StandIn, difference: str) -> None:
    """When this fails because a stand-in now does it: take the row off the page and out of this list."""
    DIFFERENCES[difference](erp, credit)

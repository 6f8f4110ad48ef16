"""A synchronous step asks the app before a save: what the user of Dataverse sees, and how long it takes."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from sandbox.client import Client
from sandbox.running.endpoints import Endpoints
from sandbox.running.registration import Registering
from tests.end_to_end.conftest import SETTINGS
from tests.end_to_end.journeys import EURO, Person, charges_for

SECONDS = float(SETTINGS["CUSTOM_API_SECONDS"])


@pytest.fixture(scope="module", autouse=True)
def _registered(endpoints: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The steps of checks, as `run.py dataverse apply` registers them."""
    Registering(replace(endpoints, checks=True), tmp_path_factory.mktemp("registered"), serves=True).finish()
    yield
    ask = Client(endpoints).dataverse.ask
    mine = ask("GET", "serviceendpoints?$filter=startswith(name,'integration check: ')").json()["value"]
    for endpoint in (it["serviceendpointid"] for it in mine):
        steps = ask("GET", f"sdkmessageprocessingsteps?$filter=_eventhandler_value eq {endpoint}").json()["value"]
        for step in steps:
            ask("DELETE", f"sdkmessageprocessingsteps({step['sdkmessageprocessingstepid']})")
        ask("DELETE", f"serviceendpoints({endpoint})")


@pytest.fixture
def opportunity(client: Client) -> str:
    """An opportunity of 500, whose amount is checked with every save."""
    person = Person(client)
    row_id, _ = person.opportunity(person.account(), 500)
    return row_id


def refusal(client: Client, opportunity: str, amount: int) -> str:
    """What the user reads instead of a saved row."""
    with pytest.raises(requests.HTTPError) as refused:
        client.dataverse.update("opportunity", opportunity, {"estimatedvalue": amount})
    return str(refused.value)


def amount_of(client: Client, opportunity: str) -> float:
    return float(client.dataverse.retrieve("opportunity", opportunity)["estimatedvalue"])


def test_a_save_that_credit_scoring_refuses_is_not_saved_and_the_user_reads_why(
    client: Client, opportunity: str
) -> None:
    """Also the second time, without a second charge."""
    before = len(charges_for(client, opportunity))
    first, second = (refusal(client, opportunity, 2_000_000) for _ in range(2))
    assert first == second
    assert "Credit scoring refuses 2,000,000.00 EUR" in first
    assert amount_of(client, opportunity) == 500
    assert len(charges_for(client, opportunity)) == before + 1


def test_a_save_that_is_allowed_is_charged_once_for_the_check_and_the_flow(client: Client, opportunity: str) -> None:
    before, event = len(charges_for(client, opportunity)), client.dataverse.last_event()
    client.dataverse.update("opportunity", opportunity, {"estimatedvalue": 300_000})
    status = client.app.wait_for(client.dataverse.event_id(opportunity, after=event))
    assert (status["state"], amount_of(client, opportunity)) == ("completed", 300_000)
    assert client.dataverse.retrieve("opportunity", opportunity)["new_creditdecision"] == 2
    assert len(charges_for(client, opportunity)) == before + 1


def test_a_new_row_that_credit_scoring_refuses_is_not_there(client: Client) -> None:
    """Its step runs in the transaction of the Create, after the row has its id: it is rolled back."""
    account, row_id = Person(client).account(), str(uuid.uuid4())
    columns = {
        "name": "Too much",
        "estimatedvalue": 2_000_000,
        "customerid_account@odata.bind": f"/accounts({account})",
    }
    columns |= {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({EURO})"}
    with pytest.raises(requests.HTTPError, match="Credit scoring refuses"):
        client.dataverse.create("opportunity", columns, row_id)
    with pytest.raises(requests.HTTPError, match="404"):
        client.dataverse.retrieve("opportunity", row_id)


def test_while_credit_scoring_is_away_the_user_is_told_so_and_asked_once(client: Client, opportunity: str) -> None:
    """Dataverse does not try again, as it would after a 503."""
    client.credit.add_fault("POST /api/scores", status=503, times=None)
    before = client.dataverse.last_event()
    assert "cannot be checked at the moment" in refusal(client, opportunity, 700)
    (asked,) = client.dataverse.questions(after=before)
    assert [it["status"] for it in asked["attempts"]] == [500]
    assert amount_of(client, opportunity) == 500


def test_while_credit_scoring_hangs_the_user_has_an_answer_in_time(client: Client, opportunity: str) -> None:
    """And what was asked is charged once, whenever the answer came."""
    client.credit.add_fault("POST /api/scores", delay_ms=int(SECONDS * 10_000), times=1)
    before, started = len(charges_for(client, opportunity)), time.monotonic()
    assert "cannot be checked at the moment" in refusal(client, opportunity, 800)
    assert SECONDS <= time.monotonic() - started < SECONDS * 9
    client.dataverse.update("opportunity", opportunity, {"estimatedvalue": 800})
    assert amount_of(client, opportunity) == 800
    assert len(charges_for(client, opportunity)) == before + 1

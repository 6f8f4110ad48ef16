"""A synchronous step asks the app before a save: what the user of Dataverse sees, and how long it takes."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.client import Client
from sandbox.client.steps import asking
from tests.end_to_end.conftest import SETTINGS
from tests.end_to_end.journeys import Person, charges_for

SECONDS = float(SETTINGS["CUSTOM_API_SECONDS"])


@pytest.fixture
def opportunity(client: Client, endpoints: Any) -> Iterator[str]:
    """An opportunity of 500, whose amount is checked with every save."""
    person = Person(client)
    row_id, _ = person.opportunity(person.account(), 500)
    url = f"{client.app.url}/api/dataverse/custom/credit-check"
    with asking(client.dataverse, url, endpoints.webhook_key, table="opportunity", attributes=["estimatedvalue"]):
        yield row_id


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
    status = client.app.wait_for(client.dataverse.event_id(opportunity, after=event + 1))
    assert (status["state"], amount_of(client, opportunity)) == ("completed", 300_000)
    assert client.dataverse.retrieve("opportunity", opportunity)["new_creditdecision"] == 2
    assert len(charges_for(client, opportunity)) == before + 1


def test_while_credit_scoring_is_away_the_user_is_told_so_and_asked_once(client: Client, opportunity: str) -> None:
    """Dataverse does not try again, as it would after a 503."""
    client.credit.add_fault("POST /api/scores", status=503, times=None)
    before = client.dataverse.last_event()
    assert "cannot be checked at the moment" in refusal(client, opportunity, 700)
    (asked,) = client.dataverse.events(after=before)
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

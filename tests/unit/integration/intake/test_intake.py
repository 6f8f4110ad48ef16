"""What the intake decides before anything is queued: nothing here can connect."""

import asyncio
from pathlib import Path
from typing import NoReturn

import pytest

from integration.clock import SystemClock
from integration.errors import Rejected
from integration.intake import Intake, IntakeRequest
from integration.ledger import Ledger, Tables
from integration.messaging import WorkQueue
from integration.settings import Settings
from tests.unit.integration.test_settings import environment

PAYLOAD = Path("tests/payloads/webhook_async_update_account_2019.json").read_bytes()
HEADERS = {"content-type": "application/json", "x-functions-key": "replace-this-intake-key"}
ALPINE = "a939603b-3dc7-46c5-a4c4-8406060c0af7"


def nowhere() -> NoReturn:
    raise AssertionError("an intake that refuses connects to nothing")


def intake(**changes: str) -> Intake:
    settings = Settings.from_environment(environment(**changes))
    clock = SystemClock()
    return Intake(settings, WorkQueue(nowhere, "work"), Ledger(Tables(nowhere), clock), clock)


def test_an_event_of_another_organisation_is_refused_and_says_whose_it_is() -> None:
    """A copied environment, with the same steps and row ids, must not reach the systems of the original."""
    with pytest.raises(Rejected) as refused:
        asyncio.run(intake().dataverse_webhook(IntakeRequest(HEADERS, {}, PAYLOAD)))
    assert refused.value.status == 403
    assert ALPINE in refused.value.detail


def test_our_own_organisation_comes_in_however_it_is_written() -> None:
    """Braces and capitals in the setting are the same organisation; what is refused then is another thing."""
    own = intake(DATAVERSE_ORGANISATION=f"{{{ALPINE.upper()}}}", WRITE_TAG="x")
    body = PAYLOAD.replace(b'"SharedVariables":[', b'"SharedVariables":[{"key":"tag","value":"x"},', 1)
    answer = asyncio.run(own.dataverse_webhook(IntakeRequest(HEADERS, {}, body)))
    assert answer.status == "own-write"


def test_several_organisations_are_a_setting() -> None:
    """One app may serve several environments, if that is meant."""
    many = intake(OWN_ORGANISATION_ONLY="false", WRITE_TAG="x")
    body = PAYLOAD.replace(b'"SharedVariables":[', b'"SharedVariables":[{"key":"tag","value":"x"},', 1)
    assert asyncio.run(many.dataverse_webhook(IntakeRequest(HEADERS, {}, body))).status == "own-write"


def test_a_retired_key_is_refused_and_its_successor_admitted() -> None:
    """Both are live while a key is rotated; then the old one is taken out."""
    rotating = intake(INTAKE_KEYS='{"dataverse": ["an-old-key-0123456789", "a-new-key-0123456789"]}')
    rotated = intake(INTAKE_KEYS='{"dataverse": ["a-new-key-0123456789"]}')
    for endpoints, key, status in ((rotating, "an-old", 403), (rotating, "a-new", 403), (rotated, "an-old", 401)):
        headers = {**HEADERS, "x-functions-key": f"{key}-key-0123456789"}
        with pytest.raises(Rejected) as refused:
            asyncio.run(endpoints.dataverse_webhook(IntakeRequest(headers, {}, PAYLOAD)))
        assert refused.value.status == status

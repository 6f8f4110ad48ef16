"""Every payload becomes the events beside it in tests/corpus, on each way that can carry it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.integration.intake.corpus import CORPUS, names, ways_of

CASES = [pytest.param(name, way, id=f"{name} {way.__name__}") for name in names() for way in ways_of(name)]


@pytest.mark.parametrize(("name", "way"), CASES)
def test_a_payload_becomes_its_events(name: str, way: Callable[[str], list[dict[str, Any]]]) -> None:
    """The same ids, the same sessions, the same content; only the delivery itself differs."""
    assert way(name) == json.loads((CORPUS / f"{name}.json").read_text(encoding="utf-8"))


def test_every_payload_has_its_events_and_the_reverse() -> None:
    """No file lies in tests/payloads that the intake was never given."""
    written = {path.relative_to(CORPUS).as_posix().removesuffix(".json") for path in CORPUS.rglob("*.json")}
    assert written == {*names()}


def test_no_two_payloads_have_an_event_in_common() -> None:
    """Apart from those that were made of one another and differ in their form alone."""
    ids: dict[str, set[str]] = {}
    for name in names():
        for event in json.loads((CORPUS / f"{name}.json").read_text(encoding="utf-8")):
            ids.setdefault(event["id"], set()).add(name)
    shared = sorted(sorted(who) for who in ids.values() if len(who) > 1)
    assert shared == [
        [
            "constructed/async_update_with_booleanmanagedproperty",
            "constructed/servicebus_json_update_contact",
            "constructed/webhook_body_double_encoded_string",
            "webhook_async_update_contact_msdocs",
        ],
        [
            "constructed/webhook_async_update_account_stripped_absent",
            "constructed/webhook_async_update_account_stripped_empty",
            "webhook_async_update_account_2019",
        ],
    ]

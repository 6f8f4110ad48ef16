"""What the app's log words become."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.watching.happenings import Happening, NoLookup, happening
from sandbox.watching.log_lines import parse

EVENT = "202611261357-da18f539febca04437a8b271c93824c3"
ROW = "a0000000-0000-4000-8000-000000000002"


class Known:
    """A sandbox that knows one row and one event."""

    def name(self, table: str, record: str) -> str | None:
        return "Contoso Ltd" if (table, record) == ("account", ROW) else None

    def operation(self, event_id: str) -> Mapping[str, Any] | None:
        steps = [{"name": "erp-customer", "detail": "customer C-000001"}]
        return {"detail": f"what the ledger says of {event_id}", "steps": steps} if event_id == EVENT else None


def told(what: str, lookup: Any = None, level: str = "INFO", **fields: object) -> Happening:
    about = {"eventId": EVENT, "table": "account", "record": ROW, "message": "Update", "attempt": 1}
    line = json.dumps({"what": what, **about, **fields, "time": "2026-11-26T13:57:06Z", "level": level})
    found = happening(parse(line), lookup or Known())
    assert found is not None
    assert found.event_id == EVENT
    return found


def test_an_accepted_event_names_its_row() -> None:
    assert told("accepted", caller="dataverse").text == "Update of account Contoso Ltd"
    assert told("accepted", caller="plugin").text == "Update of account Contoso Ltd, reported by plugin"
    assert told("accepted", NoLookup(), caller="dataverse").text == "Update of account a0000000...0002"


def test_an_effect_says_what_came_of_it() -> None:
    assert (told("effect-done", effect="erp-customer").word, told("effect-done", effect="erp-customer").text) == (
        "effect",
        "erp-customer: customer C-000001",
    )
    assert told("effect-done", NoLookup(), effect="erp-customer").text == "erp-customer"


def test_an_event_that_has_ended_has_its_state_reason_and_time() -> None:
    it = told("settled", state="superseded", durationMs=61.2)
    assert (it.word, it.text) == ("superseded", "what the ledger says of febca044, in 61 ms")


def test_a_waiting_event_says_when_it_is_tried_again() -> None:
    it = told("retry-scheduled", level="WARNING", reason="erp-unavailable", due="2026-11-26T13:57:09+00:00")
    assert (it.word, it.level) == ("waiting", "WARNING")
    assert it.text.startswith("attempt 2 at ")
    assert it.text.endswith("; erp-unavailable: what the ledger says of febca044")


def test_a_dead_letter_says_why() -> None:
    it = told("dead-lettered", level="ERROR", reason="erp-rejected")
    assert (it.word, it.text) == ("dead-lettered", "erp-rejected: what the ledger says of febca044")


def test_a_word_that_is_not_known_is_shown_as_it_is() -> None:
    it = told("new-word", count=3, stack=["a.py:1 f"])
    assert (it.word, it.text) == ("new-word", "attempt 1, count 3")


@pytest.mark.parametrize(
    ("fields", "word", "text"),
    [
        (
            {"what": "sink-wrote", "sink": "archive", "count": 2, "partition": "3"},
            "archived",
            "analytics has 2 more events, in partition 3",
        ),
        (
            {"what": "sink-wrote", "sink": "fabric", "count": 1, "partition": "3"},
            "analytics",
            "fabric has 1 more event, from partition 3",
        ),
        (
            {"what": "sink-waits", "sink": "log-analytics", "count": 2, "reason": "log-analytics-refused"},
            "analytics",
            "2 events wait for log-analytics (log-analytics-refused)",
        ),
        (
            {"what": "sink-set-aside", "sink": "fabric", "reason": "too-large", "blob": "fabric/x.json"},
            "set aside",
            "fabric does not take an event (too-large): fabric/x.json",
        ),
    ],
)
def test_the_sinks_count(fields: dict[str, object], word: str, text: str) -> None:
    found = happening(parse(json.dumps(fields)), NoLookup())
    assert found is not None
    assert (found.word, found.text) == (word, text)


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-26T13:57:06.586Z INFO [sandbox.azure.host] Connected",
        "2026-11-26T13:57:06.586Z ERROR [x] Executed 'work' (Failed, Id=1) Trace\\nintegration.DeadLettered: event x",
        "Azurite Blob service is starting",
    ],
)
def test_what_is_no_news_makes_no_line(line: str) -> None:
    """A dead letter is said once, not once more for each time that the host throws it."""
    assert happening(parse(line), NoLookup()) is None


def test_a_function_that_fails_is_named_with_its_error() -> None:
    line = "2026-11-26T13:57:06.586Z ERROR [x] Executed 'work' (Failed, Id=1) Traceback:\\n  File x\\nValueError: no\\n"
    found = happening(parse(line), NoLookup())
    assert found is not None
    assert (found.word, found.text, found.level) == ("failed", "work: ValueError: no", "ERROR")

"""What becomes of an event that is larger than a message."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from integration.errors import Permanent
from integration.events import IntegrationEvent, fit, from_envelope, to_envelope
from integration.events.contents import claimed, with_contents
from integration.events.envelope import CONTRACT_VERSION
from tests.unit.integration.events.support import context, read
from tests.unit.integration.events.test_envelope import events

LIMIT = 192 * 1024


def large(**sizes: int) -> IntegrationEvent:
    """An event whose named parts have a text of so many bytes."""
    parts: dict[str, Any] = {part: {"text": "x" * size} for part, size in sizes.items()}
    return replace(read(context()), **parts)


def test_an_event_that_fits_is_left_alone() -> None:
    event = large(values=100_000)

    assert fit(event) == (event, to_envelope(event), None)


@pytest.mark.parametrize("part", ["values", "parameters", "pre_image", "post_image"])
def test_what_an_event_carries_is_kept_elsewhere_and_comes_back_whole(part: str) -> None:
    """An event carries what its handler cannot read in the row: nothing of it is left out."""
    event = large(**{part: 200_000, "expected": 9})

    fitted, envelope, contents = fit(event)

    assert len(envelope) <= LIMIT
    assert contents is not None
    sent = from_envelope(envelope)
    assert sent == fitted
    assert sent.claim is not None
    assert sent.claim.size_bytes == len(contents)
    assert (sent.event_id, sent.session_id, sent.changed_columns) == (
        event.event_id,
        event.session_id,
        event.changed_columns,
    )
    assert with_contents(sent, contents) == event


def test_an_older_version_takes_it_for_one_that_was_trimmed() -> None:
    """It does not know claims, and must not believe that the event carried nothing."""
    fitted, _ = claimed(large(parameters=200_000))

    assert fitted.trimmed
    assert CONTRACT_VERSION.startswith("1.")


def test_what_only_saves_time_is_left_out_and_stored_nowhere() -> None:
    """Expected values and the names of changed columns: without them the worker waits longer, and reads the row."""
    columns = tuple(f"column_{number}" for number in range(500))
    event = replace(large(expected=9_000), values={}, changed_columns=columns)

    expected = fit(event, 10_000)
    both = fit(event, 2_000)

    assert (expected.contents, both.contents) == (None, None)
    assert (expected.event.expected, expected.event.changed_columns, expected.event.trimmed) == ({}, columns, True)
    assert (both.event.expected, both.event.changed_columns, both.event.trimmed) == ({}, None, True)
    assert len(both.envelope) <= 2_000


def test_the_limit_counts_bytes_and_is_the_callers() -> None:
    """A euro sign has three bytes."""
    event = replace(large(), values={"text": "€" * 1_000})

    assert fit(event, 3_500).contents is not None
    assert fit(event, 4_000).contents is None


@given(events)
@settings(deadline=None)
def test_every_event_comes_back_from_its_contents(event: IntegrationEvent) -> None:
    """Whatever the kinds of its values; and the same event has the same contents."""
    event = replace(event, claim=None)

    sent, contents = claimed(event)

    assert claimed(event) == (sent, contents)
    assert with_contents(sent, contents) == event


def test_contents_that_are_not_what_was_kept_are_no_part_of_the_event() -> None:
    """Whoever changed the blob is no sender of events."""
    sent, contents = claimed(large(parameters=9))

    with pytest.raises(Permanent) as refused:
        with_contents(sent, contents.replace(b"x", b"y"))

    assert refused.value.reason == "contents-changed"

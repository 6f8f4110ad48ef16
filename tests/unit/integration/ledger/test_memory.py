"""What is remembered of a record survives being written down, whatever it is, and older versions stay readable."""

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.errors import Unreadable
from integration.ledger import DeadLetter, Effect, Memory, State
from integration.ledger.memory import DEAD_LETTERS_KEPT, RECENT_KEPT, SCHEMA, decode, encode
from integration.ledger.record import read_memory, record_entity

GOLDEN = Path(__file__).parent
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner, max_size=3))
EFFECTS = st.builds(
    Effect,
    number=st.integers(0, 1_000),
    done=st.none() | TEXT.filter(bool),
    started=st.none() | TEXT.filter(bool),
    answer=st.dictionaries(TEXT, JSON, max_size=4),
    answered=TEXT,
    event_id=TEXT,
    at=TEXT,
    detail=TEXT,
)
LETTERS = st.builds(
    DeadLetter,
    reason=TEXT,
    detail=TEXT,
    at=TEXT,
    returns=st.integers(0, 20),
    reported=st.lists(TEXT.filter(bool), max_size=2).map(tuple),
)
MEMORIES = st.builds(
    Memory,
    effects=st.dictionaries(TEXT, EFFECTS, max_size=3),
    row_version=st.integers(0, 2**62),
    acted_by=TEXT,
    acted_time=TEXT,
    recent=st.dictionaries(TEXT, st.sampled_from(State), max_size=4),
    waiting=TEXT,
    dead_letters=st.dictionaries(TEXT, LETTERS, max_size=3),
    writer=TEXT,
    deleted=st.sampled_from(["", "202611"]),
)


@given(MEMORIES)
def test_a_memory_is_read_as_it_was_written(memory: Memory) -> None:
    """As JSON, and in the entity of its record; the order of what happened is kept."""
    text = encode(memory)
    assert decode(SCHEMA, text, memory.writer) == memory
    assert encode(decode(SCHEMA, text, memory.writer)) == text
    again = read_memory(record_entity("account:1", memory, memory.writer))
    assert again == memory
    assert list(again.recent) == list(memory.recent)
    assert list(again.dead_letters) == list(memory.dead_letters)


def _golden(schema: int) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((GOLDEN / f"memory-schema-{schema}.json").read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("schema", range(1, SCHEMA + 1))
def test_what_an_earlier_version_has_written_is_read(schema: int) -> None:
    """Every schema there ever was: records lie untouched for years."""
    memory = decode(schema, json.dumps(_golden(schema)["memory"]), "w")
    order = memory.effect("erp-order")
    assert (order.number, order.done, order.started) == (3, None, "f3")
    assert order.answer == {"orderNumber": "O-1", "sourceVersion": 7}
    assert order.answered == "f2"
    assert memory.effect("credit-score").done == "f1"
    assert (memory.row_version, memory.acted_by) == (12, "202611201905-b")
    assert memory.acted_after(datetime(2026, 11, 20, 19, 4, tzinfo=UTC))
    assert memory.recent == {"202611201904-a": State.SUPERSEDED, "202611201905-b": State.COMPLETED}
    assert memory.waiting == "202611201906-c"
    letter = memory.dead_letters["202611201907-d"]
    assert (letter.reason, letter.returns, letter.reported) == ("erp-rejected", 2, ("row", "hub"))
    assert (memory.writer, memory.deleted) == ("w", "202611")


def test_what_is_stored_does_not_change_without_another_schema() -> None:
    """Whoever changes these classes raises SCHEMA, keeps the old golden file, and adds one for the new schema.

    A new field of `Memory`, which earlier versions pass over, is only added to the fields of the file.
    """
    golden = _golden(SCHEMA)
    for kind in (Memory, Effect, DeadLetter):
        assert {it.name: str(it.type) for it in fields(kind)} == golden["fields"][kind.__name__], kind.__name__
    assert json.loads(encode(decode(SCHEMA, json.dumps(golden["memory"]), "w"))) == golden["memory"]


@pytest.mark.parametrize("schema", [0, SCHEMA + 1])
def test_a_schema_that_is_not_known_is_not_guessed(schema: int) -> None:
    with pytest.raises(Unreadable, match="deploy the newer version"):
        decode(schema, "{}", "")


def test_an_attempt_that_is_repeated_keeps_its_number_and_another_one_gets_the_next() -> None:
    """The number makes the Idempotency-Key: the same attempt is the same key, whichever event makes it."""
    memory = Memory()
    memory.start("order", "f1", event_id="e1", at="")
    memory.start("order", "f1", event_id="e2", at="")
    assert memory.effect("order").number == 1
    memory.start("order", "f2", event_id="e2", at="")
    assert (memory.effect("order").number, memory.effect("order").started) == (2, "f2")


def test_whoever_finishes_what_another_has_started_anew_is_not_believed() -> None:
    """Its answer may be older than what was sent since."""
    memory = Memory()
    memory.start("order", "f1", event_id="e1", at="")
    memory.start("order", "f2", event_id="e2", at="")
    memory.finish("order", 1, "f1", {"late": True}, at="", detail="")
    assert (memory.effect("order").done, memory.effect("order").started) == (None, "f2")


@given(st.integers(0, 3), st.sampled_from("ab"), st.sampled_from(["e1", "e2"]))
def test_a_change_that_is_applied_twice_comes_to_the_same(attempts: int, fingerprint: str, event_id: str) -> None:
    """A write whose answer was lost is applied on top of itself, with all that was to be written in it."""
    number = attempts + 1

    def start(memory: Memory, with_fingerprint: str = fingerprint) -> None:
        memory.start("order", with_fingerprint, event_id="e", at="t")

    def finish(memory: Memory) -> None:
        memory.finish("order", number, fingerprint, {"n": number}, at="t", detail="")

    writes: list[list[Callable[[Memory], None]]] = [
        [start],
        [lambda memory: memory.cancel("order", number, Effect(done="before"))],
        [finish, lambda memory: memory.end(event_id, State.COMPLETED)],
        [finish, lambda memory: start(memory, "c")],
        [lambda memory: memory.forget("order"), lambda memory: memory.bury(event_id, DeadLetter("r", "d", "t"))],
    ]
    for changes in writes:
        once, twice = Memory(), Memory()
        for memory, times in ((once, 1), (twice, 2)):
            for earlier in range(attempts):
                start(memory, f"earlier {earlier}")
            if start not in changes:
                start(memory)
            for change in changes * times:
                change(memory)
        assert once == twice


def test_only_the_last_events_and_dead_letters_are_remembered() -> None:
    """The entity stays small, however many events a record has."""
    memory = Memory()
    for n in range(200):
        memory.end(f"e{n}", State.COMPLETED)
        memory.bury(f"d{n}", DeadLetter("r", "d", "t"))
    assert list(memory.recent) == [f"e{n}" for n in range(200 - RECENT_KEPT, 200)]
    assert list(memory.dead_letters) == [f"d{n}" for n in range(200 - DEAD_LETTERS_KEPT, 200)]


def test_acting_compares_operation_times_of_dataverse() -> None:
    """The same time is not after."""
    memory, when = Memory(), datetime(2026, 11, 20, 19, 5, tzinfo=UTC)
    assert not memory.acted_after(when)
    memory.act("e1", when, 7)
    assert memory.acted_after(when - timedelta(seconds=1))
    assert not memory.acted_after(when)


def test_a_record_waits_for_an_event_until_that_has_ended() -> None:
    """Whatever becomes of others."""
    memory = Memory(waiting="e1")
    memory.end("e2", State.COMPLETED)
    assert memory.waiting == "e1"
    memory.end("e1", State.COMPLETED)
    assert memory.waiting == ""


@pytest.mark.parametrize(
    ("deleted", "version", "change_deleted", "brought"),
    [
        ("", 7, False, True),
        ("", 8, False, False),
        ("", None, False, False),
        ("", 7, True, False),
        ("202611", 7, False, False),
        ("202611", None, True, True),
    ],
)
def test_a_change_is_brought_with_its_version_and_a_deletion_with_any(
    deleted: str, version: int | None, change_deleted: bool, brought: bool
) -> None:
    """A row that was deleted and is there again is a change, whatever its version."""
    assert Memory(row_version=7, deleted=deleted).has_brought(version, deleted=change_deleted) is brought

"""Which events the logs mention; all of them are of one record, so their ids have eight digits in common."""

import json
from pathlib import Path

import pytest

from sandbox.commands.here import CommandError
from sandbox.commands.status import resolve
from sandbox.watching.journal import HOST_LOGS, Journal
from sandbox.watching.log_lines import parse

FIRST, SECOND, THIRD = (
    f"20261126135{n}-5e551017{digest}" + "0" * 16 for n, digest in enumerate(("da18f539", "da18aaaa", "0b0b0b0b"))
)


def line(what: str, event: str, second: int, **fields: object) -> str:
    about = {"eventId": event, "table": "account", "record": "r", "message": "Update"}
    return json.dumps({"what": what, **about, **fields, "time": f"2026-11-26T13:57:{second:02}Z", "level": "INFO"})


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    intake = [line("accepted", FIRST, 2), line("accepted", SECOND, 3), line("accepted", THIRD, 4)]
    worker = [
        line("effect-done", FIRST, 1, effect="erp-customer"),  # before the intake had written its line
        line("settled", FIRST, 5, state="completed"),
        line("retry-scheduled", SECOND, 5, reason="erp-unavailable"),
        line("dead-lettered", THIRD, 6, reason="erp-rejected"),
    ]
    for name, lines in zip(HOST_LOGS, (intake, worker), strict=True):
        (tmp_path / name).write_text("\n".join([*lines, ""]))
    return tmp_path


def test_each_event_has_its_last_state(logs: Path) -> None:
    states = {event.id: (event.state, event.reason) for event in Journal.of(logs).latest(9)}
    assert states == {
        FIRST: ("completed", ""),
        SECOND: ("waiting", "erp-unavailable"),
        THIRD: ("dead-lettered", "erp-rejected"),
    }


def test_the_latest_come_first(logs: Path) -> None:
    assert [event.id for event in Journal.of(logs).latest(2)] == [THIRD, SECOND]


def test_a_journal_keeps_so_many(logs: Path) -> None:
    journal = Journal(kept=2)
    journal.add(parse(text) for name in HOST_LOGS for text in (logs / name).read_text().splitlines()[:3])
    assert len(journal.latest(9)) == 2


@pytest.mark.parametrize("wanted", ["da18f", "DA18F539", FIRST[:12], FIRST])
def test_a_unique_beginning_of_the_id_or_of_its_second_part_is_enough(logs: Path, wanted: str) -> None:
    assert resolve(wanted, Journal.of(logs)) == FIRST


def test_a_whole_id_needs_no_log(tmp_path: Path) -> None:
    assert resolve(FIRST, Journal.of(tmp_path)) == FIRST


def test_an_ambiguous_beginning_names_those_that_have_it(logs: Path) -> None:
    with pytest.raises(CommandError, match=f"da18 is the beginning of 2 ids: {FIRST}, {SECOND}"):
        resolve("da18", Journal.of(logs))


def test_an_unknown_beginning_says_where_to_look(logs: Path) -> None:
    with pytest.raises(CommandError, match="No event's id begins with ffff"):
        resolve("ffff", Journal.of(logs))

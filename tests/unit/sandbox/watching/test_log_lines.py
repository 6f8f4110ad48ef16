"""The processes' log lines, read into one form."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.watching.log_lines import LogFile, parse

APP = '{"what":"settled","eventId":"e","state":"completed", "time": "2026-11-26T13:57:06.500Z", "level": "INFO"}'


def test_a_record_of_the_app_has_its_fields() -> None:
    line = parse(APP)
    assert (line.what, line.level, line.at) == ("settled", "INFO", datetime(2026, 11, 26, 13, 57, 6, 500_000, UTC))
    assert line.fields["state"] == "completed"


def test_a_record_of_the_app_from_a_thread_of_its_own_has_its_fields_too() -> None:
    line = parse('2026-11-26T13:57:06.586Z WARNING [integration.ledger] {"what":"ledger-behind","eventId":"e"}')
    assert (line.what, line.level) == ("ledger-behind", "WARNING")


@pytest.mark.parametrize(
    ("text", "level", "said"),
    [
        ("2026-11-26T13:57:06.586Z ERROR [sandbox.azure.host] it failed", "ERROR", "it failed"),
        ("2026-11-26 13:56:56,628 INFO sandbox.azure.broker ready: AMQP", "INFO", "ready: AMQP"),
        ("2026-11-26 13:56:56,672 sandbox.systems.http_server INFO listening", "INFO", "listening"),
    ],
)
def test_time_and_level_of_every_process_are_read(text: str, level: str, said: str) -> None:
    line = parse(text)
    assert (line.level, line.text, line.what) == (level, said, "")
    assert line.at is not None
    assert line.at.tzinfo is not None


@pytest.mark.parametrize("text", ["Azurite Blob service is starting", "", "{broken", "[1, 2]", '{"no": "word"'])
def test_anything_else_is_text(text: str) -> None:
    line = parse(text)
    assert (line.text, line.at, line.what) == (text, None, "")


def test_a_growing_log_gives_whole_lines_once(tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    log = LogFile(path)
    assert list(log.new()) == []
    path.write_text("one\ntw")
    assert list(log.new()) == ["one"]
    with path.open("a") as file:
        file.write("o\nthree\n")
    assert list(log.new()) == ["two", "three"]
    assert list(log.new()) == []


def test_a_log_that_was_begun_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    path.write_text("a long first line\n")
    log = LogFile(path)
    assert list(log.new()) == ["a long first line"]
    path.write_text("new\n")
    assert list(log.new()) == ["new"]


def test_reading_from_the_end_leaves_out_a_torn_line_only(tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    path.write_text("first\nsecond\nthird\n")
    assert list(LogFile(path, offset=-9).new()) == ["third"]
    at_end = LogFile.at_end(path)
    with path.open("a") as file:
        file.write("fourth\n")
    assert list(at_end.new()) == ["fourth"]

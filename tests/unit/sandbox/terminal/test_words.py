"""How ids, times and counts are written."""

from pathlib import Path

import pytest

from sandbox.terminal.words import counted, duration, listed, place, short_id, shortened, wrapped

EVENT = "202611261357-da18f539febca04437a8b271c93824c3"
GUID = "a0000000-0000-4000-8000-000000000002"


@pytest.mark.parametrize("event_id", [EVENT, f"unreadable-{EVENT[13:]}"])
def test_an_event_is_named_by_eight_characters(event_id: str) -> None:
    assert short_id(event_id) == "febca044"


def test_ids_within_a_text_are_shortened_and_seeded_rows_stay_apart() -> None:
    assert shortened(f"by event {EVENT}, of {GUID}") == "by event febca044, of a0000000...0002"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.0612, "61 ms"), (1.25, "1.2 s"), (12.4, "12 s"), (60, "1 min 0 s"), (200, "3 min 20 s"), (7_260, "2 h 1 min")],
)
def test_durations_have_the_unit_that_suits_them(seconds: float, written: str) -> None:
    assert duration(seconds) == written


def test_counts_and_lists_are_english() -> None:
    assert [counted(1, "event"), counted(2, "event"), counted(2, "thing is", "things are")] == [
        "1 event",
        "2 events",
        "2 things are",
    ]
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")] == ["a", "a and b", "a, b or c"]


def test_words_stay_whole_with_hyphens_and_beyond_the_width() -> None:
    """A GUID is never broken at one of its hyphens."""
    assert wrapped(f"row {GUID} is dead-lettered", 20) == ["row", GUID, "is dead-lettered"]


def test_paths_are_written_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/jo"))
    assert place(tmp_path / ".sandbox" / "logs") == str(Path(".sandbox/logs"))
    assert place(Path("/home/jo/x")) == "~/x"
    assert place(Path("/srv/x")) == str(Path("/srv/x"))

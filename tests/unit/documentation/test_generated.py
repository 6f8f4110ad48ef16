"""What is generated is what the code gives today, and leaves nothing out."""

from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

from documentation import blocks, contracts, descriptions, generated, log_words, reasons
from documentation.descriptions import DescriptionError, described
from documentation.source import REPOSITORY


def test_pages_and_picture_are_current() -> None:
    """Where this fails, `python3 run.py docs --write` brings them up to date."""
    assert [path.relative_to(REPOSITORY).as_posix() for path in generated.outdated()] == []


def test_every_part_is_on_one_page() -> None:
    """Nothing is generated for nobody, and nothing is written down twice."""
    used = Counter(name for page in generated.pages() for name in blocks.names(page.read_text(encoding="utf-8")))
    assert used == Counter(generated.PARTS.keys())


def test_a_part_is_written_between_its_comments() -> None:
    """What people wrote around it stays."""
    page = "before\n<!-- generated: it -->\nold\n<!-- end -->\nafter"
    assert blocks.fill(page, {"it": "new"}) == ("before\n<!-- generated: it -->\n\nnew\n\n<!-- end -->\nafter")


def test_a_part_that_nobody_generates_is_refused() -> None:
    """A page that misspells a part would never be brought up to date."""
    with pytest.raises(blocks.UnknownBlockError, match="settigns"):
        blocks.fill("<!-- generated: settigns -->\n<!-- end -->", {"settings": "..."})


def test_a_description_is_wanted_for_everything_and_of_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message names what is missing and what is too much."""
    (tmp_path / "things.toml").write_text('[old]\nmeans = "x"\n[kept]\nmeans = "y"\n', encoding="utf-8")
    monkeypatch.setattr(descriptions, "FOLDER", tmp_path)
    with pytest.raises(DescriptionError, match=r"new is not described; old is described and does not exist"):
        described("things", ["kept", "new"])


def test_reasons_are_found_however_they_are_written() -> None:
    """As argument, as attribute of a class, in an f-string, in a table of codes."""
    found = reasons.reasons()
    for word in (
        "row-incomplete",
        "unreadable",
        "<system>-timeout",
        "<system>-failed",
        "dataverse-duplicate",
        "not-json",
    ):
        assert word in found, word
    assert reasons.consequences(found["row-incomplete"]) == ["is dead-lettered"]
    assert reasons.consequences(found["<system>-failed"]) == ["waits, and is tried again"]
    assert reasons.consequences(found["<system>-timeout"]) == ["waits for the system, and does not age meanwhile"]


def test_reasons_that_are_written_otherwise_are_in_the_code() -> None:
    """The list of exceptions has no word that the code does not have."""
    source = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "integration").rglob("*.py"))
    for word in reasons.HANDED_OVER:
        assert f'"{word}"' in source, word


def test_log_words_are_found_with_their_fields() -> None:
    """Level and fields are those of the call."""
    levels, fields = log_words.words()["accepted"]
    assert levels == {"info"}
    assert {"event", "caller", "duration_ms"} <= fields


def test_the_envelope_is_described_from_an_event_that_has_everything() -> None:
    """What has its default is left out of an envelope, and would be left out of the page."""
    for field in fields(contracts.EVERYTHING):
        assert getattr(contracts.EVERYTHING, field.name), field.name

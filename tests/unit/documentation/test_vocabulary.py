"""One word for one thing: pages use the word of the glossary, and not an older one for the same thing."""

import re
from pathlib import Path

import pytest

from documentation.source import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
INSTEAD = {
    r"(?<!Front )doors?": "intake",  # Front Door is a product
    r"lean": "plug-in payload",
    r"basis": "fingerprint",
    r"doubt": "outcome unknown",
    r"begun": "started",
    r"condemn\w*|verdicts?": "dead-letter, dead-letter reason",
    r"poison\w*": "unreadable message",
    r"rooms?": "package",
    r"(?:driven?|drives?) to": "bring to the state of the row",
    r"paid": "charged",
}
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_pages_use_the_words_of_the_glossary(page: Path) -> None:
    """Code may have the older words."""
    prose = CODE.sub("", page.read_text(encoding="utf-8"))
    for words, instead in INSTEAD.items():
        found = re.findall(rf"\b(?:{words})\b", prose, re.IGNORECASE)
        assert not found, f"{found}: use {instead}"


def test_the_glossary_has_the_words() -> None:
    """Whoever reads one of them finds it explained."""
    glossary = (REPOSITORY / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")
    heads = [line.split("|")[1] for line in glossary.splitlines() if line.startswith("| ")]
    words = {word.strip() for head in heads for word in head.split(",")}
    assert {"intake", "plug-in payload", "fingerprint", "outcome unknown", "dead-letter reason", "charged"} <= words

"""Text of others is shown, and steers nothing."""

import json
import unicodedata

import pytest

from integration.visible import visible
from tests.hostile import STEERING, TEXTS

JOINERS = "\u200c\u200d"
NUMBER_SIGNS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""They are seen, before the digits of the scripts that have them."""


def test_no_character_that_steers_is_left() -> None:
    """Of all there are: control and format characters, line and paragraph separators, halves of characters."""
    left = [
        chr(code)
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Zl", "Zp", "Cs"} and visible(chr(code)) == chr(code)
    ]
    hieroglyphs = [it for it in left if unicodedata.name(it, "").startswith(("EGYPTIAN HIEROGLYPH", "SHORTHAND"))]
    assert set(left) - set(hieroglyphs) == {*"\n\t", *JOINERS, *NUMBER_SIGNS}
    assert not any(it in visible(text) for it in STEERING for text in TEXTS)


@pytest.mark.parametrize("text", ["Zoë Müller", "שלום עולם", "می‌خواهم", "👩‍👩‍👧", "10.50\tEUR\nand more", "C:\\users"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("text", TEXTS)
def test_json_stays_the_same_document(text: str) -> None:
    """So programs read what was meant, and values can be edited as they are shown."""
    assert json.loads(visible(json.dumps({"it": text}, ensure_ascii=False))) == {"it": text}

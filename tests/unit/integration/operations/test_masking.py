"""Texts of other systems are shown without what may be personal in them."""

import pytest

from integration.operations.masking import MASK, masked


@pytest.mark.parametrize(
    "text",
    [
        "mia.wong+orders@mail.fourthcoffee.example is not valid",
        "call +44 20 7946 0000 first",
        "the account 4929 1234 5678 9012 is closed",
        'the name "Ms Mia Wong" is too long',
        "the name 'Ms Mia Wong' is too long",
        "the name “Ms Mia Wong” is too long",
    ],
)
def test_what_may_be_personal_is_masked(text: str) -> None:
    shown = masked(text, seen=False)
    assert MASK in shown
    assert not {"mia", "Mia", "7946", "5678"} & set(shown.replace(".", " ").split())


@pytest.mark.parametrize(
    "text",
    [
        "the customer's order isn't confirmed, and the ERP's period isn't open",
        "it was put off until 2026-11-20T18:00:00Z",
        "the currency 5f2bb2b2-c802-4cc4-8ab5-9a9a4932d42f has no isocurrencycode",
        "the event 202611201905-0123456789abcdef0123456789abcdef was sent again",
        "credit did not answer within 20 s, at each of 31 attempts over 4 days",
        "order SO-10233 was posted, version 81129031",
    ],
)
def test_what_support_needs_stays(text: str) -> None:
    """Why an event fails has to be understood without the right to see payloads too."""
    assert masked(text, seen=False) == text


def test_whoever_may_see_payloads_sees_all() -> None:
    assert masked('the name "Ms Mia Wong"', seen=True) == 'the name "Ms Mia Wong"'
    assert masked(None, seen=True) == ""

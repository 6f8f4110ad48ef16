"""How a week of rows is put into words."""

import pytest

from integration.registration.items import State
from integration.registration.plan import Change
from integration.registration.volumes import estimates


@pytest.mark.parametrize(
    ("message", "rows", "said"),
    [
        ("Create", 70, "70 rows were created within 7 days: about 10 events a day"),
        ("Create", 3, "3 rows were created within 7 days: one event at most a day"),
        ("Update", 70, "70 rows were changed within 7 days: about 10 events a day, depending on which columns change"),
        ("Create", 5000, "5,000 or more rows were created within 7 days: about 714 events a day or more"),
    ],
)
def test_a_week_of_rows_says_what_a_day_may_bring(message: str, rows: int, said: str) -> None:
    state = State("https://x.example", "organisation", volumes={("account", message): rows})
    step = Change(f"step.account.{message}", "step", "create", None, {})
    assert [it.text for it in estimates([step], state)] == [said]


def test_what_was_not_counted_is_not_estimated() -> None:
    step = Change("step.account.Delete", "step", "create", None, {})
    assert list(estimates([step], State("https://x.example", "organisation"))) == []

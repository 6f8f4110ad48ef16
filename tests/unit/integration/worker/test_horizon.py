"""For how long an event is tried."""

import random
from datetime import timedelta

from integration.composition.worker import retry_policy
from integration.settings import Settings
from tests.unit.integration.settings.test_reading import environment


def test_by_default_an_event_is_tried_for_four_days() -> None:
    """A long weekend dead-letters nothing: age decides, not the number of attempts."""
    policy = retry_policy(Settings.from_environment(environment()))
    draw = random.Random(1).random  # noqa: S311 -- jitter
    age, attempt = timedelta(), 1
    while (delay := policy.next_delay(attempt, age, None, draw)) is not None:
        age += delay
        attempt += 1
    assert timedelta(hours=96) <= age < timedelta(hours=97)
    assert attempt < 1_000

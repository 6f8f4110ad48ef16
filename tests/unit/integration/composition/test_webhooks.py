"""Who may still be told of events when they end."""

import json

from integration.composition.webhooks import may_know
from integration.settings import Settings
from tests.unit.integration.settings.test_reading import environment

APPLICATION = "30000000-0000-4000-8000-000000000003"
SETTINGS = {
    "INTAKE_APPLICATIONS": json.dumps({"reporting": APPLICATION}),
    "TOKEN_AUDIENCES": json.dumps(["api://integration"]),
}


def test_only_callers_that_are_known_and_may_subscribe_are_told_and_of_their_tables() -> None:
    """With a key or with a token of Entra; a caller that was removed, or has lost its rights, is not."""
    rights = {
        "dataverse": {"endpoints": ["webhook"]},
        "reporting": {"endpoints": ["subscriptions"], "tables": ["account"]},
    }
    told = may_know(Settings.from_environment(environment(**SETTINGS, INTAKE_RIGHTS=json.dumps(rights))))

    assert [told("reporting", table) for table in ("account", "contact")] == [True, False]
    assert not told("dataverse", "account")
    assert not told("removed", "account")
    assert may_know(Settings.from_environment(environment()))("dataverse", "account")

"""What a sink says whose library is not in the package."""

import json
import sys

import pytest

from integration.clock import SystemClock
from integration.composition.sinks import sink_blueprints
from integration.errors import ConfigurationError
from integration.settings import Settings
from integration.transport import RetryPolicy
from sandbox.repository import REPOSITORY

EXAMPLE = json.loads((REPOSITORY / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]


def test_without_its_library_the_lake_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app does not start, rather than leaving out a sink that the settings ask for."""
    for name in ("arro3", "arro3.core", "arro3.io"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "integration.analytics.sinks.lake", raising=False)
    settings = Settings.from_environment({**EXAMPLE, "LAKE_CONTAINER_NAME": "lake"})
    with pytest.raises(ConfigurationError, match="--lake"):
        sink_blueprints(settings, RetryPolicy(), SystemClock())

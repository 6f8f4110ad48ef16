"""What a sink says whose library is not in the package."""

import json
import subprocess
import sys

import pytest

from integration.clock import SystemClock
from integration.composition import sinks
from integration.composition.sinks import sink_blueprints
from integration.errors import ConfigurationError
from integration.settings import Settings
from integration.transport import RetryPolicy
from sandbox.repository import REPOSITORY

EXAMPLE = json.loads((REPOSITORY / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]


@pytest.mark.parametrize(
    ("sink", "package"),
    [({"LAKE_CONTAINER_NAME": "lake"}, "--lake"), ({"DELTA_TABLE": "az://delta/events"}, "--delta")],
)
def test_without_its_library_a_sink_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, sink: dict[str, str], package: str
) -> None:
    """The app does not start, rather than leaving out a sink that the settings ask for."""
    monkeypatch.setattr(sinks, "find_spec", {}.get)
    settings = Settings.from_environment({**EXAMPLE, **sink})
    with pytest.raises(ConfigurationError, match=package):
        sink_blueprints(settings, RetryPolicy(), SystemClock())


def test_no_sink_is_imported_when_the_app_starts() -> None:
    """They come with their first batch: an intake that starts for a webhook has no use for them."""
    code = (
        "import os, sys; from integration.clock import SystemClock; from integration.settings import Settings\n"
        "from integration.composition.sinks import sink_blueprints; from integration.transport import RetryPolicy\n"
        "assert sink_blueprints(Settings.from_environment(os.environ), RetryPolicy(), SystemClock())\n"
        "print(*(it for it in sys.modules if it.startswith(('integration.analytics', 'arro3', 'deltalake'))))"
    )
    environ = {**EXAMPLE, "LAKE_CONTAINER_NAME": "lake", "DELTA_TABLE": "az://delta/events"}
    done = subprocess.run(  # noqa: S603 -- our own code
        [sys.executable, "-c", code], cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [
        "integration.analytics",
        "integration.analytics.hub_trigger",
        "integration.analytics.functions",
    ]

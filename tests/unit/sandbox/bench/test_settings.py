"""Settings for several versions of the app."""

import os

from integration.settings import Settings
from sandbox.bench.settings import app_settings, renamed
from sandbox.machine.ports import Ports
from sandbox.running.state import Keys


def test_a_setting_is_given_under_its_old_and_its_new_name() -> None:
    """Whichever name the sandbox uses, the measured version finds its own."""
    assert renamed({"INTAKE_KEYS": "k", "ERP_URL": "u"}) == {"INTAKE_KEYS": "k", "DOOR_KEYS": "k"}
    assert renamed({"SYSTEMS": '{"erp": {"url": "u"}}'}) == {"ERP_URL": "u"}
    assert renamed({"LEAN_EVENTS": "e"}) == {"LEAN_EVENTS": "e", "PLUGIN_EVENTS": "e"}


def test_the_app_can_be_imported_with_settings_of_a_sandbox_that_does_not_run() -> None:
    """The cold import needs all settings, and none of the systems behind them."""
    settings = app_settings(Ports(), Keys())
    assert Settings.from_environment({**os.environ, **settings, **renamed(settings)})

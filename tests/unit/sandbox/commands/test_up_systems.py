"""Which systems `run.py up` plays: those of SYSTEMS, in the environment or in the settings file."""

import argparse
import json
from pathlib import Path

import pytest

from sandbox.commands import up
from sandbox.commands.here import CommandError


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    up.arguments(parser)
    return parser.parse_args(arguments)


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYSTEMS", raising=False)


def test_without_the_setting_the_options_decide() -> None:
    given = up.systems_of(options("--erp", "business-central"))
    assert (given.erp, given.rest, given.of_their_own) == (None, (), ())


def test_the_environment_wins_over_the_settings_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    values = {"SYSTEMS": json.dumps({"erp": {"adapter": "business-central"}, "tickets": {"adapter": "rest"}})}
    file.write_text(json.dumps({"Values": values}), encoding="utf-8")
    chosen = options("--settings", str(file))
    assert (up.systems_of(chosen).erp, up.systems_of(chosen).rest) == ("business-central", ("tickets",))
    monkeypatch.setenv("SYSTEMS", json.dumps({"erp": {"adapter": "finance-operations"}}))
    assert (up.systems_of(chosen).erp, up.systems_of(chosen).rest) == ("finance-operations", ())


def test_what_contradicts_itself_or_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        up.systems_of(options("--settings", str(tmp_path / "missing.json")))
    monkeypatch.setenv("SYSTEMS", json.dumps({"erp": {"adapter": "rest-erp"}}))
    with pytest.raises(CommandError, match="--erp business-central, but SYSTEMS"):
        up.systems_of(options("--erp", "business-central"))
    monkeypatch.setenv("SYSTEMS", json.dumps({"wms": {"adapter": "acme"}}))
    with pytest.raises(CommandError, match="no stand-in for the system 'wms'"):
        up.systems_of(options())

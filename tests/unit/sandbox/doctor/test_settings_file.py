"""What is said of a settings file."""

import json
from pathlib import Path

import pytest

from sandbox.doctor.settings_file import SettingsError, SettingsFile
from sandbox.repository import REPOSITORY

EXAMPLE = REPOSITORY / "local.settings.json.example"


def test_the_app_takes_the_example_and_its_values_are_refused() -> None:
    """On a developer's machine the app starts with them; each is named, with what to set."""
    first, *others = SettingsFile.read(EXAMPLE).findings()
    assert first.state == "ok"
    assert {it.state for it in others} == {"wrong"}
    remedies = {it.what: it.remedy for it in others}
    assert remedies["DATAVERSE_ORGANISATION"].startswith("Set the real one: Organisation id")
    assert "WhoAmI" in remedies["DATAVERSE_ORGANISATION"]
    assert "SYSTEMS_ERP_API_KEY" in remedies
    assert all(remedies.values())


def test_the_doctor_and_the_app_know_the_same_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Azure the app refuses what the doctor refuses, in the same settings."""
    file = SettingsFile.read(EXAMPLE)
    named = {it.what for it in file.findings() if it.state == "wrong"}
    azure = SettingsFile({**file.values, "WEBSITE_INSTANCE_ID": "1"})
    refused = {it.seen.partition(":")[0] for it in azure.findings() if it.what == "setting"}
    assert refused == named


def test_everything_that_the_app_refuses_is_found(tmp_path: Path) -> None:
    """The product's own check, so that both never differ."""
    values = json.loads(EXAMPLE.read_text())["Values"]
    del values["SYSTEMS_ERP_API_KEY"]
    values |= {"DATAVERSE_URL": "nonsense"}
    findings = [it for it in SettingsFile(values).findings() if it.what == "setting"]
    assert len(findings) == 2
    assert {it.seen.partition(":")[0] for it in findings} == {"DATAVERSE_URL", "SYSTEMS.erp.rest-erp"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Values": 1}'])
def test_a_file_of_another_form_is_said_to_be_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(SettingsError, match='is not JSON with an object "Values"'):
        SettingsFile.read(tmp_path / "s.json")


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        SettingsFile.read(tmp_path / "s.json")


@pytest.mark.parametrize(
    ("value", "callers"), [('{"a": ["k", "l"]}', {"a": ["k", "l"]}), ("nonsense", {}), ("", {}), ("1", {})]
)
def test_keys_of_callers_are_read_as_far_as_they_can_be(value: str, callers: dict[str, list[str]]) -> None:
    assert SettingsFile({"KEYS": value}).callers("KEYS") == callers

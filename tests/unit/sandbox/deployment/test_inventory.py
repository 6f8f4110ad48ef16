"""What an environment comes to is all that its expansion has."""

import json

import pytest

from sandbox.commands.dispatch import dispatch
from sandbox.deployment import environments
from sandbox.deployment.inventory import Inventory
from sandbox.repository import REPOSITORY


@pytest.mark.parametrize("name", environments.names())
def test_nothing_is_left_out(name: str) -> None:
    """Each resource is shown or counted as a part, and the availability test; each setting and each role is shown."""
    document = json.loads((REPOSITORY / "infra" / "golden" / f"{name}.json").read_text(encoding="utf-8"))
    it = Inventory.read(name)
    tests = [one for one in it.resources if one.kind == "Insights/webtests"]
    assert len(tests) == bool(document["outputs"]["webTest"])
    assert len(it.resources) - len(tests) + it.parts == len(document["resources"])
    (settings,) = [one["properties"] for one in document["resources"] if one["name"].endswith("/appsettings")]
    assert it.settings.keys() == settings.keys()
    assigned = [one for one in document["resources"] if one["type"] == "Microsoft.Authorization/roleAssignments"]
    assert len(it.rights) == len(assigned)


def test_secrets_are_named_and_not_shown() -> None:
    assert Inventory.read("prod").settings["INTAKE_KEYS"] == "secret intake-keys of the vault"


def test_the_package_is_not_written_by_the_identity_of_the_app() -> None:
    """The one right of the other identity."""
    (right,) = [it for it in Inventory.read("prod").rights if it.identity == "package"]
    assert (right.role, right.on.rpartition("/")[2]) == ("Storage Blob Data Owner", "app-package")


def test_the_command_shows_an_environment(capsys: pytest.CaptureFixture[str]) -> None:
    """Resources with what decides their size, settings, roles, cost."""
    assert dispatch(["infra", "prod", "--events-per-day", "1000"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "ServiceBus/namespaces" in shown
    assert "Premium x 1, private" in shown
    assert "2 always ready for function:work" in shown
    assert "Azure Service Bus Data Owner" in shown
    assert "US dollars a month at 1,000 events a day" in shown

"""docs/emulators gives Microsoft's emulators what the app needs. No Docker engine runs it here."""

import json
import re
from typing import Any

import yaml  # type: ignore[import-untyped]

from sandbox.azure import topology
from sandbox.repository import REPOSITORY

EMULATORS = REPOSITORY / "docs" / "emulators"
COMPOSE: dict[str, Any] = yaml.safe_load((EMULATORS / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
PAGE = (REPOSITORY / "docs" / "how-to" / "run-with-func.md").read_text(encoding="utf-8")


def published() -> dict[tuple[str, int], int]:
    """The port on this machine for each service and port of its own."""
    found = {}
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            address, outside, inside = port.split(":")
            assert address == "127.0.0.1", "keys of emulators are public: nobody else may reach them"
            found[name, int(inside)] = int(outside)
    return found


def test_the_configuration_is_that_of_the_topology() -> None:
    """Who changes infra/topology.json runs `python3 -m sandbox.azure.topology`."""
    wanted = topology.render(json.loads(topology.TOPOLOGY.read_text(encoding="utf-8")))
    for name, document in (("servicebus", wanted.service_bus), ("eventhubs", wanted.event_hubs)):
        found = json.loads((EMULATORS / f"{name}.Config.json").read_text(encoding="utf-8"))
        assert found == document


def test_each_emulator_reads_its_configuration() -> None:
    """Mounted where Microsoft's images look for it."""
    mounted = {name: service["volumes"] for name, service in SERVICES.items() if "volumes" in service}
    assert mounted == {
        "servicebus": ["./servicebus.Config.json:/ServiceBus_Emulator/ConfigFiles/Config.json:ro"],
        "eventhubs": ["./eventhubs.Config.json:/Eventhubs_Emulator/ConfigFiles/Config.json:ro"],
    }


def test_no_two_services_want_the_same_port() -> None:
    """And storage is where `UseDevelopmentStorage=true` looks."""
    ports = published()
    assert len(set(ports.values())) == len(ports)
    assert [ports["azurite", port] for port in (10000, 10001, 10002)] == [10000, 10001, 10002]


def test_the_page_names_the_ports() -> None:
    """A connection string without a port means 5672."""
    ports = published()
    assert ports["servicebus", 5672] == 5672
    assert re.search(rf"Endpoint=sb://localhost:{ports['eventhubs', 5672]};", PAGE)


def test_nobody_accepts_a_licence_for_somebody_else() -> None:
    """Licences and the password come from whoever starts it."""
    for service in SERVICES.values():
        for name in service.get("environment", {}).keys() & {"ACCEPT_EULA", "MSSQL_SA_PASSWORD"}:
            assert service["environment"][name].startswith("${")
            assert ":?" in service["environment"][name]

"""A session is signed with the key that began it, and ends with its time or with the key."""

import pytest
from pydantic import SecretStr

from integration.clock import SystemClock
from integration.console.sessions import SECONDS, Sessions, sealed
from sandbox.machine.ports import Ports
from sandbox.running.console import ticket
from sandbox.running.dataverse_client import Environment
from sandbox.running.endpoints import DataverseClient
from sandbox.running.programs import endpoints
from sandbox.running.state import Keys
from tests.memory_table import ManualClock

OLD, NEW = "the-old-operations-key", "the-new-operations-key"


def sessions(clock: ManualClock, *keys: str) -> Sessions:
    return Sessions({"anna": [SecretStr(key) for key in keys]}, clock)


def test_it_holds_for_its_time() -> None:
    clock = ManualClock()
    it = sessions(clock, OLD)
    session = it.begin("anna", OLD)
    assert it.caller_of(session) == "anna"
    clock.advance(SECONDS + 1)
    assert it.caller_of(session) is None


def test_it_survives_a_rotation_until_its_key_is_withdrawn() -> None:
    clock = ManualClock()
    session = sessions(clock, OLD).begin("anna", OLD)
    assert sessions(clock, NEW, OLD).caller_of(session) == "anna"
    assert sessions(clock, NEW).caller_of(session) is None


@pytest.mark.parametrize("alter", ["caller", "until", "seal"])
def test_nothing_of_it_can_be_altered(alter: str) -> None:
    it = sessions(ManualClock(), OLD)
    caller, until, seal = it.begin("anna", OLD).split(".")
    altered = {
        "caller": f"{b'rita'.hex()}.{until}.{seal}",
        "until": f"{caller}.{int(until) + 1}.{seal}",
        "seal": f"{caller}.{until}.{'0' * 64}",
    }
    assert it.caller_of(altered[alter]) is None


@pytest.mark.parametrize(
    "text", ["", "x", "..", "zz.1.0", sealed("nobody", 10**10, b"key"), "ff.9999999999." + "0" * 64]
)
def test_any_other_text_is_nobodys(text: str) -> None:
    assert sessions(ManualClock(), OLD).caller_of(text) is None


def test_the_ticket_of_the_sandbox_begins_a_session() -> None:
    """The sandbox makes it without the code of the app."""
    keys, client = Keys(), DataverseClient("", "", "", "", "")
    reached = endpoints(
        Ports(functions=12345), keys, Environment("", "", application=client, person=client, app_audiences=("",))
    )
    it = Sessions({"support": [SecretStr(keys.operations)]}, SystemClock())
    session = it.renewed(ticket(reached).partition("ticket=")[2])
    assert session is not None
    assert it.caller_of(session) == "support"

"""The running app compares its environment with the declaration, with the sign-in and the role that it has."""

import requests

from sandbox.client import Client, eventually
from sandbox.machine.ports import LOOPBACK
from sandbox.running.sandbox import Sandbox


def test_the_nightly_timer_finds_what_somebody_has_changed(client: Client, sandbox: Sandbox) -> None:
    """The timer is run by hand. The rank of a step is changed, which changes nothing for other tests."""
    timer = f"http://{LOOPBACK}:{sandbox.ports.events_host}/admin/functions/dataverse_drift"
    requests.post(timer, json={}, timeout=30).raise_for_status()
    first = eventually(lambda: client.app.listed("drift")["report"], within=60, what="the report of the timer")
    assert (first["drift"], first["why"], first["differences"]) == ("as-declared", None, [])

    named = "sdkmessageprocessingsteps?$filter=name eq 'integration: Delete of contact'"
    step = client.dataverse.ask("GET", named).json()["value"][0]["sdkmessageprocessingstepid"]
    path = f"sdkmessageprocessingsteps({step})"
    assert client.dataverse.ask("PATCH", path, json={"rank": 2}).ok
    try:
        report = client.app.act("drift").json()["report"]
    finally:
        assert client.dataverse.ask("PATCH", path, json={"rank": 1}).ok
    assert report["drift"] == "different"
    (difference,) = report["differences"]
    assert difference["address"] == "step.contact.Delete"
    assert difference["lines"][1] == "rank: 2 -> 1"
    assert client.app.act("drift").json()["report"]["drift"] == "as-declared"

"""Operators are told, over real HTTP, that a system is away and that it is back."""

from typing import Any

import requests

from sandbox.client import Client, eventually
from sandbox.machine.ports import LOOPBACK
from sandbox.running.sandbox import Sandbox
from tests.end_to_end.conftest import OPERATORS_SECRET
from tests.receiver import Receiver


def test_a_breaker_that_opens_and_closes_is_told_although_the_receiver_was_away(
    client: Client, sandbox: Sandbox, operators: Receiver
) -> None:
    """Signed, with the same id when it comes again. The timer is run by hand: it would do so every minute."""

    def look() -> list[dict[str, Any]]:
        """What was told of the ERP until now, after the app has looked once more."""
        timer = f"http://{LOOPBACK}:{sandbox.ports.events_host}/admin/functions/operations_figures"
        requests.post(timer, json={}, timeout=10).raise_for_status()
        return [it for it in operators.notifications if it["subject"] == "erp"]

    def is_over() -> bool:
        return not any(it["type"] == "integration.breaker-opened" for it in look()[-1:])

    def told(kind: str) -> dict[str, Any] | None:
        found = [it for it in look()[known:] if it["type"] == f"integration.{kind}"]
        return found[-1] if found else None

    client.dataverse.create("account", {"name": "Told before"})  # a call closes what another test has left open
    eventually(is_over, within=60, what="the end of what was told before")
    known, before, operators.answers = len(look()), len(operators.headers), [503]
    client.erp.add_fault("PUT .*", status=503, times=None)
    for number in range(8):
        client.dataverse.create("account", {"name": f"Told {number}"})
    opened = eventually(lambda: told("breaker-opened"), within=60, what="the breaker's opening")
    assert opened["data"]["why"] == "erp-unavailable"
    client.erp.clear_faults()
    closed = eventually(lambda: told("breaker-closed"), within=60, what="its closing")
    assert closed["data"]["since"] >= opened["time"]
    refused = operators.headers[before]["webhook-id"]
    assert refused in [it["id"] for it in operators.notifications]
    assert operators.all_signed(OPERATORS_SECRET)

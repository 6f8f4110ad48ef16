"""Where operators' events go, as the settings have it."""

import json
from pathlib import Path

import pytest

from integration.clock import SystemClock
from integration.composition.operations import _delivery, operations_hosts
from integration.operations.operator_events.event_grid import EventGridDelivery
from integration.operations.operator_events.webhook import Webhook
from integration.settings import Settings
from integration.signatures import new_secret
from integration.transport import Transport

EXAMPLE = json.loads(Path("local.settings.json.example").read_text(encoding="utf-8"))["Values"]
WEBHOOK = {"OPERATOR_EVENTS_URL": "https://hook.example/x", "OPERATOR_EVENTS_SECRET": new_secret()}
TOPIC = {"OPERATOR_EVENTS_EVENT_GRID_ENDPOINT": "https://operators.westeurope-1.eventgrid.azure.net/api/events"}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, type(None)),
        (WEBHOOK, Webhook),
        (TOPIC, EventGridDelivery),
        (TOPIC | {"OPERATOR_EVENTS_EVENT_GRID_KEY": "a-key"}, EventGridDelivery),
    ],
)
async def test_operators_events_go_where_the_settings_say(given: dict[str, str], kind: type) -> None:
    """And the transport may call that host, and no other one for them."""
    settings, clock = Settings.from_environment({**EXAMPLE, **given}), SystemClock()
    hosts = operations_hosts(settings)
    assert type(_delivery(settings, Transport(hosts, clock=clock), clock)) is kind
    assert [it.url for it in hosts] == [it for name, it in given.items() if name.endswith(("_URL", "_ENDPOINT"))]

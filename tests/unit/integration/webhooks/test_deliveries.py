"""Deliveries: to whom, signed with what, and what becomes of those that fail."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from integration import signatures
from integration.errors import Outage, Throttled, Transient, Unreadable
from integration.events.trace_state import marked
from integration.ledger import State
from integration.webhooks import deliveries
from tests.unit.integration.webhooks.world import START, URL, World


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "_HOLD_SECONDS", 0)


def test_a_notification_says_how_the_event_ended_and_is_signed() -> None:
    world = World()
    made = world.subscribe()
    world.settle(State.DEAD_LETTERED, event_id="202611261159-x")
    world.deliver()

    [request] = world.receiver.requests
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert made.secret is not None
    assert request.body is not None
    assert signatures.is_signed_with(signatures.secret_of(made.secret), headers, request.body)
    assert headers["webhook-timestamp"] == str(int(START.timestamp()))
    told = json.loads(request.body)
    assert (told["eventId"], told["outcome"], told["state"]) == ("202611261159-x", "failed", "dead-lettered")
    assert told["id"] == headers["webhook-id"] == "msg_202611261159-x_dead-lettered"
    assert request.url == URL


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, True),
        ({"tables": ["account"]}, True),
        ({"tables": ["contact"]}, False),
        ({"flows": ["account"]}, True),
        ({"flows": ["erp_order"]}, False),
        ({"outcomes": ["done"]}, True),
        ({"outcomes": ["failed"]}, False),
        ({"tables": ["account"], "outcomes": ["failed", "done"]}, True),
    ],
)
def test_a_filter_by_table_flow_and_outcome(asked: dict[str, Any], told: bool) -> None:
    world = World()
    world.subscribe(**asked)
    world.settle(State.COMPLETED, table="account")
    assert bool(world.queue.messages) is told


def test_rights_that_were_taken_away_since_count() -> None:
    world = World()
    world.subscribe()
    world.forbidden.add(("flows", "account"))
    world.settle(table="account")
    assert world.queue.messages == []


@pytest.mark.parametrize("sampled", [True, False])
def test_the_trace_of_a_sampled_event_goes_on_with_its_state_and_without_the_apps_own_member(sampled: bool) -> None:
    world = World()
    world.subscribe()
    parent = f"00-{'a' * 32}-{'b' * 16}-0{int(sampled)}"
    world.settle(traceparent=parent, tracestate=marked('rojo="1\\2"', START))
    world.deliver()
    (context,) = world.receiver.contexts
    assert (context.traceparent, context.tracestate) == ((parent, 'rojo="1\\2"') if sampled else (None, None))


def test_events_from_before_the_subscription_are_not_told() -> None:
    """A hub that is read late still has those of three days."""
    world = World()
    world.clock.time = START + timedelta(hours=1)
    world.subscribe()
    world.clock.time = START
    world.settle()
    assert world.queue.messages == []


def test_what_is_no_settled_event_holds_nothing_up() -> None:
    world = World()
    world.subscribe()
    asyncio.run(world.fan_out.take([b"{}", b"no json", b'{"data": {"state": "lost"}}']))
    assert world.queue.messages == []


def test_a_failed_delivery_comes_again_with_the_same_id_later() -> None:
    world = World()
    made = world.subscribe()
    world.receiver.answers = [500, Outage("away", reason="webhook-unreachable"), 302, 200]
    world.settle()

    due = []
    for _ in range(3):
        world.deliver()
        due.append(world.queue.messages[0].scheduled_enqueue_time_utc)
    assert world.shown(made).failed_with == "302"
    world.deliver()

    assert [it - START for it in due if it] == [timedelta(seconds=5 * 2**n) for n in range(3)]
    assert len({request.headers["webhook-id"] for request in world.receiver.requests}) == 1
    assert world.queue.messages == []
    assert world.shown(made).failing_since is None


def test_a_pause_that_the_host_asked_for_is_waited_for_and_is_no_failure_of_the_receiver() -> None:
    """Flows of many callers share a host."""
    world = World()
    made = world.subscribe()
    world.receiver.answers = [Throttled("a pause", reason="webhook-throttled", retry_after=60.0), 200]
    world.settle()
    world.deliver()

    due = world.queue.messages[0].scheduled_enqueue_time_utc
    assert due is not None
    assert due >= START + timedelta(seconds=60)
    assert world.shown(made).failing_since is None
    world.deliver()
    assert world.queue.messages == []


def test_each_attempt_has_a_message_id_of_its_own() -> None:
    """The broker drops what has the id of a message that it had a short while ago."""
    world = World()
    world.subscribe()
    world.receiver.answers = [500]
    world.settle()
    first = world.queue.messages[0].message_id
    world.deliver()
    assert world.queue.messages[0].message_id != first


def test_410_ends_the_subscription() -> None:
    world = World()
    world.subscribe()
    world.receiver.answers = [410]
    world.settle()
    world.deliver()

    assert asyncio.run(world.store.of("flows")) == []
    assert world.queue.messages == []


def test_a_day_of_failures_switches_it_off_until_somebody_renews_it(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    made = world.subscribe()
    world.receiver.answers = [500]
    world.settle()
    world.deliver()
    world.clock.time = START + timedelta(hours=23)
    world.deliver()
    assert world.shown(made).enabled

    world.clock.time = START + timedelta(hours=24)
    with caplog.at_level("ERROR"):
        world.deliver()
    off = world.shown(made)
    world.settle(event_id="another")
    assert (off.enabled, off.failing_since, off.failed_with) == (False, START, "500")
    assert "webhook-disabled" in caplog.text
    assert world.queue.messages == []

    asyncio.run(world.subscribing.renew("flows", made.id, b""))
    world.receiver.answers = [200]
    world.settle(event_id="a third one")
    world.deliver()
    assert world.shown(made).enabled


def test_a_receiver_that_takes_some_is_never_switched_off() -> None:
    """What fails alone is given up when it is too old."""
    world = World()
    made = world.subscribe()
    world.receiver.answers = [500]
    world.settle(event_id="odd")
    for hours in range(0, 120, 6):
        world.clock.time = START + timedelta(hours=hours)
        world.receiver.answers = [500]
        if world.queue.messages:
            world.deliver()
        world.receiver.answers = [200]
        world.settle(event_id=f"good {hours}")
        asyncio.run(world.deliverer.deliver(b"".join(world.queue.messages.pop().body)))
    assert world.queue.messages == []
    assert world.shown(made).enabled


def test_what_waits_for_an_ended_subscription_is_dropped() -> None:
    world = World()
    made = world.subscribe()
    world.settle()
    asyncio.run(world.subscribing.end("flows", made.id))
    world.deliver()
    assert world.receiver.requests == []


def test_a_delivery_is_not_done_before_its_copy_is_queued() -> None:
    """Otherwise a broker that is away would lose it."""
    world = World()
    world.subscribe()
    world.receiver.answers = [500]
    world.settle()
    message = world.queue.messages.pop()
    world.queue.away = True
    with pytest.raises(Transient):
        asyncio.run(world.deliverer.deliver(b"".join(message.body)))


def test_a_batch_is_not_done_before_its_deliveries_are_queued() -> None:
    world = World()
    world.subscribe()
    world.queue.away = True
    with pytest.raises(Transient):
        world.settle()


def test_a_message_that_is_no_delivery_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        asyncio.run(World().deliverer.deliver(b"{}"))

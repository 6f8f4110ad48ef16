"""What an attempt leaves of an event that debug detail is on for, and of no other one."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from integration.errors import Outage
from integration.events import IntegrationEvent
from integration.events.trace_state import detail_until
from integration.ledger.exchanges import Exchange
from integration.telemetry import spans
from integration.telemetry.spans import Span
from integration.transport import Call, Request, Response
from integration.worker.handler import Outcome
from integration.worker.work import Work
from tests.memory_table import World

UNSAMPLED = f"00-{'a' * 32}-{'b' * 16}-00"
SENT = Request("erp", "put order", "PUT", "https://erp.contoso.example/orders?code=1", body=b'{"note":"Mia Wong"}')


@pytest.fixture
def exported() -> Iterator[list[Span]]:
    found: list[Span] = []
    spans.switch_on(spans.Switch(found.extend))
    yield found
    spans.switch_on(None)


class Looked:
    """A worker, of whose events those with the correlation id `wanted` are looked at."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.world = World.make()
        caplog.set_level("INFO")
        self._caplog = caplog

    async def turn_on(self, lasts: timedelta = timedelta(hours=1)) -> None:
        until = self.world.clock.now() + lasts
        await self.world.detail.turn_on("wanted", until, by="anna", why="why?")

    async def work(self, correlation_id: str = "wanted", calls: int = 2, **changes: str) -> IntegrationEvent:
        """An event whose handler makes calls and does its effect."""
        about: dict[str, Any] = {"correlation_id": correlation_id, "traceparent": UNSAMPLED, **changes}
        it = self.world.event(**about)
        if not self.world.handler.script:
            self.world.handler.script.append(self._call(calls))
        await self.world.handle(it)
        await self.world.ledger.close()
        return it

    def _call(self, calls: int) -> Any:
        async def call(work: Work, row: Any) -> Outcome:
            assert work.context.calls is not None
            for _ in range(calls):
                answer = Response(SENT, 200, {}, b'{"number":"N-1"}')
                work.context.calls.note(Call(SENT, answer, self.world.clock.now(), 0.25))
            return await self.world.handler.present(work, row)

        return call

    def logged(self) -> list[dict[str, Any]]:
        """The details since the last look."""
        lines = [json.loads(it.getMessage()) for it in self._caplog.records]
        self._caplog.clear()
        return [it for it in lines if it["what"].startswith("debug-")]

    async def kept(self, it: IntegrationEvent) -> list[Exchange]:
        return await self.world.ledger.exchanges_of(it.event_id)


@pytest.fixture
def looked(caplog: pytest.LogCaptureFixture) -> Looked:
    return Looked(caplog)


async def test_it_says_what_was_remembered_read_compared_called_and_decided(looked: Looked) -> None:
    """In names, hashes, versions and figures, and without a value of the row or of a body."""
    await looked.turn_on()
    it = await looked.work()
    found = looked.logged()
    assert [one["what"] for one in found] == [
        "debug-remembered",
        "debug-row",
        "debug-call",
        "debug-call",
        "debug-effect",
        "debug-decided",
        "debug-published",
    ]
    assert {one["eventId"] for one in found} == {it.event_id}
    remembered, row, call, _, effect, decided, published = found
    assert (remembered["state"], remembered["effects"]) == ("open", [])
    assert (row["columns"], row["version"]) == (["name"], 1)
    assert (call["service"], call["operation"], call["method"], call["status"]) == ("erp", "put order", "PUT", 200)
    assert (call["sentBytes"], call["sizeBytes"], call["durationMs"]) == (len(SENT.body or b""), 16, 250.0)
    assert (effect["effect"], effect["outcome"], "remembered" in effect) == ("order", "due", False)
    assert (decided["outcome"], decided["state"], published["outcome"]) == ("settle", "completed", "acknowledged")
    assert "Wong" not in json.dumps(found)
    assert "N-1" not in json.dumps(found)


async def test_all_calls_are_kept_where_only_those_who_may_see_payloads_see_them(looked: Looked) -> None:
    """Of an attempt that does well too, without secrets, fifty at most; of others as before."""
    await looked.turn_on()
    kept = await looked.kept(await looked.work(calls=60))
    assert len(kept) == 50
    assert (kept[0].sent.text, kept[0].url) == (
        '{"note":"Mia Wong"}',
        "https://erp.contoso.example/orders?code=(not kept)",
    )
    assert await looked.kept(await looked.work("another", event_id="202611201905-other")) == []


async def test_an_attempt_that_fails_keeps_all_its_calls_once(looked: Looked) -> None:
    await looked.turn_on()

    async def fail(work: Work, _row: Any) -> Outcome:
        assert work.context.calls is not None
        for status in (200, 200, 503):
            work.context.calls.note(Call(SENT, Response(SENT, status, {}, b""), looked.world.clock.now(), 0.1))
        raise Outage("away", reason="erp-unavailable", service="erp")

    looked.world.handler.script.append(fail)
    it = await looked.work()
    assert [one.status for one in await looked.kept(it)] == [200, 200, 503]
    (decided,) = [one for one in looked.logged() if one["what"] == "debug-decided"]
    assert (decided["outcome"], decided["reason"], "due" in decided) == ("retry", "erp-unavailable", True)


async def test_events_of_other_correlation_ids_leave_nothing(looked: Looked, exported: list[Span]) -> None:
    await looked.turn_on()
    await looked.work("another")
    assert (looked.logged(), exported) == ([], [])
    assert "tracestate" not in json.loads(looked.world.hub.published[0])


async def test_it_ends_by_itself_and_when_it_is_turned_off(looked: Looked) -> None:
    """A copy that still carries the app's mark is not looked at any more, and readers are no longer told."""
    await looked.turn_on()
    it = await looked.work()
    looked.logged()
    state = json.loads(looked.world.hub.published[-1])["tracestate"]
    looked.world.clock.advance(3600)
    await looked.work(event_id=f"{it.event_id}0", tracestate=state)
    assert looked.logged() == []
    await looked.turn_on()
    await looked.world.detail.turn_off("wanted")
    await looked.work(event_id=f"{it.event_id}1", tracestate=f"{state},rojo=1")
    assert looked.logged() == []
    assert json.loads(looked.world.hub.published[-1])["tracestate"] == "rojo=1"


async def test_its_trace_is_sampled_and_readers_of_the_hub_know_until_when(
    looked: Looked, exported: list[Span]
) -> None:
    await looked.turn_on()
    await looked.work(tracestate="rojo=1")
    attempt = exported[0]
    assert (attempt.context.trace_id, attempt.parent_id, attempt.context.sampled) == ("a" * 32, "b" * 16, True)
    document = json.loads(looked.world.hub.published[0])
    assert document["traceparent"].endswith("-01")
    assert detail_until(document["tracestate"]) == looked.world.clock.now() + timedelta(hours=1)
    assert document["tracestate"].endswith(",rojo=1")

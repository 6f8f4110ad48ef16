"""What the intake leaves of an event that debug detail is on for; its answer waits for no table."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from integration.clock import SystemClock
from integration.events.trace_state import OWN
from integration.protection import DebugDetail, MemoryState, TablePauses
from integration.telemetry import spans
from integration.telemetry.spans import Span
from tests.unit.integration.events.support import context
from tests.unit.integration.intake.support import UnderTest, request

WANTED = "9ffd9d79-cc7d-4b8c-bbc0-37e2375d3cac"


class Slow(MemoryState):
    """Tables that answer when they are told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()

    async def read(self, key: str) -> tuple[Mapping[str, Any] | None, str | None]:
        await self.answers.wait()
        return await super().read(key)


@pytest.fixture
def exported() -> Iterator[list[Span]]:
    found: list[Span] = []
    spans.switch_on(spans.Switch(found.extend, ratio=0.0))
    yield found
    spans.switch_on(None)


def detail_of(shared: MemoryState) -> DebugDetail:
    return DebugDetail(TablePauses(shared, SystemClock()).document, SystemClock())


async def take_in(under_test: UnderTest, **headers: str) -> None:
    await under_test.intake.dataverse_webhook(request(context(), headers))


def details(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    lines = [json.loads(it.getMessage()) for it in caplog.records]
    return [it for it in lines if it["what"].startswith("debug-")]


async def test_an_event_of_the_correlation_id_is_logged_and_its_trace_is_sampled_from_the_start(
    caplog: pytest.LogCaptureFixture, exported: list[Span], monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    detail = detail_of(MemoryState())
    await detail.turn_on(WANTED, SystemClock().now() + timedelta(hours=1), by="anna", why="why?")
    monkeypatch.setattr(UnderTest, "detail", detail)
    under_test = UnderTest()
    await take_in(under_test, x_ms_correlation_request_id=WANTED)
    await take_in(under_test, x_ms_correlation_request_id="another")
    await asyncio.sleep(0)
    (found,) = details(caplog)
    assert (found["what"], found["correlationId"], found["caller"]) == ("debug-taken-in", WANTED, "dataverse")
    assert found["changed"]
    wanted, another = under_test.queue.events
    assert (str(wanted.traceparent)[-2:], str(another.traceparent)[-2:]) == ("01", "00")
    assert len(exported) == 1


async def test_what_people_ask_for_elsewhere_is_learnt_of_without_making_the_caller_wait(
    caplog: pytest.LogCaptureFixture, exported: list[Span], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first event after a quiet time is answered before the tables are; its detail is written when they have."""
    caplog.set_level("INFO")
    shared = Slow()
    monkeypatch.setattr(UnderTest, "detail", detail_of(shared))
    elsewhere, under_test = detail_of(shared), UnderTest()
    shared.answers.set()
    await elsewhere.turn_on(WANTED, SystemClock().now() + timedelta(hours=1), by="anna", why="why?")
    shared.answers.clear()
    await take_in(under_test, x_ms_correlation_request_id=WANTED)
    assert (len(under_test.queue.events), details(caplog), exported) == (1, [], [])
    shared.answers.set()
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(details(caplog)) == 1
    assert [it.name for it in exported] == ["send work"]


async def test_a_caller_turns_nothing_on_with_tracestate(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    under_test = UnderTest()
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    await take_in(under_test, traceparent=parent, tracestate=f"{OWN}=99999999999,rojo=1")
    assert under_test.queue.events[0].tracestate == "rojo=1"
    assert details(caplog) == []

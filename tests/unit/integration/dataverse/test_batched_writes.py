"""Writes that wait go together, and each keeps its own outcome."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from integration.dataverse import Batched, DataverseClient, answers_of, dataverse_failure
from integration.errors import Conflict, IntegrationError, Outage, Permanent, Throttled
from integration.protection import MemoryState, Protected, Switch
from integration.telemetry import spans
from integration.telemetry.spans import Kind, Span
from integration.transport import ApiKey, Authorizer, CallContext, Request, Response
from integration.transport.exchange import Calls
from tests.memory_table import ManualClock

JSON = "Content-Type: application/json"
MULTIPART = {"content-type": "multipart/mixed; boundary=answers"}
Answer = tuple[int, str, str]
"""Status, one header and body of a part."""


def row(number: int) -> Answer:
    return 200, JSON, f'{{"@odata.context":"x","@odata.etag":"W/\\"{number}\\"","versionnumber":{number}}}'


def error(status: int, code: str, header: str = JSON) -> Answer:
    return status, f"{JSON}\r\n{header}", f'{{"error":{{"code":"{code}","message":"no"}}}}'


def row_id(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


@dataclass
class Dataverse:
    """Holds the first calls back until the others wait; `answer` gives what becomes of a row's write."""

    answer: Callable[[int], Answer] = row
    whole: Response | None = None
    error: IntegrationError | None = None
    cut: bool = False
    sent: list[Request] = field(default_factory=list)
    batches: list[list[int]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, request: Request, *, authorizer: Authorizer | None, context: CallContext) -> Response:
        self.sent.append(request)
        if not request.url.endswith("$batch"):
            await self.gate.wait()
            status, header, body = self.answer(number_in(request.url))
            return Response(request, status, dict([header.lower().split(": ", 1)]), body.encode())
        assert request.body is not None
        numbers = [number_in(it) for it in re.findall(r"PATCH (\S+) HTTP/1.1", request.body.decode())]
        self.batches.append(numbers)
        if self.error is not None:
            raise self.error
        if self.whole is not None:
            return Response(request, self.whole.status, self.whole.headers, self.whole.body, self.whole.retry_after)
        return Response(request, 200, MULTIPART, multipart([self.answer(it) for it in numbers[self.cut :]]))


def multipart(answers: Sequence[Answer]) -> bytes:
    head = "--answers\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1"
    parts = [f"{head} {status} Some Words\r\n{header}\r\n\r\n{body}\r\n" for status, header, body in answers]
    return ("".join(parts) + "--answers--\r\n").encode()


def number_in(url: str) -> int:
    return int(url.rpartition("(")[2].partition(")")[0].rpartition("-")[2])


@dataclass
class Writing:
    """A client whose first two writes take all places."""

    system: Dataverse = field(default_factory=Dataverse)
    size: int = 10
    clock: ManualClock = field(default_factory=ManualClock)
    switch: Switch = field(init=False)

    def __post_init__(self) -> None:
        self.switch = Switch("dataverse", MemoryState(), self.clock, full=8)
        protected = Protected(
            self.system,
            self.switch,
            concurrency=8,
            failure_of=dataverse_failure,
            clock=self.clock,
            answers_of=answers_of,
        )
        batched = Batched(at_once=2, size=self.size)
        self.client = DataverseClient(protected, ApiKey("k"), "https://d.example", clock=self.clock, batched=batched)

    def write(self, number: int, **given: Any) -> "asyncio.Task[Any]":
        values, etag = {"new_number": str(number)}, f'W/"{number}"'
        return asyncio.create_task(self.client.update("accounts", row_id(number), values, etag=etag, tag="t", **given))

    async def outcomes(self, writes: "Sequence[asyncio.Task[Any]]") -> list[Any]:
        """Let all of them wait, then let the first ones go."""
        await asyncio.sleep(0)
        self.system.gate.set()
        return await asyncio.gather(*writes, return_exceptions=True)


async def test_a_write_that_finds_a_place_goes_alone_and_those_that_wait_go_together() -> None:
    """In the order in which they came, and no more in a batch than are allowed."""
    it = Writing(size=4)
    rows = await it.outcomes([it.write(number) for number in range(1, 9)])
    assert [found.version for found in rows] == list(range(1, 9))
    assert [request.method for request in it.system.sent[:2]] == ["PATCH", "PATCH"]
    assert it.system.batches == [[3, 4, 5, 6], [7, 8]]


async def test_each_write_in_a_batch_has_its_own_etag_tag_and_trace() -> None:
    it = Writing()
    await it.outcomes(
        [it.write(1), it.write(2), it.write(3, context=CallContext("c-3")), it.write(4, context=CallContext("c-4"))]
    )
    (batch,) = (request for request in it.system.sent if request.method == "POST")
    assert batch.headers["Prefer"] == "odata.continue-on-error"
    assert batch.idempotent
    for number, part in zip((3, 4), (batch.body or b"").decode().split("--batch_")[1:], strict=False):
        assert f"accounts({row_id(number)})?$select=versionnumber&tag=t HTTP/1.1" in part
        assert f'If-Match: W/"{number}"\r\n' in part
        assert f"x-correlation-id: c-{number}\r\n" in part
        assert part.partition("\r\n\r\n")[2].partition("\r\n\r\n")[2] == f'{{"new_number":"{number}"}}\r\n'


async def test_each_write_in_a_batch_has_its_span_in_the_trace_of_its_own_event() -> None:
    """Whoever sends the batch, the span is its writer's, and names what Dataverse is told in the batch."""
    it = Writing(Dataverse(lambda number: error(412, "0x80060882") if number == 4 else row(number)))
    exported: list[Span] = []
    spans.switch_on(spans.Switch(exported.extend))

    async def work(number: int) -> None:
        parent = f"00-{number:032x}-{'b' * 16}-01"
        attempt = spans.recorded(spans.begin("process work", Kind.CONSUMER, parent, {}))
        with attempt, contextlib.suppress(Conflict):
            await it.write(number, context=CallContext(traceparent=parent))

    attempts = [asyncio.create_task(work(number)) for number in (1, 2, 3, 4)]
    await asyncio.sleep(0.01)
    await it.outcomes(attempts)
    spans.switch_on(None)
    calls = {span.context.trace_id: span for span in exported if span.kind is Kind.CLIENT}
    assert {trace: span.error for trace, span in calls.items()} == {f"{3:032x}": "", f"{4:032x}": "412"}
    (batch,) = (request for request in it.system.sent if request.method == "POST")
    told = re.findall(r"traceparent: (\S+)", (batch.body or b"").decode())
    assert told == [str(calls[f"{number:032x}"].context) for number in (3, 4)]


async def test_exactly_the_writes_that_are_refused_fail() -> None:
    """Each for its own reason, and people see the call with its own answer."""
    refusals = {3: error(412, "0x80060882"), 5: error(400, "0x80044331"), 6: error(403, "0x80040220")}
    it, calls = Writing(Dataverse(lambda number: refusals.get(number) or row(number))), Calls()
    writes = [it.write(number) for number in (1, 2, 3, 4)]
    writes += [it.write(5, context=CallContext(calls=calls)), it.write(6)]
    found = await it.outcomes(writes)
    assert [type(each).__name__ for each in found] == ["Row", "Row", "Conflict", "Row", "Permanent", "Outage"]
    assert isinstance(found[2], Conflict)
    assert isinstance(found[4], Permanent)
    assert found[5].reason == "dataverse-forbidden"
    (call,) = calls.noted
    assert (call.request.method, call.answer and call.answer.status) == ("PATCH", 400)


async def test_a_batch_whose_answer_is_lost_fails_for_all_its_writers() -> None:
    """What became of their writes is not known: each reads its row again, as after a lost answer to a write alone."""
    it = Writing(Dataverse(error=Outage("lost", reason="dataverse-unreachable", service="dataverse")))
    found = await it.outcomes([it.write(number) for number in range(1, 5)])
    assert [type(each).__name__ for each in found] == ["Row", "Row", "Outage", "Outage"]
    it = Writing(Dataverse(cut=True))
    found = await it.outcomes([it.write(number) for number in range(1, 5)])
    assert [getattr(each, "reason", "") for each in found[2:]] == ["dataverse-answer-unreadable"] * 2


async def test_a_429_of_one_write_holds_back_what_comes_after_it() -> None:
    """The others of the batch have their answers."""
    throttled = error(429, "0x80072322", "Retry-After: 17")
    it = Writing(Dataverse(lambda number: throttled if number == 3 else row(number)))
    found = await it.outcomes([it.write(number) for number in range(1, 5)])
    assert isinstance(found[2], Throttled)
    assert found[2].retry_after == 17
    assert found[3].version == 4
    before = len(it.system.sent)
    with pytest.raises(Throttled):
        await it.write(9)
    assert len(it.system.sent) == before


async def test_a_429_of_the_whole_batch_is_that_of_each_write() -> None:
    whole = Response(Request("d", "x", "POST", "u"), 429, {"retry-after": "3"}, b"", 3.0)
    it = Writing(Dataverse(whole=whole))
    found = await it.outcomes([it.write(number) for number in range(1, 5)])
    assert [(type(each), each.retry_after) for each in found[2:]] == [(Throttled, 3.0)] * 2


async def test_a_writer_that_has_given_up_while_it_waited_is_not_sent() -> None:
    it = Writing()
    writes = [it.write(number) for number in range(1, 6)]
    await asyncio.sleep(0)
    writes[3].cancel()
    found = await it.outcomes(writes)
    assert isinstance(found[3], asyncio.CancelledError)
    assert it.system.batches == [[3, 5]]


async def test_an_environment_that_takes_no_batch_gets_each_write_alone_from_then_on() -> None:
    it = Writing(Dataverse(whole=Response(Request("d", "x", "POST", "u"), 400, {"content-type": "text/html"}, b"<p>")))
    found = await it.outcomes([it.write(number) for number in range(1, 7)])
    assert [each.version for each in found] == list(range(1, 7))
    assert len(it.system.batches) == 1
    before = len(it.system.sent)
    found = await it.outcomes([it.write(number) for number in range(11, 19)])
    assert [each.version for each in found] == list(range(11, 19))
    assert len(it.system.sent) == before + 8
    assert len(it.system.batches) == 1


async def test_what_may_create_a_row_is_never_in_a_batch() -> None:
    """Sent twice, it would not have the same effect."""
    it = Writing()
    writes = [it.write(1), it.write(2)]
    await asyncio.sleep(0)
    created = asyncio.create_task(
        it.client.create("accounts", ("new_number", "1"), {"name": "x"}, id_column="accountid", tag="t")
    )
    await asyncio.sleep(0)
    assert "If-None-Match" in it.system.sent[-1].headers
    created.cancel()
    await it.outcomes(writes)

"""Sends writes that wait for a place together, as a `$batch`: after an outage, and while a table is loaded.

A write that finds a place is sent alone and at once. The others wait for one, and then up to `size` of them go
together. They keep what a write alone has: its own `If-Match`, `tag` and answer, so that exactly those fail that are
refused, each for its own reason. UpdateMultiple and UpsertMultiple would not do: they take no `If-Match` for a row, and
on standard tables one row that is refused takes all others with it ("Use bulk operation messages", same place).

A batch avoids the limit of requests in five minutes, and not that of execution time; requests that licences include are
counted by operation ("Service protection API limits"). Microsoft recommends batches of ten: a larger one keeps its rows
waiting for each other, as Dataverse carries them out one after the other.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, field, replace
from typing import Final

from integration.clock import Clock
from integration.dataverse.batch import as_answer, content_type, parts_of, written
from integration.errors import IntegrationError, Outage
from integration.telemetry import get_logger, metrics
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Request, Response, Sender, call_span
from integration.transport.exchange import Call

_NOT_TAKEN: Final = frozenset({400, 404, 405, 411, 413, 415, 501})
"""Answers to a batch as a whole that say that this environment, or something before it, takes no batches of ours."""
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Batched:
    """`at_once` calls with writes of one user are under way at once, and others wait; `size` are in a batch at most."""

    at_once: int
    size: int


ALONE: Final = Batched(at_once=1, size=1)
"""Each write is sent alone, and none waits here."""


@dataclass(eq=False, slots=True)
class _Write:
    """A write that waits for its answer."""

    request: Request
    context: CallContext
    answer: "asyncio.Future[Response]"


@dataclass(slots=True)
class _Lane:
    """The writes of one user of Dataverse: how many calls are under way, and what waits."""

    authorizer: Authorizer | None
    busy: int = 0
    waiting: deque[_Write] = field(default_factory=deque)


class BatchedWrites:
    """A sender around another one; `api` is the address that ends with the version of the Web API and a slash.

    It raises what the other sender raises: to each writer of a batch, if the batch has no answer.
    """

    def __init__(self, sender: Sender, api: str, batched: Batched, clock: Clock) -> None:
        self._sender = sender
        self._api = api
        self._origin = "/".join(api.split("/", 3)[:3])
        self._at_once = batched.at_once
        self._size = batched.size
        self._clock = clock
        self._lanes: dict[int, _Lane] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        """The answer to a request, wherever it was sent."""
        if self._size < 2 or not _is_update(request):
            return await self._sender.send(request, authorizer=authorizer, context=context)
        lane = self._lanes.setdefault(id(authorizer), _Lane(authorizer))
        if lane.busy < self._at_once and not lane.waiting:
            return await self._alone(lane, request, context)
        return await self._waiting(lane, request, context)

    async def _waiting(self, lane: _Lane, request: Request, context: CallContext) -> Response:
        span = call_span.begun(request, context, self._origin)
        if span is not None:
            context = replace(context, traceparent=str(span.context))
        write = _Write(request, context, asyncio.get_running_loop().create_future())
        lane.waiting.append(write)
        answer, reason = None, "cancelled"
        try:
            answer = await write.answer
        except IntegrationError as error:
            reason = error.reason
            raise
        else:
            return answer
        finally:
            if span is not None:
                call_span.ended(span, answer, reason)
            if write in lane.waiting:  # the writer has given up: it is not sent
                lane.waiting.remove(write)

    async def _alone(self, lane: _Lane, request: Request, context: CallContext) -> Response:
        lane.busy += 1
        try:
            return await self._sender.send(request, authorizer=lane.authorizer, context=context)
        finally:
            self._left(lane)

    def _left(self, lane: _Lane) -> None:
        """A call has ended: its place is for those that wait."""
        lane.busy -= 1
        while lane.waiting and lane.busy < self._at_once:
            some = [lane.waiting.popleft() for _ in range(min(self._size, len(lane.waiting)))]
            lane.busy += 1
            # In a context of its own: what it sends is for others than the one whose call has just ended.
            task = asyncio.get_running_loop().create_task(self._together(lane, some), context=Context())
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _together(self, lane: _Lane, writes: Sequence[_Write]) -> None:
        try:
            if len(writes) == 1:
                await self._each(lane, writes)
            else:
                await self._batch(lane, writes)
        except BaseException as error:
            for it in writes:
                if not it.answer.done():
                    it.answer.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._left(lane)

    async def _batch(self, lane: _Lane, writes: Sequence[_Write]) -> None:
        boundary = f"batch_{secrets.token_hex(16)}"
        headers = {
            "OData-Version": "4.0",
            "OData-MaxVersion": "4.0",
            "Content-Type": content_type(boundary),
            "Accept": "application/json",
            "Prefer": "odata.continue-on-error",
        }
        body = written([(it.request, it.context.headers()) for it in writes], boundary)
        request = Request(
            writes[0].request.service, "update rows", "POST", f"{self._api}$batch", headers, body, repeatable=True
        )
        deadlines = [it.context.deadline for it in writes]
        last = max((it for it in deadlines if it is not None), default=None)
        context = CallContext(deadline=None if None in deadlines else last)
        at, began = self._clock.now(), self._clock.monotonic()
        answer = await self._sender.send(request, authorizer=lane.authorizer, context=context)
        seconds = self._clock.monotonic() - began
        if answer.status in _NOT_TAKEN:
            self._size = 1
            _log.error("batch-refused", status=answer.status)
            await self._each(lane, writes)
            return
        answers = _answers(answer, writes)
        for it, own in zip(writes, answers, strict=True):
            metrics.CALLS.add(it.request.service, str(own.status))
            if it.context.calls is not None:
                it.context.calls.note(Call(it.request, own, at, seconds))
            if not it.answer.done():
                it.answer.set_result(own)

    async def _each(self, lane: _Lane, writes: Sequence[_Write]) -> None:
        """One after the other."""
        for it in writes:
            if it.answer.done():
                continue
            try:
                answer = await self._sender.send(it.request, authorizer=lane.authorizer, context=it.context)
            except Exception as error:  # noqa: BLE001 -- whatever it is belongs to its writer
                it.answer.set_exception(error)
            else:
                it.answer.set_result(answer)


def _is_update(request: Request) -> bool:
    """Whether it changes a row that exists, and does nothing more if it is sent twice."""
    return request.method == "PATCH" and any(name.lower() == "if-match" for name in request.headers)


def _answers(answer: Response, writes: Sequence[_Write]) -> list[Response]:
    """The answer to each write; that of the whole batch where it was not looked at."""
    if not answer.ok:
        return [Response(it.request, answer.status, answer.headers, answer.body, answer.retry_after) for it in writes]
    parts = parts_of(answer)
    if len(parts) != len(writes):
        service = answer.request.service
        raise Outage(
            f"{service} answered {len(writes)} writes with {len(parts)} answers; what became of them is not known",
            reason=f"{service}-answer-unreadable",
            service=service,
        )
    return [as_answer(part, it.request) for part, it in zip(parts, writes, strict=True)]

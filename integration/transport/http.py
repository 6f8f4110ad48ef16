"""The one HTTP transport: every call to another system leaves this process here.

It uses aiohttp with its defaults turned off: no redirects, no cookies, no proxies or netrc from the environment, no
automatic retry. It sends once (`Transport.send` names two exceptions): the code that works on the event decides when to
try again, with `RetryPolicy`. aiohttp is imported with the first request: an event is queued without one.
"""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from yarl import URL

from integration.clock import Clock
from integration.errors import IntegrationError, Outage, Permanent, Throttled, Transient
from integration.telemetry import metrics
from integration.transport import call_span
from integration.transport.authorize import Authorizer
from integration.transport.body import NotGzipError, TooLargeError, read_body
from integration.transport.exchange import NO_CONTEXT, Call, CallContext, Request, Response
from integration.transport.hosts import Host, Limits, parsed
from integration.transport.public_hosts import is_public
from integration.transport.status import retry_after_seconds
from integration.transport.trust import Trust
from integration.transport.window import RetryWindows

if TYPE_CHECKING:
    import aiohttp

    from integration.transport.sessions import Sessions


@dataclass(frozen=True, slots=True)
class AnyHost:
    """That hosts which others have named may be called: over https, at public addresses, within these limits.

    `private` also allows plain http and addresses of private networks, as for receivers within one.
    """

    limits: Limits
    private: bool = False

    def allows(self, url: URL) -> bool:
        """Whether the address may be called, as far as it says so itself; names are looked at when they resolve."""
        name = url.raw_host or ""
        literal = ":" in name or name.replace(".", "").isdigit()
        return self.private or (url.scheme == "https" and (is_public(name) or not literal) and name != "localhost")


class Transport:
    """Sends requests to the configured hosts and to no others; connects on first use.

    `hosts` may name one origin twice (a token endpoint beside the API that it is for): the first one counts. With
    `elsewhere`, it also sends to hosts that nobody has configured. Each event loop that uses it has connections of its
    own.
    """

    def __init__(self, hosts: Iterable[Host], *, clock: Clock, elsewhere: AnyHost | None = None) -> None:
        self._allowed: dict[str, _Allowed] = {}
        for host in hosts:
            self._allowed.setdefault(host.origin, _Allowed.of(host))
        self._clock = clock
        self._windows = RetryWindows(clock)
        self._trust = Trust()
        self._elsewhere = elsewhere

    @cached_property
    def _sessions(self) -> "Sessions":
        from integration.transport.sessions import Sessions  # noqa: PLC0415 -- see the module's docstring

        return Sessions(public_only=self._elsewhere is not None and not self._elsewhere.private)

    async def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        """Send `request` and return the whole answer, whatever its status.

        After a 401 the authorizer forgets the headers that it gave; if it can get new ones, the request is sent once
        more. If a connection ends before an answer begins, a request that may be sent twice is sent once more on a new
        connection. Raises `Permanent` (host not allowed), `Outage` (time-outs, connections that fail, answers that
        cannot be unpacked), `Throttled` (the host asked for a pause that is not over; nothing was sent), and
        `Transient` (`deadline-exceeded`) when the deadline of the context has passed.
        """
        host, url = self._host_of(request)
        try:
            async with asyncio.timeout(self._left(context)) as limit:
                given = await authorizer.headers() if authorizer else {}
                response = await self._exchange(host, url, request, context, given, limit)
                if response.status == 401 and authorizer is not None and authorizer.refused(given):
                    limit.reschedule(self._at(self._left(context)))
                    given = await authorizer.headers()
                    response = await self._exchange(host, url, request, context, given, limit)
                return response
        except TimeoutError as error:
            raise self._too_late(request, context) from error

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        await self._sessions.aclose()

    def _host_of(self, request: Request) -> tuple["_Allowed", URL]:
        origin, url = parsed(request.url) or (None, None)
        host = self._allowed.get(origin) if origin else None
        if origin and url and host is None and self._elsewhere is not None and self._elsewhere.allows(url):
            host = _Allowed.at(origin, self._elsewhere.limits)
        if host is None or url is None:
            raise Permanent(
                f"'{request.operation}' would call {origin or 'an address'} that the settings do not name",
                reason="host-not-allowed",
                service=request.service,
            )
        return host, url

    async def _exchange(  # noqa: PLR0917 -- called twice, above
        self,
        host: "_Allowed",
        url: URL,
        request: Request,
        context: CallContext,
        given: Mapping[str, str],
        limit: asyncio.Timeout,
    ) -> Response:
        """One answer within the limits of the host; `limit` is the only timer of the call and is set to those."""
        wait = self._windows.remaining(host.origin)
        if wait > 0:
            raise Throttled(
                f"{request.service} asked for a pause; '{request.operation}' was not sent",
                reason=f"{request.service}-throttled",
                retry_after=wait,
                service=request.service,
            )
        left = self._left(context)
        limit.reschedule(self._at(host.limits.total if left is None else min(host.limits.total, left)))
        headers = {**request.headers, **context.headers(), **given}
        span = call_span.begun(request, context, host.origin)
        if span is not None:
            headers["traceparent"] = str(span.context)
        elif context.calls is None and context.traceparent is None:
            return await self._answer(host, url, request, headers)
        at, started, answer, reason = self._clock.now(), self._clock.monotonic(), None, "cancelled"
        try:
            answer = await self._answer(host, url, request, headers)
        except IntegrationError as error:
            reason = error.reason
            raise
        else:
            return answer
        finally:
            if context.traceparent is not None:
                metrics.CALLS.add(request.service, reason if answer is None else str(answer.status))
            if span is not None:
                call_span.ended(span, answer, reason)
            if context.calls is not None:
                context.calls.note(Call(request, answer, at, self._clock.monotonic() - started))

    async def _answer(self, host: "_Allowed", url: URL, request: Request, headers: Mapping[str, str]) -> Response:
        import aiohttp  # noqa: PLC0415 -- see the module's docstring

        from integration.transport.sessions import ConnectionLostError  # noqa: PLC0415 -- as above

        try:
            try:
                status, received, body = await self._send(self._sessions.kept(), host, url, request, headers)
            except ConnectionLostError:
                if not request.idempotent:
                    raise
                status, received, body = await self._send(self._sessions.fresh(), host, url, request, headers)
        except (aiohttp.ClientError, ConnectionLostError, NotGzipError, TooLargeError, OSError) as error:
            raise _failed(request, error, host.limits) from error
        value = received.get("retry-after")
        retry_after = None if value is None else retry_after_seconds(value, self._clock.now())
        if retry_after and status in {429, 503}:
            self._windows.open(host.origin, retry_after)
        return Response(request, status, received, body, retry_after)

    async def _send(
        self, session: "aiohttp.ClientSession", host: "_Allowed", url: URL, request: Request, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        from integration.transport.sessions import timeout_of  # noqa: PLC0415 -- as above

        tls: ssl.SSLContext | bool = (
            self._trust.context(host.ca_file, host.client_certificate) if host.is_https else True
        )
        answer = await session.request(
            request.method,
            url,
            data=request.body,
            headers=headers,
            allow_redirects=False,
            ssl=tls,
            timeout=timeout_of(host.limits),
        )
        try:
            body = await read_body(answer, host.limits.answer_bytes)
        finally:
            answer.close()
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, body

    def _left(self, context: CallContext) -> float | None:
        """Seconds until the deadline of the context, None where it has none; raises `TimeoutError` when it is over."""
        if context.deadline is None:
            return None
        left = context.deadline - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    @staticmethod
    def _at(seconds: float | None) -> float | None:
        """The time that many seconds from now, on the clock of the event loop."""
        return None if seconds is None else asyncio.get_running_loop().time() + seconds

    def _too_late(self, request: Request, context: CallContext) -> Transient:
        if context.deadline is None or self._clock.monotonic() < context.deadline:
            return _timeout(request)
        service = request.service
        return Transient(
            f"the time for the event was over before {service} had answered '{request.operation}'",
            reason="deadline-exceeded",
            service=service,
        )


@dataclass(frozen=True, slots=True)
class _Allowed:
    """An allowed host, with what each call needs of it."""

    origin: str
    is_https: bool
    ca_file: str | None
    client_certificate: str | None = field(repr=False)
    limits: Limits

    @classmethod
    def of(cls, host: Host) -> "_Allowed":
        return cls.at(host.origin, host.limits, ca_file=host.ca_file, client_certificate=host.client_certificate)

    @classmethod
    def at(
        cls, origin: str, limits: Limits, *, ca_file: str | None = None, client_certificate: str | None = None
    ) -> "_Allowed":
        return cls(origin, origin.startswith("https:"), ca_file, client_certificate, limits)


def _timeout(request: Request) -> Outage:
    service = request.service
    return Outage(
        f"{service} did not answer '{request.operation}' in time", reason=f"{service}-timeout", service=service
    )


def _failed(request: Request, error: Exception, limits: Limits) -> IntegrationError:
    """The error for a call without an answer, or with one that cannot be read."""
    import aiohttp  # noqa: PLC0415 -- see the module's docstring

    service, operation, kind = request.service, request.operation, type(error).__name__
    if isinstance(error, TooLargeError):
        return Transient(  # the request may have been carried out
            f"{service} answered '{operation}' with more than {limits.answer_bytes} bytes",
            reason=f"{service}-answer-too-large",
            service=service,
        )
    if isinstance(error, TimeoutError):
        return _timeout(request)
    if isinstance(error, aiohttp.ClientSSLError):
        return Outage(
            f"{service}: no trusted TLS connection for '{operation}'; see the CA file in the settings",
            reason=f"{service}-tls",
            service=service,
        )
    if isinstance(error, aiohttp.ClientResponseError | NotGzipError):
        return Outage(
            f"{service} answered '{operation}' with something that cannot be read ({kind})",
            reason=f"{service}-answer-unreadable",
            service=service,
        )
    return Outage(
        f"{service} could not be reached for '{operation}' ({kind})",
        reason=f"{service}-unreachable",
        service=service,
    )

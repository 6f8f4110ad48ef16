"""The one HTTP transport: every call to another system leaves this process here.

It is built on requests, the lean way: prepared requests on one adapter (a urllib3 pool) per thread; no proxies or
netrc from the environment, no redirects, no cookies. It sends once (see `Transport.send` for the one exception): when
to try again is decided by whoever holds the event, with `RetryPolicy`.
"""

import threading
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any, NoReturn
from weakref import WeakSet

import requests
import urllib3

from integration.clock import Clock
from integration.errors import Permanent, Throttled, Transient
from integration.transport.authorize import Authorizer
from integration.transport.exchange import NO_CONTEXT, CallContext, Request, Response
from integration.transport.hosts import Host, Limits, origin_of
from integration.transport.status import retry_after_seconds
from integration.transport.timelimit import Deadline, LimitedAdapter
from integration.transport.trust import Trust
from integration.transport.window import RetryWindows


class Transport:
    """Sends requests to the hosts of the configuration and to no others; safe to share between threads.

    `hosts` may name one origin twice (a token endpoint beside the API that it is for): the first one counts.
    """

    def __init__(self, hosts: Iterable[Host], *, clock: Clock) -> None:
        self._hosts: dict[str, Host] = {}
        for host in hosts:
            self._hosts.setdefault(host.origin, host)
        self._clock = clock
        self._windows = RetryWindows(clock)
        self._trust = Trust()
        self._local = threading.local()
        self._wires: WeakSet[_Wire] = WeakSet()

    def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        """Send `request` and return the whole answer, whatever its status.

        A 401 makes the authorizer drop what it gave; if it can get something new, the request goes out once more. A
        connection that closes before any answer is replaced once, for requests that may be sent twice. Raises
        `Permanent` (host not allowed, answer too large), `Transient` (time-outs, connections that fail), `Throttled`
        (the host asked to be left alone for a time that is not over: nothing was sent).
        """
        origin = origin_of(request.url)
        host = self._hosts.get(origin) if origin else None
        if host is None:
            raise Permanent(
                f"'{request.operation}' would call {origin or 'something'} which the settings do not name",
                reason="host-not-allowed",
            )
        given = authorizer.headers() if authorizer else {}
        response = self._exchange(host, request, {**request.headers, **context.headers(), **given})
        if response.status == 401 and authorizer is not None and authorizer.refused(given):
            given = authorizer.headers()
            response = self._exchange(host, request, {**request.headers, **context.headers(), **given})
        return response

    def close(self) -> None:
        """Close the pooled connections of all threads."""
        for wire in list(self._wires):
            wire.adapter.close()

    def _exchange(self, host: Host, request: Request, headers: Mapping[str, str]) -> Response:
        wait = self._windows.remaining(host.origin)
        if wait > 0:
            raise Throttled(
                f"{request.service} asked for a pause; '{request.operation}' was not sent",
                reason=f"{request.service}-throttled",
                retry_after=wait,
            )
        wire = self._wire()
        wire.deadline.start(host.limits.total)
        try:
            try:
                status, received, body = wire.send(host, request, headers)
            except requests.ConnectionError as error:
                if not (request.idempotent and _closed_before_answer(error)):
                    raise
                status, received, body = wire.send(host, request, headers)
        except _FAILURES as error:
            _raise_transient(request, error)
        retry_after = retry_after_seconds(received.get("retry-after"), self._clock.now())
        if retry_after and status in {429, 503}:
            self._windows.open(host.origin, retry_after)
        return Response(request, status, received, body, retry_after)

    def _wire(self) -> "_Wire":
        wire: _Wire | None = getattr(self._local, "wire", None)
        if wire is None:
            wire = self._local.wire = _Wire(self._clock, self._trust)
            self._wires.add(wire)
        return wire


class _Wire:
    """One thread's connections.

    The adapter is used without a Session: `Session.send` would read proxies and netrc from the environment, keep
    cookies, and even when told not to follow a redirect read all of its body.
    """

    def __init__(self, clock: Clock, trust: Trust) -> None:
        self.deadline = Deadline(clock)
        self.adapter = LimitedAdapter(self.deadline, trust)

    def send(self, host: Host, request: Request, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        limits = host.limits
        left = self.deadline.remaining()
        answer = self.adapter.send(
            _prepared(request, headers),
            stream=True,
            timeout=(min(limits.connect, left), min(limits.read, left)),
            verify=host.ca_file or True,
        )
        with closing(answer):
            body = _read(answer.raw, limits, request)
        return answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, body


def _prepared(request: Request, headers: Mapping[str, str]) -> requests.PreparedRequest:
    """As `requests.Request.prepare` would make it, without the parts that guess: our addresses are already quoted."""
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    prepared.headers = requests.structures.CaseInsensitiveDict(_OWN_HEADERS)
    prepared.headers.update(headers)
    prepared.body = request.body
    if request.body is not None:
        prepared.headers["Content-Length"] = str(len(request.body))
    elif request.method in {"POST", "PUT", "PATCH"}:
        prepared.headers["Content-Length"] = "0"
    return prepared


def _read(raw: Any, limits: Limits, request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for chunk in raw.stream(65536, decode_content=True):
        size += len(chunk)
        if size > limits.answer_bytes:
            raise Permanent(
                f"{request.service} answered '{request.operation}' with more than {limits.answer_bytes} bytes",
                reason=f"{request.service}-answer-too-large",
            )
        chunks.append(chunk)
    return b"".join(chunks)


def _closed_before_answer(error: requests.ConnectionError) -> bool:
    """Whether the other side closed (or had closed) the connection without a byte of an answer.

    That is what a kept connection looks like that the server gave up in the same moment as we used it.
    """
    cause = error.args[0] if error.args else None
    if isinstance(cause, urllib3.exceptions.ProtocolError):
        cause = cause.args[1] if len(cause.args) > 1 else None
    return isinstance(cause, ConnectionResetError | BrokenPipeError | ConnectionAbortedError)


def _raise_transient(request: Request, error: Exception) -> NoReturn:
    service, kind = request.service, type(error).__name__
    if isinstance(error, _TIMEOUTS):
        raise Transient(
            f"{service} did not answer '{request.operation}' in time ({kind})", reason=f"{service}-timeout"
        ) from error
    if isinstance(error, requests.exceptions.SSLError):
        raise Transient(
            f"{service}: no trusted TLS connection for '{request.operation}'; see the CA file in the settings",
            reason=f"{service}-tls",
        ) from error
    raise Transient(
        f"{service} could not be reached for '{request.operation}' ({kind})", reason=f"{service}-unreachable"
    ) from error


_OWN_HEADERS = {"User-Agent": "dataverse-integration", "Accept": "application/json", "Accept-Encoding": "gzip"}
_TIMEOUTS = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)

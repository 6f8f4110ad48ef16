"""Tokens for Dataverse from an app registration's client secret (msal).

`BearerTokens` keeps a token and renews it. The first request for one is sent when a call needs it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from integration.clock import Clock
from integration.errors import Outage
from integration.transport import BearerTokens, Request, Token, Transport, sign_in_failure

_SERVICE = "dataverse"


def client_secret_tokens(
    transport: Transport,
    *,
    authority: str,
    tenant_id: str,
    client_id: str,
    client_secret: str,
    dataverse_url: str,
    clock: Clock,
    instance_discovery: bool = True,
) -> BearerTokens:
    """Tokens by client secret; `authority` is without the tenant (https://login.microsoftonline.com).

    The transport must allow the authority's host. With `instance_discovery` off, Microsoft is not asked whether the
    authority is genuine; that is for authorities that Microsoft does not know.
    """
    application: Any = None

    def ask(loop: asyncio.AbstractEventLoop) -> Token:
        nonlocal application
        import msal  # noqa: PLC0415 -- takes a tenth of a second, and only those who use a secret need it

        try:
            if application is None:
                application = msal.ConfidentialClientApplication(
                    client_id,
                    client_credential=client_secret,
                    authority=f"{authority.rstrip('/')}/{tenant_id}",
                    instance_discovery=None if instance_discovery else False,
                    http_client=_MsalHttp(transport, loop),
                )
            application.remove_tokens_for_client()
            answer = application.acquire_token_for_client([scope_of(dataverse_url)])
        except ValueError:
            raise _refused("the authority does not know this tenant") from None
        except KeyError as error:  # msal reads answers without looking whether they are the authority's
            raise Outage(
                f"No token for Dataverse: the authority's answer has no {error}",
                reason="dataverse-sign-in-unavailable",
                service=_SERVICE,
            ) from None
        if "access_token" not in answer:
            raise _refused(str(answer.get("error", "no token")))
        return Token(answer["access_token"], float(answer["expires_in"]))

    async def fetch() -> Token:
        return await asyncio.to_thread(ask, asyncio.get_running_loop())

    return BearerTokens(fetch, clock=clock)


def scope_of(dataverse_url: str) -> str:
    """The scope for everything that the application user may do in this environment."""
    parts = urlsplit(dataverse_url)
    return f"{parts.scheme}://{parts.netloc}/.default"


def _refused(why: str) -> Outage:
    """No event is to blame, and somebody has to repair it: events wait."""
    return Outage(f"No token for Dataverse: {why}", reason="dataverse-sign-in-refused", service=_SERVICE)


@dataclass(frozen=True, slots=True)
class _MsalAnswer:
    """An answer in the form that msal reads."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Called by msal.

        There is nothing to raise, because `_MsalHttp` has already raised what msal cannot explain.
        """


class _MsalHttp:
    """msal's `http_client`: sends through the transport, with its limits and allowed hosts.

    msal blocks, so it runs in a thread; the transport belongs to the event loop, which goes on meanwhile.
    """

    def __init__(self, transport: Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop

    def post(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> _MsalAnswer:
        body = data if isinstance(data, str) else urlencode(data or {})
        given = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self._send(Request(_SERVICE, "sign in", "POST", _address(url, params), given, body.encode()))

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> _MsalAnswer:
        return self._send(Request(_SERVICE, "find the token endpoint", "GET", _address(url, params), headers or {}))

    def close(self) -> None:
        """Called by msal; the transport is not msal's to close."""

    def _send(self, request: Request) -> _MsalAnswer:
        answer = asyncio.run_coroutine_threadsafe(self._transport.send(request), self._loop).result()
        if answer.status >= 500 or answer.status == 429:
            raise sign_in_failure(answer)
        answer.json()  # an answer that is not JSON is not the authority's: msal would report it as a wrong tenant
        return _MsalAnswer(answer.status, answer.body.decode("utf-8", "replace"), answer.headers)


def _address(url: str, params: Mapping[str, str] | None) -> str:
    return f"{url}?{urlencode(params)}" if params else url

"""Tokens for Dataverse: from an app registration's client secret (msal), or from a managed identity (azure-identity).

Both become `BearerTokens`, which keeps the token and renews it. Nothing is sent before the first call needs a token.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from integration.clock import Clock
from integration.errors import Transient
from integration.transport import BearerTokens, Request, Token, Transport, failure

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

    The authority's host must be one that the transport allows. `instance_discovery` off means that Microsoft is not
    asked whether the authority is genuine, for authorities that it does not know.
    """
    application: Any = None

    def fetch() -> Token:
        nonlocal application
        import msal  # noqa: PLC0415 -- takes a tenth of a second, and only those who use a secret need it

        try:
            if application is None:
                application = msal.ConfidentialClientApplication(
                    client_id,
                    client_credential=client_secret,
                    authority=f"{authority.rstrip('/')}/{tenant_id}",
                    instance_discovery=None if instance_discovery else False,
                    http_client=_MsalHttp(transport),
                )
            application.remove_tokens_for_client()
            answer = application.acquire_token_for_client([scope_of(dataverse_url)])
        except ValueError:
            raise _refused("the authority does not know this tenant") from None
        if "access_token" not in answer:
            raise _refused(str(answer.get("error", "no token")))
        return Token(answer["access_token"], float(answer["expires_in"]))

    return BearerTokens(fetch, clock=clock)


def managed_identity_tokens(*, client_id: str | None, dataverse_url: str, clock: Clock) -> BearerTokens:
    """Tokens of the managed identity that the app runs with; `client_id` names a user-assigned one.

    azure-identity asks the local identity endpoint itself, not through the transport.
    """
    credential: Any = None

    def fetch() -> Token:
        nonlocal credential
        from azure.core.exceptions import AzureError, ClientAuthenticationError  # noqa: PLC0415 -- as below
        from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 -- needed only with an identity

        if credential is None:
            credential = ManagedIdentityCredential(client_id=client_id)
        try:
            token = credential.get_token(scope_of(dataverse_url))
        except ClientAuthenticationError as error:
            raise _refused(type(error).__name__) from error
        except AzureError as error:
            raise Transient(
                f"The identity endpoint did not answer ({type(error).__name__})", reason="dataverse-sign-in-unavailable"
            ) from error
        return Token(token.token, token.expires_on - clock.now().timestamp())

    return BearerTokens(fetch, clock=clock)


def scope_of(dataverse_url: str) -> str:
    """The scope that stands for all that the application user may do in this environment."""
    parts = urlsplit(dataverse_url)
    return f"{parts.scheme}://{parts.netloc}/.default"


def _refused(why: str) -> Transient:
    """No event's fault, and mended by somebody: events wait."""
    return Transient(f"No token for Dataverse: {why}", reason="dataverse-sign-in-refused")


@dataclass(frozen=True, slots=True)
class _MsalAnswer:
    """An answer in the form that msal reads."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Nothing left to raise: `_MsalHttp` has done so for what is not msal's to explain."""


class _MsalHttp:
    """msal's `http_client`: its requests leave through the transport, with its limits and allowed hosts."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

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
        """The transport is closed by whoever made it."""

    def _send(self, request: Request) -> _MsalAnswer:
        answer = self._transport.send(request)
        if answer.status >= 500 or answer.status == 429:
            raise failure(answer)
        if answer.status < 300:
            answer.json()
        return _MsalAnswer(answer.status, answer.body.decode("utf-8", "replace"), answer.headers)


def _address(url: str, params: Mapping[str, str] | None) -> str:
    return f"{url}?{urlencode(params)}" if params else url

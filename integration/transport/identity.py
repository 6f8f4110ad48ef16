"""Tokens of the managed identity that the app runs with (azure-identity)."""

import asyncio
from collections.abc import Callable
from typing import Any

from integration.clock import Clock
from integration.errors import Outage
from integration.transport.authorize import BearerTokens, Token

_ENDPOINT_LIMITS: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 15, "retry_total": 2}


def managed_identity_tokens(*, service: str, scope: str, client_id: str | None, clock: Clock) -> BearerTokens:
    """Tokens for `scope` of `service`; `client_id` names a user-assigned identity."""

    def identity() -> Any:
        from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 -- needed only with an identity

        return ManagedIdentityCredential(client_id=client_id, **_ENDPOINT_LIMITS)

    return credential_tokens(identity, service=service, scope=scope, clock=clock)


def credential_tokens(make: Callable[[], Any], *, service: str, scope: str, clock: Clock) -> BearerTokens:
    """Tokens of any credential of azure-identity, which `make` creates when the first token is needed.

    azure-identity calls the machine's identity endpoint itself, not through the transport, and blocks, so it runs in a
    thread. Failures are `Outage` (`<service>-sign-in-refused`, `<service>-sign-in-unavailable`).
    """
    credential: Any = None

    def ask() -> Token:
        nonlocal credential
        from azure.core.exceptions import AzureError, ClientAuthenticationError  # noqa: PLC0415 -- as above

        if credential is None:
            credential = make()
        try:
            token = credential.get_token(scope)
        except ClientAuthenticationError as error:
            raise Outage(
                f"No token for {service}: {type(error).__name__}", reason=f"{service}-sign-in-refused", service=service
            ) from error
        except AzureError as error:
            raise Outage(
                f"No token for {service}: the identity endpoint did not answer ({type(error).__name__})",
                reason=f"{service}-sign-in-unavailable",
                service=service,
            ) from error
        return Token(token.token, token.expires_on - clock.now().timestamp())

    async def fetch() -> Token:
        return await asyncio.to_thread(ask)

    return BearerTokens(fetch, clock=clock)

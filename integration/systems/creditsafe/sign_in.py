"""Signing in: a name and a password give a token (JWT) for one hour."""

import json

from pydantic import BaseModel, Field

from integration.clock import Clock
from integration.errors import Outage, Throttled
from integration.transport import BearerTokens, Request, Token, Transport, sign_in_failure, validated

_TOKEN_SECONDS = 3_600.0
_LOCKED_SECONDS = 300.0
"""After five identical bad requests within two minutes, nobody is let in for five minutes."""
_PAUSE_SECONDS = 60.0
"""For so long a refusal is repeated without asking, so that there are never five."""


def creditsafe_tokens(
    transport: Transport, *, service: str, base_url: str, username: str, password: str, clock: Clock
) -> BearerTokens:
    """Tokens of `POST /authenticate`; `Outage` (`<service>-sign-in-refused`) where name or password is wrong."""
    body = json.dumps({"username": username, "password": password}).encode()
    request = Request(
        service, "sign in", "POST", f"{base_url}/authenticate", {"Content-Type": "application/json"}, body
    )
    refused_until = float("-inf")

    async def fetch() -> Token:
        nonlocal refused_until
        if clock.monotonic() < refused_until:
            raise Outage(
                f"{service} did not accept our name or password a moment ago; it was not asked again",
                reason=f"{service}-sign-in-refused",
                service=service,
            )
        answer = await transport.send(request)
        if answer.ok:
            return Token(validated(_Answer, answer).token, _TOKEN_SECONDS)
        if answer.status == 429 and answer.retry_after is None:
            raise Throttled(
                f"{service} lets nobody sign in for five minutes",
                reason=f"{service}-throttled",
                retry_after=_LOCKED_SECONDS,
                service=service,
            )
        if answer.status in {400, 401, 403}:
            refused_until = clock.monotonic() + _PAUSE_SECONDS
        raise sign_in_failure(answer)

    return BearerTokens(fetch, clock=clock)


class _Answer(BaseModel):
    token: str = Field(min_length=1)

"""OAuth 2.0 client credentials (RFC 6749 4.4), for systems that want a bearer token."""

from urllib.parse import urlencode

from pydantic import BaseModel, Field

from integration.clock import Clock
from integration.errors import Outage, Throttled
from integration.transport.answers import validated
from integration.transport.authorize import Authorizer, BearerTokens, Token
from integration.transport.exchange import Request, Response
from integration.transport.http import Transport


def client_credentials(
    transport: Transport,
    *,
    service: str,
    token_url: str,
    client_id: str,
    client_secret: str,
    scope: str | None = None,
    authorizer: Authorizer | None = None,
    clock: Clock,
) -> BearerTokens:
    """Bearer tokens for `service` from its token endpoint; the first is fetched when a call needs it.

    `authorizer` is for an endpoint that something else stands in front of.
    """
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    if scope:
        form["scope"] = scope
    request = Request(
        service,
        "sign in",
        "POST",
        token_url,
        {"Content-Type": "application/x-www-form-urlencoded"},
        urlencode(form).encode(),
    )

    async def fetch() -> Token:
        answer = await transport.send(request, authorizer=authorizer)
        if not answer.ok:
            raise sign_in_failure(answer)
        token = validated(_TokenAnswer, answer)
        return Token(token.access_token, token.expires_in)

    return BearerTokens(fetch, clock=clock)


def sign_in_failure(answer: Response) -> Outage:
    """The error for a token endpoint's refusal, for which no event is to blame.

    400, 401 and 403 say that the credentials or the scope are wrong (RFC 6749 5.2), and somebody has to correct them.
    """
    service, status = answer.request.service, answer.status
    if status == 429 or (status == 503 and answer.retry_after is not None):
        return Throttled(
            f"the token endpoint of {service} asked for a pause ({status})",
            reason=f"{service}-throttled",
            service=service,
            retry_after=answer.retry_after,
        )
    if status in {400, 401, 403}:
        return Outage(
            f"{service} does not accept our client id, secret or scope ({status})",
            reason=f"{service}-sign-in-refused",
            service=service,
        )
    return Outage(
        f"the token endpoint of {service} answered {status}", reason=f"{service}-sign-in-unavailable", service=service
    )


class _TokenAnswer(BaseModel):
    access_token: str = Field(min_length=1)
    expires_in: float = Field(default=300.0, gt=0)

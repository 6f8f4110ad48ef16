"""Azure Relay Hybrid Connections: a system whose network lets nobody in.

A listener beside the system connects outwards to the relay, and the app sends its requests to the relay, at
`https://<namespace>.servicebus.windows.net/<hybrid connection>/<path of the system>`. How the app signs in to the relay
goes into a header of its own, which the relay takes off; `Authorization` stays the system's. Sources: "Azure Relay
Hybrid Connections protocol" and "Authenticate and authorize an application with Microsoft Entra ID to access Azure
Relay entities" (learn.microsoft.com), and Microsoft's samples for Node.js in the repository azure-relay.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from integration.clock import Clock
from integration.errors import IntegrationError, Outage, Throttled
from integration.transport.authorize import Authorizer
from integration.transport.exchange import NO_CONTEXT, CallContext, Request, Response
from integration.transport.sender import Sender

SCOPE = "https://relay.azure.net//.default"
"""What an Entra token for the relay is asked for; both slashes belong to it."""

_HEADER = "ServiceBusAuthorization"
_TOKEN_SECONDS = 3_600


class RelayTokens:
    """Entra tokens for the relay: it takes them as they are, without the word Bearer in front."""

    def __init__(self, tokens: Authorizer) -> None:
        self._tokens = tokens

    async def headers(self) -> Mapping[str, str]:
        given = await self._tokens.headers()
        return {_HEADER: given["Authorization"].removeprefix("Bearer ")}

    def refused(self, given: Mapping[str, str]) -> bool:
        return self._tokens.refused({"Authorization": f"Bearer {given.get(_HEADER)}"})


class SharedAccessSignatures:
    """Tokens that a shared access key signs, each for one hour; `url` is any address of the hybrid connection."""

    def __init__(self, url: str, *, key_name: str, key: str, clock: Clock) -> None:
        parts = urlsplit(url)
        self._resource = f"http://{parts.hostname}/{parts.path.strip('/').partition('/')[0]}"
        self._key_name = key_name
        self._key = key
        self._clock = clock

    async def headers(self) -> Mapping[str, str]:
        resource, until = quote(self._resource, safe=""), int(self._clock.now().timestamp()) + _TOKEN_SECONDS
        digest = hmac.new(self._key.encode(), f"{resource}\n{until}".encode(), hashlib.sha256).digest()
        signature, name = quote(base64.b64encode(digest), safe=""), quote(self._key_name, safe="")
        return {_HEADER: f"SharedAccessSignature sr={resource}&sig={signature}&se={until}&skn={name}"}

    def refused(self, given: Mapping[str, str]) -> bool:  # noqa: ARG002 -- the next one would be signed with the same key
        return False


class ThroughRelay:
    """Signs in twice: to the system, and to the relay in front of it."""

    def __init__(self, system: Authorizer, relay: Authorizer) -> None:
        self._system = system
        self._relay = relay

    async def headers(self) -> Mapping[str, str]:
        return {**await self._system.headers(), **await self._relay.headers()}

    def refused(self, given: Mapping[str, str]) -> bool:
        """A 401 may be of either: both may give a better token, and it is asked again if one of them does."""
        to_system = {name: value for name, value in given.items() if name != _HEADER}
        of_relay = self._relay.refused({name: value for name, value in given.items() if name == _HEADER})
        return self._system.refused(to_system) or of_relay


class RelaySender:
    """Sends through the relay, and raises what the relay itself answers, so that it never counts as the system's.

    The relay adds `Via` to each answer that comes from a listener, and to none of its own. A success is not asked for
    it: a client reads it against its contract anyway.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        """The answer of the system; otherwise, raises `Outage` or `Throttled`, besides what the sender raises."""
        answer = await self._sender.send(request, authorizer=authorizer, context=context)
        if answer.ok or "via" in answer.headers:
            return answer
        raise relay_failure(answer)


def relay_failure(answer: Response) -> IntegrationError:
    """The error for an answer of the relay itself, for which no event is to blame.

    Where no listener is connected, the documentation has 502 in one place and 503 in another, and senders have seen
    404. A hybrid connection that does not exist is 404 too. In all these cases, nobody was asked. After 504 the system
    may have done what it was asked for.
    """
    service, status = answer.request.service, answer.status
    if status == 429:
        return Throttled(
            f"Azure Relay, in front of {service}, asked for a pause (429)",
            reason=f"{service}-throttled",
            service=service,
            retry_after=answer.retry_after,
        )
    kind, word = _meaning(status)
    return kind(
        f"Azure Relay, in front of {service}, answered {status} to '{answer.request.operation}': {_SAYS[word]}",
        reason=f"{service}-{word}",
        service=service,
    )


def _meaning(status: int) -> tuple[type[Outage], str]:
    if status in {401, 403}:
        return Outage, "relay-refused"
    if status in {404, 502, 503}:
        return Outage, "relay-no-listener"
    return (Outage, "relay-timeout") if status == 504 else (Outage, "relay-failed")


_SAYS = {
    "relay-refused": "it does not let this app send: check the role Azure Relay Sender, or the key",
    "relay-no-listener": "no listener is connected: check that it runs beside the system, and its address",
    "relay-timeout": "the listener did not answer in time, and may have passed the request on",
    "relay-failed": "this is no answer of the system",
}

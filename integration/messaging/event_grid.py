"""A topic of Event Grid: a custom topic, or one of a namespace.

Which of the two it is, the address says: `https://<topic>.<region>-1.eventgrid.azure.net/api/events`, or
`https://<namespace>.<region>-1.eventgrid.azure.net/topics/<topic>:publish`. Sources: learn.microsoft.com, "Publish
events to Azure Event Grid custom topics using access keys", "Publish and subscribe to CloudEvents in namespace topics".
"""

from collections.abc import Sequence
from typing import Final

from integration.clock import Clock
from integration.transport import NO_CONTEXT, ApiKey, Authorizer, Request, Response, Sender, managed_identity_tokens

_SCOPE: Final = "https://eventgrid.azure.net/.default"
_OF_NAMESPACE: Final = ":publish"
_HEADERS: Final = {"Content-Type": "application/cloudevents-batch+json; charset=utf-8"}


class EventGridTopic:
    """Publishes CloudEvents; `service` names it in errors and logs."""

    def __init__(self, sender: Sender, endpoint: str, authorizer: Authorizer, *, service: str = "event-grid") -> None:
        self._sender = sender
        version = "2024-06-01" if endpoint.endswith(_OF_NAMESPACE) else "2018-01-01"
        self._url = f"{endpoint}?api-version={version}"
        self._authorizer = authorizer
        self._service = service

    async def publish(self, events: Sequence[bytes]) -> Response:
        """What Event Grid answers to these events in one request, which it takes whole or not at all.

        Raises `Outage` where it does not answer.
        """
        body = b"[" + b",".join(events) + b"]"
        request = Request(self._service, "publish", "POST", self._url, dict(_HEADERS), body)
        return await self._sender.send(request, authorizer=self._authorizer, context=NO_CONTEXT)


def authorizer(
    endpoint: str, key: str | None, client_id: str | None, clock: Clock, *, service: str = "event-grid"
) -> Authorizer:
    """With a key of the topic, or with the managed identity (role EventGrid Data Sender)."""
    if key is None:
        return managed_identity_tokens(service=service, scope=_SCOPE, client_id=client_id, clock=clock)
    if endpoint.endswith(_OF_NAMESPACE):
        return ApiKey(f"SharedAccessKey {key}", header="Authorization")
    return ApiKey(key, header="aeg-sas-key")

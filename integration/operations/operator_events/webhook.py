"""Delivers operator events to one address, signed as Standard Webhooks has it."""

import json
from collections.abc import Mapping
from typing import Any

from integration import signatures
from integration.clock import Clock
from integration.errors import Transient
from integration.transport import Request, Sender
from integration.transport.exchange import NO_CONTEXT


class Webhook:
    """Posts each event by itself, in structured mode (CloudEvents HTTP protocol binding 1.0.2, 3.2)."""

    def __init__(self, transport: Sender, url: str, secret: bytes, clock: Clock) -> None:
        self._transport = transport
        self._url = url
        self._secret = secret
        self._clock = clock

    async def deliver(self, event: Mapping[str, Any]) -> None:
        """Returns when the receiver has answered 2xx; raises `Transient` for any other answer, `Outage` for none."""
        body = json.dumps(event, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            **signatures.signed([self._secret], str(event["id"]), self._clock.now(), body),
        }
        request = Request("operator-events", "deliver", "POST", self._url, headers, body, repeatable=True)
        answer = await self._transport.send(request, authorizer=None, context=NO_CONTEXT)
        if not answer.ok:
            raise Transient(
                f"the receiver of operator events answered {answer.status}",
                reason="operator-events-refused",
                service="operator-events",
            )

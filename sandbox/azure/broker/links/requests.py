"""Request and response over AMQP, as `$cbs` and `$management` use it: a pair of links, matched by node and session."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from sandbox.azure.amqp.codec import encode, encode_list
from sandbox.azure.amqp.link import Delivery, Link
from sandbox.azure.amqp.message import Sections
from sandbox.azure.amqp.performatives import SETTLE_FIRST, Accepted
from sandbox.azure.amqp.types import Int, Raw, Symbol
from sandbox.azure.broker.errors import BrokerError, out_of_range
from sandbox.azure.broker.links.endpoints import Endpoint, Scheduler, new_tag

_CREDIT = 100
_LIMIT = 1 << 63


@dataclass(frozen=True, slots=True)
class Request:
    """One request, decoded."""

    message_id: Raw  # still encoded, as the answer's correlation id must have its type
    reply_to: str | None
    properties: dict[str, Any]
    body: Any

    @classmethod
    def parse(cls, data: bytes) -> "Request":
        """Reads a request message."""
        sections = Sections.parse(data)
        properties = {_text(key): value for key, value in sections.application_properties().items()}
        body = sections.body()
        if isinstance(body, dict):
            body = {_text(key): value for key, value in body.items()}
        return cls(sections.raw_property("message_id"), sections.property("reply_to"), properties, body)

    def text(self, name: str) -> str:
        """An application property as text; empty when it is not there."""
        return _text(self.properties.get(name) or "")

    def argument(self, name: str, *kinds: type) -> Any:
        """An entry of the body, which must be of one of `kinds`."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if not isinstance(value, kinds):
            raise BrokerError("com.microsoft:argument-error", f"'{name}' is missing or of the wrong type.")
        return value

    def number(self, name: str, *, least: int = 0) -> int:
        """An entry of the body that is a whole number, at least so large."""
        value: int = self.argument(name, int)
        if value < least:
            raise out_of_range(f"'{name}' is {value}, and at least {least} is needed.")
        return value


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a request. `condition` is set when the request failed."""

    status: int
    description: str = "OK"
    body: Any = None
    condition: str | None = None
    both_spellings: bool = True  # `statusCode` for Service Bus besides `status-code` for Event Hubs and $cbs

    @classmethod
    def failed(cls, error: BrokerError) -> "Response":
        """The answer when the request was refused."""
        return cls(error.status, error.description, {}, error.condition)

    def encode(self, request: Request) -> bytes:
        """The response message."""
        properties: dict[str, Any] = {"status-code": Int(self.status), "status-description": self.description}
        if self.both_spellings:
            properties |= {"statusCode": Int(self.status), "statusDescription": self.description}
        if self.condition is not None:
            properties["error-condition"] = Symbol(self.condition)
            if self.both_spellings:
                properties["errorCondition"] = Symbol(self.condition)
        null = encode(None)
        fields = [null, null, encode(request.reply_to), null, null, request.message_id]
        body = b"" if self.body is None and not self.both_spellings else b"\x00\x53\x77" + encode(self.body)
        return b"\x00\x53\x73" + encode_list(fields) + b"\x00\x53\x74" + encode(properties) + body


class ReplyLink(Endpoint):
    """The link on which answers go back. Answers wait here for credit."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: list[bytes] = []

    def reply(self, message: bytes) -> None:
        """Sends an answer."""
        self._waiting.append(message)
        self.on_flow(self._link)

    def on_flow(self, link: Link) -> None:
        while self._waiting and link.credit > 0:
            link.send(self._waiting.pop(0), new_tag(), settled=True)
        link.drained()


class RequestLink(Endpoint, ABC):
    """The link on which requests come; a subclass answers them."""

    def __init__(self, scheduler: Scheduler, replies: dict[str | None, ReplyLink]) -> None:
        self._scheduler = scheduler
        self._replies = replies  # by the address that a request's reply-to names

    def open(self, link: Link) -> None:
        """Accepts the attach and lets requests come."""
        link.max_message_size = _LIMIT
        link.rcv_settle_mode = SETTLE_FIRST
        link.accept()
        link.keep_granted(_CREDIT)

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """Does what is asked; raises `BrokerError` when it is refused."""

    def on_transfer(self, link: Link, delivery: Delivery) -> None:
        request = Request.parse(delivery.payload)
        try:
            response = self.answer(request)
        except BrokerError as error:
            response = Response.failed(error)
        if link.is_half_used:
            self._scheduler.after_commit(link.replenish)
        if not delivery.settled:
            link.settle(delivery.delivery_id, Accepted())
        replies = self._replies.get(request.reply_to) or next(reversed(self._replies.values()), None)
        if replies is not None:
            message = response.encode(request)
            self._scheduler.after_commit(lambda: replies.reply(message))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

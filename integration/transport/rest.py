"""JSON calls to a REST system: what the clients of the ERP and of credit scoring have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

from integration.errors import Transient
from integration.transport.authorize import Authorizer
from integration.transport.exchange import CallContext, Request, Response
from integration.transport.http import Transport

Amount: TypeAlias = Annotated[Decimal, PlainSerializer(lambda amount: format(amount, "f"), return_type=str)]
"""An amount of money; on the wire a plain decimal string ("1234.50"), never a JSON number."""


class Message(BaseModel):
    """A body of a request or answer: camel case on the wire; properties that an answer has beyond it are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)


@dataclass(frozen=True, slots=True)
class RestSystem:
    """One system: its name in errors and logs, its base address, and how it admits us."""

    transport: Transport
    service: str
    base_url: str
    authorizer: Authorizer

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        body: Message | None = None,
        *,
        key: str | None = None,
        context: CallContext,
    ) -> Response:
        """Send `body` (all of it, what is not known as null); `key` becomes the Idempotency-Key."""
        headers: dict[str, str] = {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        content = None if body is None else body.model_dump_json(by_alias=True).encode()
        request = Request(self.service, operation, method, self.base_url + path, headers, content)
        return self.transport.send(request, authorizer=self.authorizer, context=context)


@dataclass(frozen=True, slots=True)
class Problem:
    """What an RFC 9457 problem says: the last word of its type, and its detail on one line, cut short."""

    kind: str = ""
    detail: str = ""


def problem_of(response: Response) -> Problem:
    """The problem that an answer carries; an empty one if it carries none."""
    try:
        content = response.json()
    except Transient:
        return Problem()
    if not isinstance(content, Mapping):
        return Problem()
    kind = str(content.get("type", "")).rstrip("/").rpartition("/")[2]
    detail = " ".join(str(content.get("detail") or content.get("title") or "").split())
    return Problem(kind, detail[:_LONGEST_DETAIL])


_LONGEST_DETAIL = 300

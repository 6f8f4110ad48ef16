"""What a client of another system sends through."""

from typing import Protocol

from integration.transport.authorize import Authorizer
from integration.transport.exchange import CallContext, Request, Response


class Sender(Protocol):
    """The transport itself, or a wrapper around it that protects a system."""

    async def send(self, request: Request, *, authorizer: Authorizer | None, context: CallContext) -> Response:
        """The whole answer, whatever its status; raises what `Transport.send` raises."""
        ...

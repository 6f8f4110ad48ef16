"""A process that dies at a call."""

from integration.errors import Outage
from integration.transport import Authorizer, CallContext, Request, Response, Transport


class Interrupted:
    """A transport that loses every answer to a write, after a number of them: whoever sent it cannot know more."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.left = 0
        self.writes = 0

    async def send(self, request: Request, *, authorizer: Authorizer | None, context: CallContext) -> Response:
        answer = await self._transport.send(request, authorizer=authorizer, context=context)
        if request.method != "GET":
            self.writes += 1
            self.left -= 1
            if self.left < 0:
                raise Outage("the connection was lost")
        return answer

"""Who is admitted, and when nobody is: tokens of Entra for one application, and throttling by priority."""

import sqlite3

from aiohttp import web

from sandbox.systems.finance_operations.errors import FinanceOperationsError, busy
from sandbox.systems.tokens import Tokens

TOKEN_SECONDS = 3_599


class Admission:
    """Bearer tokens from `POST /{tenant}/oauth2/v2.0/token` (client credentials), for the environment's own scope."""

    def __init__(self, database: sqlite3.Connection, *, client_id: str, client_secret: str) -> None:
        self.tokens = Tokens(database, client_id=client_id, client_secret=client_secret, seconds=TOKEN_SECONDS)

    async def give(self, request: web.Request) -> web.Response:
        """The token endpoint; another scope than `<environment>/.default` gets none."""
        form = await request.post()
        if form.get("scope") != f"{request.url.origin()}/.default":
            return web.json_response({"error": "invalid_scope"}, status=400)
        return await self.tokens.give(request)

    def check(self, request: web.Request) -> None:
        """401 for a request without a live token."""
        if not self.tokens.admit(request):
            raise FinanceOperationsError(401, None, "Authorization has been denied for this request.")


class Throttle:
    """429 with Retry-After while the environment is busy: so many requests more, as a test has set them."""

    def __init__(self) -> None:
        self._requests = 0
        self._seconds = 0

    async def set(self, request: web.Request) -> web.Response:
        """POST /control/throttle `{"requests": 3, "retry_after": 5}`."""
        content = await request.json()
        self._requests, self._seconds = int(content["requests"]), int(content["retry_after"])
        return web.Response(status=204)

    def check(self) -> None:
        """429 for the next requests."""
        if self._requests > 0:
            self._requests -= 1
            raise busy(self._seconds)

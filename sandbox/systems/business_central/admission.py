"""Who is admitted, and how often: tokens of Entra for one application, and the limits of one user."""

import sqlite3
from collections import deque
from datetime import UTC, datetime

from aiohttp import web

from sandbox.systems.business_central.errors import BusinessCentralError
from sandbox.systems.tokens import Tokens

TOKEN_SECONDS = 3_599
SCOPE = "https://api.businesscentral.dynamics.com/.default"
_WINDOW = 300.0


class Admission:
    """Bearer tokens from `POST /{tenant}/oauth2/v2.0/token` (client credentials)."""

    def __init__(self, database: sqlite3.Connection, *, client_id: str, client_secret: str) -> None:
        self.tokens = Tokens(
            database, client_id=client_id, client_secret=client_secret, seconds=TOKEN_SECONDS, scope=SCOPE
        )

    def check(self, request: web.Request) -> None:
        """401 for a request without a live token."""
        if not self.tokens.admit(request):
            said = "The server has rejected the client credentials."
            raise BusinessCentralError(401, "Authentication_InvalidCredentials", said)


class Limits:
    """At most 6,000 requests in any five minutes; one more is answered with 429, without Retry-After."""

    def __init__(self) -> None:
        self.requests = 6_000
        self._sent: deque[float] = deque()

    def check(self) -> None:
        """429 where the user has sent too many."""
        now = datetime.now(UTC).timestamp()
        while self._sent and self._sent[0] <= now - _WINDOW:
            self._sent.popleft()
        if len(self._sent) >= self.requests:
            raise BusinessCentralError(429, "Unknown", "Too many requests reached. Actual (6000). Maximum (6000).")
        self._sent.append(now)

"""Who is admitted, and how often: tokens of Entra for one application, and the limits of one user."""

import secrets
import sqlite3
from collections import deque
from datetime import UTC, datetime

from aiohttp import web

from sandbox.systems.business_central.errors import BusinessCentralError

TOKEN_SECONDS = 3_599
SCOPE = "https://api.businesscentral.dynamics.com/.default"
_WINDOW = 300.0


class Admission:
    """Bearer tokens from `POST /{tenant}/oauth2/v2.0/token` (client credentials)."""

    def __init__(self, database: sqlite3.Connection, *, client_id: str, client_secret: str) -> None:
        self._database = database
        self._client_id, self._client_secret = client_id, client_secret

    async def token(self, request: web.Request) -> web.Response:
        """POST /{tenant}/oauth2/v2.0/token."""
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if (form.get("client_id"), form.get("client_secret")) != (self._client_id, self._client_secret):
            return web.json_response({"error": "invalid_client"}, status=401)
        if form.get("scope") != SCOPE:
            return web.json_response({"error": "invalid_scope"}, status=400)
        token = secrets.token_urlsafe(32)
        expires = datetime.now(UTC).timestamp() + TOKEN_SECONDS
        self._database.execute("INSERT INTO tokens VALUES (?, ?)", (token, expires))
        return web.json_response({"token_type": "Bearer", "expires_in": TOKEN_SECONDS, "access_token": token})

    async def expire_tokens(self, _: web.Request) -> web.Response:
        """POST /control/expire-tokens: every token given so far is no longer accepted."""
        self._database.execute("DELETE FROM tokens")
        return web.Response(status=204)

    def check(self, request: web.Request) -> None:
        """401 for a request without a live token."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        found = self._database.execute("SELECT expires FROM tokens WHERE token = ?", (token,)).fetchone()
        if scheme.lower() != "bearer" or found is None or found["expires"] <= datetime.now(UTC).timestamp():
            said = "The server has rejected the client credentials."
            raise BusinessCentralError(401, "Authentication_InvalidCredentials", said)


class Limits:
    """So many requests in a sliding five minutes; one more is answered 429, without Retry-After."""

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

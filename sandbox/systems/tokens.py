"""Bearer tokens that a stand-in gives to one client and admits (RFC 6749 section 4.4, client credentials)."""

import secrets
import sqlite3
from datetime import UTC, datetime

from aiohttp import web

SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, expires REAL NOT NULL);
"""


class Tokens:
    """Tokens live for `seconds`. With a `scope`, only requests that name it get one."""

    def __init__(
        self,
        database: sqlite3.Connection,
        *,
        client_id: str,
        client_secret: str,
        seconds: int = 3_600,
        scope: str | None = None,
    ) -> None:
        self._database = database
        self._client_id, self._client_secret = client_id, client_secret
        self._seconds = seconds
        self._scope = scope

    async def give(self, request: web.Request) -> web.Response:
        """The token endpoint."""
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if (form.get("client_id"), form.get("client_secret")) != (self._client_id, self._client_secret):
            return web.json_response({"error": "invalid_client"}, status=401)
        if self._scope is not None and form.get("scope") != self._scope:
            return web.json_response({"error": "invalid_scope"}, status=400)
        token = secrets.token_urlsafe(32)
        expires = datetime.now(UTC).timestamp() + self._seconds
        self._database.execute("INSERT INTO tokens VALUES (?, ?)", (token, expires))
        return web.json_response({"token_type": "Bearer", "expires_in": self._seconds, "access_token": token})

    async def expire(self, _: web.Request) -> web.Response:
        """POST /control/expire-tokens: every token given so far is no longer accepted."""
        self._database.execute("DELETE FROM tokens")
        return web.Response(status=204)

    def admit(self, request: web.Request) -> bool:
        """Whether the request carries a live token."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        found = self._database.execute("SELECT expires FROM tokens WHERE token = ?", (token,)).fetchone()
        return scheme.lower() == "bearer" and found is not None and found["expires"] > datetime.now(UTC).timestamp()

"""Signing in with a name and a password, for a token of one hour; five equal mistakes let nobody in for a while."""

import base64
import json
import secrets
import sqlite3
import time
from collections import deque
from typing import Any

from aiohttp import web

from sandbox.systems.creditsafe.errors import ConnectError

SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, expires REAL NOT NULL);
"""
_TOKEN_SECONDS = 3_600
_MISTAKES, _WITHIN, _LOCKED = 5, 120.0, 300.0


class Admission:
    """Tokens for one user."""

    def __init__(self, database: sqlite3.Connection, *, username: str, password: str) -> None:
        self._database = database
        self._username, self._password = username, password
        self._mistakes: deque[float] = deque(maxlen=_MISTAKES)
        self._locked_until = 0.0

    async def authenticate(self, request: web.Request) -> web.Response:
        """POST /authenticate."""
        now = time.monotonic()
        if now < self._locked_until:
            raise ConnectError(429, "Too many requests with the same mistake.")
        try:
            given = await request.json()
        except ValueError:
            raise ConnectError(400, "The body is not JSON.") from None
        if not isinstance(given, dict) or (given.get("username"), given.get("password")) != (
            self._username,
            self._password,
        ):
            self._mistakes.append(now)
            if len(self._mistakes) == _MISTAKES and now - self._mistakes[0] < _WITHIN:
                self._locked_until = now + _LOCKED
                self._mistakes.clear()
            raise ConnectError(401, "Access denied - Please check that your username and password are correct.")
        expires = int(time.time()) + _TOKEN_SECONDS
        token = ".".join((_part({"alg": "HS256", "typ": "JWT"}), _part({"exp": expires}), secrets.token_urlsafe(32)))
        self._database.execute("INSERT INTO tokens VALUES (?, ?)", (token, expires))
        return web.json_response({"token": token})

    def check(self, request: web.Request) -> None:
        """401 for a request without a live token."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        found = self._database.execute("SELECT expires FROM tokens WHERE token = ?", (token,)).fetchone()
        if found is None or found["expires"] <= time.time():
            raise ConnectError(401, "The token is missing, wrong or has expired.")

    async def expire(self, _: web.Request) -> web.Response:
        """POST /control/expire-tokens: every token given so far is no longer accepted."""
        self._database.execute("DELETE FROM tokens")
        return web.Response(status=204)


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

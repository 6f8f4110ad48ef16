"""The common parts of the REST stand-ins (ERP, credit scoring): authorisation, and idempotent answers."""

import hashlib
import json
import re
import secrets
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.systems.http_server import problem

TOKEN_SECONDS = 3_600
SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER, body TEXT);
"""

_AMOUNT = re.compile(r"\d{1,15}(\.\d{1,4})?")
_CURRENCY = re.compile(r"[A-Z]{3}")

Answer = tuple[int, dict[str, Any]]


class Refused(Exception):
    """The request is refused; has the content of the problem."""

    def __init__(self, status: int, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.slug, self.detail = status, slug, detail


def open_database(path: Path, schema: str) -> sqlite3.Connection:
    """A database that survives the process being killed; every statement outside `with` is its own transaction."""
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, isolation_level=None)
    database.row_factory = sqlite3.Row
    database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA} {schema}")
    return database


def now() -> str:
    """The time as these systems write it: ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check_amount(amount: object) -> str:
    """An amount as these systems accept it, a decimal string; raises `Refused` (422) for anything else."""
    if not isinstance(amount, str) or _AMOUNT.fullmatch(amount) is None:
        raise Refused(
            422, "invalid-amount", f"The amount {json.dumps(amount)} is not a decimal string. Send one such as 1234.50."
        )
    return amount


def check_currency(currency: object) -> None:
    """Raise `Refused` (422) for what is not an ISO 4217 code; XXX is one, but stands for "no currency"."""
    if not isinstance(currency, str) or currency == "XXX" or _CURRENCY.fullmatch(currency) is None:
        raise Refused(
            422,
            "unknown-currency",
            f"The currency {json.dumps(currency)} is not a known ISO 4217 code. Send one such as EUR.",
        )


class Admission:
    """Admits by `X-Api-Key`, or by a bearer token from `POST /oauth/token` (client credentials)."""

    def __init__(self, database: sqlite3.Connection, *, api_key: str, client_id: str, client_secret: str) -> None:
        self._database = database
        self._api_key, self._client_id, self._client_secret = api_key, client_id, client_secret

    def middleware(self) -> Middleware:
        """Answers 401 to API requests that carry neither a known key nor a live token."""

        @web.middleware
        async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/api/") and not self._admits(request):
                return problem(
                    401,
                    "unauthorized",
                    "The request has no valid X-Api-Key and no valid bearer token. Send one of them.",
                    headers=_CHALLENGE,
                )
            return await handler(request)

        return admit

    def _admits(self, request: web.Request) -> bool:
        if request.headers.get("X-Api-Key") == self._api_key:
            return True
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        found = self._database.execute("SELECT expires FROM tokens WHERE token = ?", (token,)).fetchone()
        return scheme.lower() == "bearer" and found is not None and found["expires"] > datetime.now(UTC).timestamp()

    async def token(self, request: web.Request) -> web.Response:
        """POST /oauth/token (RFC 6749 section 4.4)."""
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if (form.get("client_id"), form.get("client_secret")) != (self._client_id, self._client_secret):
            return web.json_response({"error": "invalid_client"}, status=401)
        token = secrets.token_urlsafe(32)
        expires = datetime.now(UTC).timestamp() + TOKEN_SECONDS
        self._database.execute("INSERT INTO tokens VALUES (?, ?)", (token, expires))
        return web.json_response({"token_type": "Bearer", "expires_in": TOKEN_SECONDS, "access_token": token})

    async def expire_tokens(self, _: web.Request) -> web.Response:
        """POST /control/expire-tokens: every token given so far is no longer accepted."""
        self._database.execute("DELETE FROM tokens")
        return web.Response(status=204)


class Idempotency:
    """Answers a repeated key with the stored answer, in the same transaction as the work.

    Only successful answers are kept: a refused request changed nothing, and may be sent again with its key.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    async def answer(self, request: web.Request, work: Callable[[dict[str, Any], str], Answer]) -> web.Response:
        """Do `work(body, key)` once per Idempotency-Key."""
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return problem(400, "idempotency-key-missing", "The request has no Idempotency-Key header. Send one.")
        try:
            body = json.loads(await request.text())
        except ValueError:
            return problem(400, "not-json", "The body is not JSON. Send a JSON object.")
        if not isinstance(body, dict):
            return problem(400, "not-an-object", "The body is JSON, but not an object. Send a JSON object.")
        canonical = json.dumps([request.method, request.path, body], sort_keys=True)
        fingerprint = hashlib.sha256(canonical.encode()).hexdigest()
        self._database.execute("BEGIN IMMEDIATE")
        try:
            stored = self._database.execute("SELECT * FROM answers WHERE key = ?", (key,)).fetchone()
            if stored is not None:
                return _replay(stored, fingerprint)
            status, result = work(body, key)
            self._database.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?)", (key, fingerprint, status, json.dumps(result))
            )
            self._database.execute("COMMIT")
        except Refused as refused:
            return problem(refused.status, refused.slug, refused.detail)
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        return web.json_response(result, status=status)


def _replay(stored: sqlite3.Row, fingerprint: str) -> web.Response:
    if stored["fingerprint"] != fingerprint:
        return problem(
            422, "idempotency-key-reused", "This Idempotency-Key was used for another request. Send a new key."
        )
    return web.json_response(json.loads(stored["body"]), status=stored["status"], headers={"Idempotent-Replay": "true"})


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="sandbox"'}

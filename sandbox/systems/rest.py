"""The common parts of the REST stand-ins (ERP, credit scoring): authorisation, and idempotent answers."""

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.systems import database, tokens
from sandbox.systems.http_server import problem
from sandbox.systems.tokens import Tokens

SCHEMA = """
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
    """The database of a REST stand-in, with tables for tokens and for answers besides its own."""
    return database.open_database(path, tokens.SCHEMA, SCHEMA, schema)


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
        self._api_key = api_key
        self.tokens = Tokens(database, client_id=client_id, client_secret=client_secret)

    def middleware(self) -> Middleware:
        """Answers 401 to requests below `/api/` that carry neither a known key nor a live token."""

        @web.middleware
        async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
            if "/api/" in request.path and not self._admits(request):
                return problem(
                    401,
                    "unauthorized",
                    "The request has no valid X-Api-Key and no valid bearer token. Send one of them.",
                    headers=_CHALLENGE,
                )
            return await handler(request)

        return admit

    def _admits(self, request: web.Request) -> bool:
        return request.headers.get("X-Api-Key") == self._api_key or self.tokens.admit(request)


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

"""A data collection rule of kind Direct over HTTP, with its checks, limits and errors.

Sources: learn.microsoft.com, "Logs Ingestion API in Azure Monitor" (address, version, 1 MB, role, 204) and "Azure
Monitor service limits"; troubleshooting guides and issues of Azure's SDKs for the bodies of 403 and 413. The bodies of
400 and 404 are not documented. The table is the one of infra/modules/logsingestion.bicep; rows are kept in memory, as
the table would have them: values of another type than the column's are null, and what has no column is dropped.

    GET    /control/rows        the rows of the table, oldest first
    DELETE /control/rows        forget them
    POST   /control/role        {"assigned": false}: the caller has lost its role, or has not got it yet
    POST   /token               a token for the client (RFC 6749 section 4.4)
"""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from sandbox.systems.database import open_database
from sandbox.systems.http_server import Fault, stand_in
from sandbox.systems.tokens import SCHEMA, Tokens

RULE: Final = "dcr-00000000000000000000000000000000"
CLIENT_ID: Final = "logs-sandbox-client"
CLIENT_SECRET: Final = "logs-sandbox-secret"  # noqa: S105 -- of the sandbox
STREAM: Final = "Custom-IntegrationEvents_CL"
SCOPE: Final = "https://monitor.azure.com/.default"
LIMIT_BYTES: Final = 1024 * 1024
_VERSION: Final = "2023-01-01"
_KEPT: Final = 200_000


class Rule:
    """The data collection rule, who may send to it, and its table."""

    def __init__(self, rule: str, stream: str, tokens: Tokens) -> None:
        self._rule, self._stream = rule, stream
        self._tokens = tokens
        self._assigned = True
        self._kept: list[dict[str, Any]] = []

    async def take(self, request: web.Request) -> web.Response:
        """POST /dataCollectionRules/{rule}/streams/{stream}: all rows of the request, or none."""
        try:
            self._admit(request)
            rows = _rows(request, await request.read())
        except _RefusedError as refused:
            return error(refused.status, refused.code, refused.message)
        self._kept += map(self._stored, rows)
        del self._kept[:-_KEPT]
        return web.Response(status=204)

    def _admit(self, request: web.Request) -> None:
        rule, stream = request.match_info["rule"], request.match_info["stream"]
        if not self._tokens.admit(request):
            raise _RefusedError(401, "InvalidToken", "The token is missing, or it is not valid any more.")
        if request.query.get("api-version") != _VERSION:
            raise _RefusedError(400, "InvalidApiVersion", f"The api-version has to be {_VERSION}.")
        if rule != self._rule:
            raise _RefusedError(404, "NotFound", f"Data collection rule with immutable Id '{rule}' not found.")
        if not self._assigned:
            text = "The authentication token provided does not have access to ingest data for the data collection rule"
            raise _RefusedError(403, "OperationFailed", f"{text} with immutable Id '{rule}'.")
        if stream != self._stream:
            raise _RefusedError(404, "NotFound", f"The data collection rule declares no stream '{stream}'.")
        if request.content_type != "application/json":
            raise _RefusedError(415, "UnsupportedMediaType", "The body has to be application/json.")

    def _stored(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: row[name] if name in row and _IS[kind](row[name]) else None for name, kind in COLUMNS.items()}

    async def rows(self, _: web.Request) -> web.Response:
        """GET /control/rows."""
        return web.json_response(self._kept)

    async def forget(self, _: web.Request) -> web.Response:
        """DELETE /control/rows."""
        self._kept.clear()
        return web.Response(status=204)

    async def role(self, request: web.Request) -> web.Response:
        """POST /control/role."""
        self._assigned = bool((await request.json())["assigned"])
        return web.Response(status=204)


def build_app(
    rule: str = RULE,
    stream: str = STREAM,
    *,
    client_id: str = CLIENT_ID,
    client_secret: str = CLIENT_SECRET,
) -> web.Application:
    """One rule with one stream."""
    database = open_database(Path(":memory:"), SCHEMA)
    tokens = Tokens(database, client_id=client_id, client_secret=client_secret, scope=SCOPE)
    one = Rule(rule, stream, tokens)
    app = stand_in(error_body=_ordered)
    app.router.add_post("/dataCollectionRules/{rule}/streams/{stream}", one.take)
    app.router.add_post("/token", tokens.give)
    app.router.add_get("/control/rows", one.rows)
    app.router.add_delete("/control/rows", one.forget)
    app.router.add_post("/control/role", one.role)
    app.router.add_post("/control/expire-tokens", tokens.expire)
    return app


def error(status: int, code: str, message: str) -> web.Response:
    """An error as Azure Monitor writes it."""
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


class _RefusedError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def _rows(request: web.Request, body: bytes) -> list[dict[str, Any]]:
    """The rows of a request; whether the limit holds before or after compression is not documented, so it is both."""
    _measure(body)
    if request.headers.get("Content-Encoding") == "gzip":
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            raise _RefusedError(400, "InvalidPayload", "The body is no gzip.") from None
        _measure(body)
    try:
        rows = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise _RefusedError(400, "InvalidPayload", "The body is no JSON.") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _RefusedError(400, "InvalidPayload", "The body has to be an array of objects.")
    return rows


def _measure(body: bytes) -> None:
    if len(body) > LIMIT_BYTES:
        allowed = f"Maximum allowed content length: {LIMIT_BYTES} bytes (1 MB)."
        raise _RefusedError(413, "ContentLengthLimitExceeded", f"{allowed} Provided content length: {len(body)} bytes.")


def _ordered(fault: Fault) -> web.Response:
    return error(fault.status or 500, "Ordered", "A fault that was asked for.")


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_IS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "long": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "datetime": _is_time,
    "dynamic": lambda _: True,
}
COLUMNS: Final = {
    "TimeGenerated": "datetime",
    "HubPartition": "string",
    "SequenceNumber": "long",
    "EnqueuedTime": "datetime",
    "EventId": "string",
    "State": "string",
    "Reason": "string",
    "TableName": "string",
    "RecordId": "string",
    "Message": "string",
    "Attempts": "long",
    "OperationTime": "datetime",
    "AcceptedTime": "datetime",
    "SettledTime": "datetime",
    "CorrelationId": "string",
    "Organisation": "string",
    "ReplayOf": "string",
    "ChangedColumns": "dynamic",
    "Effects": "dynamic",
    "Cut": "dynamic",
    "TraceParent": "string",
    "More": "dynamic",
}
"""The columns that infra/modules/logsingestion.bicep declares; a test holds all three lists to each other."""

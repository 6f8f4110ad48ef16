"""Both endpoints over HTTP, with their checks, limits and errors.

Sources: learn.microsoft.com, "Publish events to Azure Event Grid custom topics using access keys" (statuses and bodies
of errors), "Azure Event Grid quotas and limits" (1 MB for a request), REST reference of "Publish Cloud Events" of
namespaces. A token of Entra cannot be checked here: any bearer token is admitted. Events are kept in memory.

    GET    /control/events      the events that were taken, oldest first
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from sandbox.systems.http_server import Fault, stand_in

KEY: Final = "event-grid-sandbox-key"
"""The access key of the topics."""
LIMIT_BYTES: Final = 1024 * 1024
_KEPT: Final = 200_000
_BATCH, _ONE = "application/cloudevents-batch+json", "application/cloudevents+json"
_REQUIRED: Final = ("id", "source", "type", "specversion")
_EXTENSION: Final = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
_DEFINED: Final = frozenset({*_REQUIRED, "subject", "time", "datacontenttype", "dataschema", "data", "data_base64"})


class Topics:
    """What was taken, and the rules for it."""

    def __init__(self, key: str) -> None:
        self._key = key
        self.events: list[dict[str, Any]] = []

    async def to_custom_topic(self, request: web.Request) -> web.Response:
        """POST /api/events."""
        if not self._is_admitted(request, request.headers.get("aeg-sas-key")):
            return error(401, "Unauthorized", "The request authorization key is not authorized for this topic.")
        return await self._take(request, "2018-01-01", 200, "")

    async def to_namespace_topic(self, request: web.Request) -> web.Response:
        """POST /topics/{topic}:publish."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if not self._is_admitted(request, key if scheme == "SharedAccessKey" else None):
            return error(401, "Unauthorized", "The authorization of the request is not valid for this topic.")
        return await self._take(request, "2024-06-01", 200, "{}")

    def _is_admitted(self, request: web.Request, key: str | None) -> bool:
        return key == self._key or (key is None and request.headers.get("Authorization", "").startswith("Bearer "))

    async def _take(self, request: web.Request, version: str, status: int, answer: str) -> web.Response:
        if request.query.get("api-version") != version:
            return error(400, "BadRequest", f"The api-version of the request must be {version}.")
        body = await request.read()
        if len(body) > LIMIT_BYTES:
            return error(413, "RequestEntityTooLarge", f"The maximum size ({LIMIT_BYTES}) has been exceeded.")
        try:
            document = json.loads(body)
        except ValueError:
            return error(400, "BadRequest", "The request body is no JSON.")
        wanted = {_BATCH: list, _ONE: dict}.get(request.content_type)
        if wanted is None or not isinstance(document, wanted):
            return error(400, "BadRequest", "This resource is configured for CloudEvents 1.0 in structured mode.")
        events = document if isinstance(document, list) else [document]
        wrong = next((text for it in events for text in _faults(it)), None)
        if wrong or not events:
            return error(400, "BadRequest", wrong or "The batch has no event.")
        self.events += events
        del self.events[:-_KEPT]
        return web.Response(text=answer, status=status, content_type="application/json")

    async def list(self, _: web.Request) -> web.Response:
        """GET /control/events."""
        return web.json_response(self.events)


def build_app(key: str) -> web.Application:
    """Routes of both kinds of topics; all of a topic's names are there."""
    topics = Topics(key)
    app = stand_in(error_body=_ordered)
    app.router.add_post("/api/events", topics.to_custom_topic)
    app.router.add_post("/topics/{topic}:publish", topics.to_namespace_topic)
    app.router.add_get("/control/events", topics.list)
    return app


def error(status: int, code: str, message: str) -> web.Response:
    """An error as Event Grid writes it."""
    return web.json_response({"error": {"code": code, "message": message, "details": []}}, status=status)


def _ordered(fault: Fault) -> web.Response:
    return error(fault.status or 500, "Ordered", "A fault that was asked for.")


def _faults(event: Any) -> Iterator[str]:
    """What is wrong with a CloudEvent."""
    if not isinstance(event, dict):
        yield "An event is no JSON object."
        return
    for name in _REQUIRED:
        if not isinstance(event.get(name), str) or not event[name]:
            yield f"The attribute {name} is required."
    if event.get("specversion") != "1.0":
        yield "The attribute specversion must be 1.0."
    for name, value in event.items():
        if name not in _DEFINED and (not _EXTENSION.fullmatch(name) or isinstance(value, dict | list)):
            yield f"{name} cannot be an extension attribute."
    if "time" in event and not _is_timestamp(event["time"]):
        yield "The attribute time must be a timestamp of RFC 3339."


def _is_timestamp(raw: Any) -> bool:
    try:
        return datetime.fromisoformat(raw).tzinfo is not None
    except (TypeError, ValueError):
        return False

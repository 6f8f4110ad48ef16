"""The HTTP surface: OTLP for exporters, a page for people, and what tests ask."""

import zlib
from collections.abc import Callable, Iterable
from gzip import BadGzipFile, decompress

from aiohttp import web
from aiohttp.typedefs import Handler
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sandbox.systems.collector.otlp import JSON, PROTOBUF, OtlpError, Row, metrics, spans
from sandbox.systems.collector.page import page
from sandbox.systems.collector.store import Store
from sandbox.systems.http_server import stand_in

Read = Callable[[bytes, str], list[Row]]
Keep = Callable[[Iterable[Row]], None]
_INVALID_ARGUMENT = 3
"""A code of gRPC (google.rpc.Code)."""


def build_app(store: Store) -> web.Application:
    """Routes over a store."""

    async def shown(request: web.Request) -> web.Response:
        event_id = request.match_info["event"]
        return web.Response(text=page(event_id, store.trace_of(event_id)), content_type="text/html")

    async def listed(request: web.Request) -> web.Response:
        event_id = request.query.get("event")
        return web.json_response(store.trace_of(event_id) if event_id else store.spans())

    async def measured(_: web.Request) -> web.Response:
        return web.json_response(store.metrics())

    async def doubled(_: web.Request) -> web.Response:
        return web.json_response(store.twice)

    app = stand_in()
    app.router.add_post("/v1/traces", _taking(spans, store.add_spans))
    app.router.add_post("/v1/metrics", _taking(metrics, store.add_metrics))
    app.router.add_get("/traces/{event}", shown)
    app.router.add_get("/control/spans", listed)
    app.router.add_get("/control/metrics", measured)
    app.router.add_get("/control/twice", doubled)
    return app


def _taking(read: Read, keep: Keep) -> Handler:
    async def take(request: web.Request) -> web.Response:
        content_type = request.content_type
        if content_type not in {PROTOBUF, JSON}:
            return web.Response(status=415, text=f"unsupported media type: {content_type}")
        body = await request.read()
        try:
            if request.headers.get("Content-Encoding") == "gzip":
                body = decompress(body)
            keep(read(body, content_type))
        except (OtlpError, BadGzipFile, EOFError, zlib.error) as error:
            return _answer(400, content_type, Status(code=_INVALID_ARGUMENT, message=str(error)))
        return _answer(200, content_type, ExportTraceServiceResponse())

    return take


def _answer(status: int, content_type: str, message: Message) -> web.Response:
    """In the form that the request had; an empty response says that everything was taken, for metrics as for spans."""
    body = message.SerializeToString() if content_type == PROTOBUF else MessageToJson(message).encode()
    return web.Response(status=status, body=body, content_type=content_type)

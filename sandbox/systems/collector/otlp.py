"""Reads what OTLP exporters send: protobuf, or the same messages as JSON.

Source: opentelemetry.io, "OTLP Specification 1.9": OTLP/HTTP. In JSON, ids are hexadecimal in place of base64,
enumerations are numbers, and names are in camel case. Unlike a collector, which ignores names that it does not know,
this refuses them: they would be a fault of the exporter.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, TypeVar

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_IDS = frozenset({"traceId", "spanId", "parentSpanId"})
_KINDS = {0: "unspecified", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
_ERROR = 2

Row = dict[str, Any]
_Request = TypeVar("_Request", bound=Message)


class OtlpError(Exception):
    """The body is no request of OTLP; the message says why."""


def spans(body: bytes, content_type: str) -> list[Row]:
    """The spans of a request, as `span` gives them."""
    request = _parsed(ExportTraceServiceRequest(), body, content_type)
    return [span(one, of.resource) for of in request.resource_spans for scope in of.scope_spans for one in scope.spans]


def metrics(body: bytes, content_type: str) -> list[Row]:
    """The data points of a request: name, kind, unit, at, value, attributes."""
    request = _parsed(ExportMetricsServiceRequest(), body, content_type)
    return [
        row
        for of in request.resource_metrics
        for scope in of.scope_metrics
        for metric in scope.metrics
        for row in _points(metric, of.resource)
    ]


def span(one: Span, resource: Resource) -> Row:
    """A span with hexadecimal ids, times in nanoseconds, and `error`, None where it did not fail."""
    return {
        "traceId": one.trace_id.hex(),
        "spanId": one.span_id.hex(),
        "parentSpanId": one.parent_span_id.hex(),
        "name": one.name,
        "kind": _KINDS[one.kind],
        "started": one.start_time_unix_nano,
        "ended": one.end_time_unix_nano,
        "attributes": _attributes(one.attributes),
        "links": [{"traceId": link.trace_id.hex(), "spanId": link.span_id.hex()} for link in one.links],
        "error": one.status.message or "error" if one.status.code == _ERROR else None,
        "service": _attributes(resource.attributes).get("service.name"),
    }


def _points(metric: Metric, resource: Resource) -> Iterator[Row]:
    kind = metric.WhichOneof("data") or ""
    if kind not in {"sum", "gauge"}:
        raise OtlpError(f"{metric.name}: this stand-in keeps sums and gauges, and no {kind or 'metric without data'}")
    for point in getattr(metric, kind).data_points:
        yield {
            "name": metric.name,
            "kind": kind,
            "unit": metric.unit,
            "at": point.time_unix_nano,
            "value": point.as_double if point.HasField("as_double") else point.as_int,
            "attributes": _attributes(point.attributes),
            "service": _attributes(resource.attributes).get("service.name"),
        }


def _parsed(request: _Request, body: bytes, content_type: str) -> _Request:
    try:
        if content_type == PROTOBUF:
            request.ParseFromString(body)
            return request
        ParseDict(_with_bytes(json.loads(body)), request)
    except (DecodeError, ParseError, ValueError, RecursionError) as error:
        raise OtlpError(str(error)) from error
    return request


def _with_bytes(value: Any) -> Any:
    """Ids as the general JSON form of protobuf has them."""
    if isinstance(value, dict):
        return {
            name: b64encode(bytes.fromhex(it)).decode() if name in _IDS and isinstance(it, str) else _with_bytes(it)
            for name, it in value.items()
        }
    return [_with_bytes(it) for it in value] if isinstance(value, list) else value


def _attributes(pairs: Any) -> dict[str, Any]:
    found: list[KeyValue] = list(pairs)
    return {pair.key: _value(pair.value) for pair in found}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(it) for it in value.array_value.values]
    return getattr(value, kind) if kind else None

"""The collector stand-in, held against OpenTelemetry's own exporters: protobuf and JSON, whole and compressed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.json.http.metric_exporter import OTLPMetricExporter as JsonMetricExporter
from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter as JsonSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, format_span_id, format_trace_id

from tests.contract.sandbox.systems.stand_in import StandIn, Start

SPAN_EXPORTERS: dict[str, Callable[[str], SpanExporter]] = {
    "protobuf": OTLPSpanExporter,
    "protobuf, gzip": lambda address: OTLPSpanExporter(address, compression=Compression.Gzip),
    "json": JsonSpanExporter,
}
METRIC_EXPORTERS: dict[str, Callable[[str], MetricExporter]] = {
    "protobuf": OTLPMetricExporter,
    "json": JsonMetricExporter,
}


@pytest.fixture(scope="module")
def collector(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return start("collector", "--db", tmp_path_factory.mktemp("collector") / "collector.sqlite")


def provider(exporter: SpanExporter) -> TracerProvider:
    made = TracerProvider(resource=Resource.create({"service.name": "of a test"}))
    made.add_span_processor(SimpleSpanProcessor(exporter))
    return made


def trace_of(collector: StandIn, event_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = collector.control("GET", "spans", params={"event": event_id}).json()
    return found


@pytest.mark.parametrize("kind", SPAN_EXPORTERS)
def test_it_keeps_the_spans_of_each_exporter_as_they_were(collector: StandIn, kind: str) -> None:
    tracer = provider(SPAN_EXPORTERS[kind](f"{collector.url}/v1/traces")).get_tracer("test")
    with tracer.start_as_current_span(
        "process work", kind=SpanKind.CONSUMER, attributes={"integration.event.id": kind}
    ):
        with tracer.start_as_current_span("linked") as other:
            pass
        links = [Link(other.get_span_context())]
        with tracer.start_as_current_span("call", kind=SpanKind.CLIENT, links=links) as call:
            call.set_attributes({"status": 503, "share": 0.5, "failed": True, "names": ["a", "b"]})
            call.set_status(Status(StatusCode.ERROR, "away"))
    root, _, found = trace_of(collector, kind)
    context = call.get_span_context()
    assert (root["name"], root["kind"], root["parentSpanId"]) == ("process work", "consumer", "")
    assert found["spanId"] == format_span_id(context.span_id)
    assert found["traceId"] == root["traceId"] == format_trace_id(context.trace_id)
    assert found["parentSpanId"] == root["spanId"]
    assert found["attributes"] == {"status": 503, "share": 0.5, "failed": True, "names": ["a", "b"]}
    assert found["links"] == [{"traceId": root["traceId"], "spanId": format_span_id(other.get_span_context().span_id)}]
    assert (found["error"], root["error"], found["service"]) == ("away", None, "of a test")
    assert root["started"] <= found["started"] <= found["ended"] <= root["ended"]


@pytest.mark.parametrize("kind", METRIC_EXPORTERS)
def test_it_keeps_sums_and_gauges(collector: StandIn, kind: str) -> None:
    reader = PeriodicExportingMetricReader(METRIC_EXPORTERS[kind](f"{collector.url}/v1/metrics"))
    meters = MeterProvider([reader])
    meter = meters.get_meter("test")
    meter.create_counter(f"counted.{kind}", "{event}").add(3, {"state": "completed"})
    meter.create_gauge(f"measured.{kind}", "s").set(1.5)
    meters.shutdown()
    found = {it["name"]: it for it in collector.control("GET", "metrics").json()}
    counted, measured = found[f"counted.{kind}"], found[f"measured.{kind}"]
    assert (counted["kind"], counted["unit"], counted["value"]) == ("sum", "{event}", 3)
    assert counted["attributes"] == {"state": "completed"}
    assert (measured["kind"], measured["value"], measured["attributes"]) == ("gauge", 1.5, {})


def test_what_is_answered_with_503_comes_again_and_is_kept_once(collector: StandIn) -> None:
    collector.fault("POST /v1/traces", status=503, headers={"Retry-After": "0"})
    tracer = provider(OTLPSpanExporter(f"{collector.url}/v1/traces")).get_tracer("test")
    with tracer.start_as_current_span("late", attributes={"integration.event.id": "late"}):
        pass
    assert [it["name"] for it in trace_of(collector, "late")] == ["late"]
    assert collector.control("GET", "twice").json() == []


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"unknown": 1}]}]}]}', 400),
        ("application/json", b"{", 400),
        ("application/x-protobuf", b"\xff\xff", 400),
        ("text/plain", b"", 415),
    ],
    ids=["a name that OTLP does not have", "no JSON", "no protobuf", "another type"],
)
def test_it_refuses_what_is_no_otlp(collector: StandIn, content_type: str, body: bytes, status: int) -> None:
    """A collector ignores unknown names; here they would hide a fault of an exporter."""
    answer = collector.http.post(f"{collector.url}/v1/traces", data=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith(content_type)


def test_the_page_shows_a_trace_and_escapes_what_it_shows(collector: StandIn) -> None:
    tracer = provider(JsonSpanExporter(f"{collector.url}/v1/traces")).get_tracer("test")
    with tracer.start_as_current_span("<b>", attributes={"integration.event.id": "<e>"}):
        pass
    page = collector.http.get(f"{collector.url}/traces/%3Ce%3E").text
    assert "Trace of event &lt;e&gt;" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_spans_survive_a_kill(start: Start, tmp_path: Path) -> None:
    one = start("collector", "--db", tmp_path / "collector.sqlite")
    tracer = provider(JsonSpanExporter(f"{one.url}/v1/traces")).get_tracer("test")
    with tracer.start_as_current_span("kept", attributes={"integration.event.id": "kept"}):
        pass
    one.kill()
    one.start_again()
    assert [it["name"] for it in trace_of(one, "kept")] == ["kept"]

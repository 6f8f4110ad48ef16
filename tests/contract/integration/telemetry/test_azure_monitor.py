"""What Microsoft's exporter makes of our spans: the rows that the queries of infra/queries read."""

import gzip
import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource

from integration.settings import Settings
from integration.telemetry import export, metrics, spans
from integration.telemetry.azure_monitor import NamedDependencies
from integration.telemetry.spans import Kind, Span
from sandbox.client import eventually
from tests.unit.integration.settings.test_reading import environment

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CONNECTION = f"InstrumentationKey={'0' * 8}-0000-0000-0000-{'0' * 12};IngestionEndpoint=https://127.0.0.1:9/"
CALL: dict[str, spans.Value] = {
    "http.request.method": "PUT",
    "url.scheme": "https",
    "server.address": "erp.contoso.example",
    "server.port": 443,
    "peer.service": "erp",
    "integration.system": "erp",
}


@pytest.fixture
def recorded() -> list[Span]:
    """An attempt whose call has failed, where the host records its invocations in the same place."""
    found: list[Span] = []
    spans.switch_on(spans.Switch(found.extend, joins_host=True))
    with spans.recorded(spans.begin("process work", Kind.CONSUMER, CALLER, {"integration.event.id": "e1"})) as it:
        assert it is not None
        call = it.start("erp put customer", Kind.CLIENT, CALL)
        call.attributes["http.response.status_code"] = 503
        call.end("503")
    spans.switch_on(None)
    return found


def rows(recorded: list[Span]) -> list[Any]:
    resource = Resource({"service.name": "integration"})
    exporter = NamedDependencies(connection_string=CONNECTION, **export._azure())
    return [exporter._span_to_envelope(export.readable(it, resource)) for it in recorded]


def test_an_attempt_is_a_dependency_and_no_second_request(recorded: list[Span]) -> None:
    """The host's invocation is the request: one more would double the figures of `requests`."""
    attempt, _ = rows(recorded)
    assert attempt.data.base_type == "RemoteDependencyData"
    assert (attempt.data.base_data.name, attempt.data.base_data.type) == ("process work", "InProc")
    assert attempt.data.base_data.properties["integration.event.id"] == "e1"
    assert attempt.tags["ai.operation.id"] == "0af7651916cd43dd8448eb211c80319c"
    assert attempt.tags["ai.operation.parentId"] == "b7ad6b7169203331"


def test_a_call_is_a_dependency_with_its_system_status_and_failure(recorded: list[Span]) -> None:
    attempt, call = rows(recorded)
    data = call.data.base_data
    assert (data.name, data.type, data.target) == ("erp put customer", "HTTP", "erp.contoso.example")
    assert (data.result_code, data.success) == ("503", False)
    assert data.properties["integration.system"] == "erp"
    assert call.tags["ai.operation.parentId"] == attempt.data.base_data.id


def test_spans_and_metrics_arrive_and_the_exporter_has_nothing_to_complain_about(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Started as the settings of the templates do it, against something that takes everything."""
    taken: list[dict[str, Any]] = []

    class Ingestion(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            rows = json.loads(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            taken.extend(rows)
            answer = json.dumps({"itemsReceived": len(rows), "itemsAccepted": len(rows), "errors": []}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Not on the screen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ingestion)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    monkeypatch.setenv("APPLICATIONINSIGHTS_CONNECTION_STRING", CONNECTION.replace("https://127.0.0.1:9/", address))
    given = {"OTEL_TRACES_EXPORTER": export.AZURE, "OTEL_METRICS_EXPORTER": export.AZURE}
    given |= {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "100"}
    exporting = export.start(Settings.from_environment(environment(**given)))
    assert exporting is not None
    metrics.SETTLED.add("completed")
    with spans.recorded(spans.begin("process work", Kind.CONSUMER, CALLER, {"integration.event.id": "e1"})):
        pass

    def names() -> set[str]:
        bases = [row["data"]["baseData"] for row in taken]
        return {base.get("name") or base["metrics"][0]["name"] for base in bases}

    try:
        eventually(lambda: names() >= {"process work", metrics.SETTLED.name}, within=20, what="a span and a metric")
    finally:
        exporting.stop()
        spans.switch_on(None)
        metrics.switch_on(counting=False)
        server.shutdown()
    assert [it.message for it in caplog.records if it.levelno >= logging.WARNING] == []

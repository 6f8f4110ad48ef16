"""What the app exports, as a collector gets it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource

from integration.settings import Settings
from integration.telemetry import TraceParent, export, metrics, spans
from integration.telemetry.otlp import encoded
from integration.telemetry.spans import Kind, Span
from sandbox.client import eventually
from sandbox.repository import REPOSITORY
from tests.contract.sandbox.systems.conftest import start
from tests.contract.sandbox.systems.stand_in import StandIn, Start
from tests.unit.integration.settings.test_reading import environment

__all__ = ["start"]
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def collector(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return start("collector", "--db", tmp_path_factory.mktemp("collector") / "collector.sqlite")


@pytest.fixture
def exporting(collector: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[export.Exporting]:
    """Switched on, as the settings of the app do it."""
    given = {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_METRIC_EXPORT_INTERVAL": "100",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    started = export.start(Settings.from_environment(environment(**given)))
    assert started is not None
    yield started
    started.stop()
    spans.switch_on(None)
    metrics.switch_on(counting=False)


def found(collector: StandIn, event_id: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = collector.control("GET", "spans", params={"event": event_id}).json()
    return rows


def test_nothing_starts_where_the_settings_say_none() -> None:
    assert export.start(Settings.from_environment(environment())) is None


def test_one_package_exports_and_nothing_else_knows_of_opentelemetry() -> None:
    """Who would set up an exporter elsewhere would record something twice."""
    names = re.compile(r"^\s*(?:from|import) (?:opentelemetry|azure\.monitor)", re.MULTILINE)
    app = [*(REPOSITORY / "integration").rglob("*.py"), REPOSITORY / "function_app.py"]
    found = {path.relative_to(REPOSITORY).parent.as_posix() for path in app if names.search(path.read_text("utf-8"))}
    assert found == {"integration/telemetry"}


def test_an_app_without_telemetry_imports_nothing_of_opentelemetry() -> None:
    """A cold start waits for no library that nobody uses."""
    program = "import sys, function_app; print([it for it in sys.modules if 'opentelemetry' in it])"
    environ = {**os.environ, **environment()}
    answer = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)  # noqa: S603 -- the app itself
    assert answer.stdout.strip() == "[]"


def test_a_recording_arrives_as_it_was(collector: StandIn, exporting: export.Exporting) -> None:
    with spans.recorded(spans.begin("process work", Kind.CONSUMER, CALLER, {"integration.event.id": "e1"})) as it:
        assert it is not None
        call = it.start("erp put customer", Kind.CLIENT, {"http.request.method": "PUT"})
        call.attributes["http.response.status_code"] = 503
        call.end("503")
    eventually(lambda: found(collector, "e1"), within=10, what="the spans of e1")
    root, child = found(collector, "e1")
    assert (root["traceId"], root["parentSpanId"]) == (it.root.context.trace_id, "b7ad6b7169203331")
    assert (root["spanId"], root["kind"], root["error"]) == (it.root.context.span_id, "consumer", None)
    assert (child["parentSpanId"], child["kind"], child["error"]) == (root["spanId"], "client", "503")
    assert child["attributes"] == {
        "http.request.method": "PUT",
        "http.response.status_code": 503,
        "error.type": "503",
    }
    assert root["service"] == "dataverse-integration"
    assert (root["started"], root["ended"]) == (it.root.started, it.root.ended)


def test_what_is_counted_arrives(collector: StandIn, exporting: export.Exporting) -> None:
    metrics.ACCEPTED.add("a test")

    def counted() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = collector.control("GET", "metrics").json()
        return [it for it in rows if it["attributes"] == {"integration.source": "a test"}]

    eventually(counted, within=10, what="the metric")
    assert {(it["name"], it["kind"], it["unit"], it["value"]) for it in counted()} == {
        ("integration.events.accepted", "sum", "{event}", 1)
    }


def test_what_is_left_is_exported_at_the_end(collector: StandIn, exporting: export.Exporting) -> None:
    with spans.recorded(spans.begin("last", Kind.CONSUMER, None, {"integration.event.id": "last"})):
        pass
    began = time.monotonic()
    exporting.stop()
    assert time.monotonic() - began < 5
    assert [it["name"] for it in found(collector, "last")] == ["last"]


def test_our_json_is_what_opentelemetrys_exporter_would_send() -> None:
    """Of a span of every kind, with each type of value, a parent, a link, and a failure."""
    recorded: list[Span] = []
    spans.switch_on(spans.Switch(recorded.extend))
    for kind in Kind:
        recording = spans.begin(f"a {kind.name}", kind, CALLER, {"text": "é", "number": 7, "share": 0.5, "so": True})
        assert recording is not None
        recording.root.links = (TraceParent("a" * 32, "b" * 16),)
        recording.root.error = "erp-unavailable" if kind is Kind.CLIENT else ""
        recording.end()
    spans.switch_on(None)
    resource = Resource({"service.name": "integration"})
    theirs = encode_spans([export.readable(it, resource) for it in recorded]).to_dict()
    ours = json.loads(encoded(recorded, dict(resource.attributes), "integration"))
    assert _plain(ours) == _plain(theirs)


def _plain(value: Any) -> Any:
    """Without what says nothing: empty lists and texts, and flags, which exporters may leave out."""
    if isinstance(value, dict):
        found = {name: _plain(it) for name, it in value.items() if name != "flags"}
        return {name: it for name, it in found.items() if it not in ({}, [], "", None, 0)}
    return [_plain(it) for it in value] if isinstance(value, list) else value

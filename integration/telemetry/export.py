"""The one place that exports: spans and metrics, through OpenTelemetry's SDK and its exporters.

It is imported where something is switched on, and only its own thread imports the SDK, so that a start waits for
neither. Which exporter it is, OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER say. OTLP goes over HTTP as JSON: protobuf
in an app has crashed the Functions worker, which has one of its own (azure-functions-python-worker #1797, #1858,
#1908).
"""

import atexit
import gc
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from integration.settings import Settings
from integration.telemetry import metrics, spans
from integration.telemetry.logs import get_logger
from integration.telemetry.spans import Span

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

AZURE: Final = "azure_monitor_opentelemetry_exporter"
_NONE: Final = "none"
_MOST_WAITING: Final = 20_000
"""Spans; where the collector is away, the oldest are lost."""
_BATCH: Final = 512
_ENDING_SECONDS: Final = 5.0
_SCOPE: Final = "integration"
_log = get_logger(__name__)


def start(settings: Settings) -> "Exporting | None":
    """Begin to record and to export, as the settings say; None where they say none."""
    if settings.traces_exporter == settings.metrics_exporter == _NONE:
        return None
    exporting = Exporting(settings)
    if settings.traces_exporter != _NONE:
        joins_host = settings.traces_exporter == AZURE
        spans.switch_on(spans.Switch(exporting.take, settings.traces_sampled, joins_host=joins_host))
    if settings.metrics_exporter != _NONE:
        metrics.switch_on()
    exporting.start()
    return exporting


class Exporting:
    """Takes spans from whoever has recorded them, and exports them every few seconds in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: deque[Span] = deque(maxlen=_MOST_WAITING)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)

    def start(self) -> None:
        """Start the thread; when the process ends, it exports what is left."""
        atexit.register(self.stop)
        self._thread.start()

    def take(self, recorded: Sequence[Span]) -> None:
        """Export these soon."""
        self._waiting.extend(recorded)

    def stop(self) -> None:
        """Export what is left, for five seconds at most."""
        self._ending.set()
        self._thread.join(_ENDING_SECONDS)

    def _run(self) -> None:
        try:
            resource = _resource(self._settings)
            to = _spans_to(self._settings.traces_exporter, resource)
            provider = None
            if self._settings.metrics_exporter != _NONE:
                provider = _meters(_metric_exporter(self._settings.metrics_exporter), resource, self._settings)
        except Exception as error:  # noqa: BLE001 -- an app without telemetry goes on
            _log.error("telemetry-off", error=error)
            spans.switch_on(None)
            return
        gc.freeze()  # as in function_app.py: what was imported stays, and need not be looked through for garbage
        over = False
        while not over:
            over = self._ending.wait(self._settings.spans_every / 1000)
            if to is not None:
                self._export(to.export)
        if provider is not None:
            provider.shutdown()
        if to is not None:
            to.shutdown()

    def _export(self, export: Callable[[Sequence[Span]], object]) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            try:
                export(batch)
            except Exception as error:  # noqa: BLE001 -- an exporter's defect ends neither the thread nor the app
                _log.warning("spans-not-exported", error=error, count=len(batch))


def _resource(settings: Settings) -> "Resource":
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 -- see the module's docstring

    own = {"service.name": settings.service_name}
    if instance := os.environ.get("WEBSITE_INSTANCE_ID"):
        own["service.instance.id"] = instance
    return Resource.create(own)


@dataclass(frozen=True, slots=True)
class _SpansTo:
    """Where spans go: how they are exported, and how that ends."""

    export: Callable[[Sequence[Span]], object]
    shutdown: Callable[[], object]


def _spans_to(name: str, resource: "Resource") -> _SpansTo | None:
    if name == _NONE:
        return None
    if name == AZURE:
        from integration.telemetry.azure_monitor import NamedDependencies  # noqa: PLC0415 -- as above

        azure = NamedDependencies(**_azure())
        return _SpansTo(lambda spans: azure.export([readable(span, resource) for span in spans]), azure.shutdown)
    from integration.telemetry.otlp import RecordedSpanExporter  # noqa: PLC0415 -- as above

    otlp, about = RecordedSpanExporter(), dict(resource.attributes)
    return _SpansTo(lambda spans: otlp.export_recorded(spans, about, _SCOPE), otlp.shutdown)


def _metric_exporter(name: str) -> "MetricExporter":
    if name == AZURE:
        from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter  # noqa: PLC0415 -- as above

        return AzureMonitorMetricExporter(**_azure())
    from opentelemetry.exporter.otlp.json.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415 -- as above

    return OTLPMetricExporter()


def _azure() -> dict[str, Any]:
    """It finds connection string and sign-in in the environment. It keeps nothing on disk and reports nothing else.

    Otherwise it would report on itself to Microsoft and ask there how it is to work, over the network and in threads of
    its own, and it would send a metric about the resource with every batch.
    """
    for name in ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED"):
        os.environ.setdefault(f"APPLICATIONINSIGHTS_{name}", "true")
    os.environ.setdefault("APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED", "true")
    return {"disable_offline_storage": True}


def _meters(to: "MetricExporter", resource: "Resource", settings: Settings) -> Any:
    """Instruments that observe what the app counts; nothing else of the SDK is in the way of an event."""
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 -- as above
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415 -- as above

    reader = PeriodicExportingMetricReader(to, export_interval_millis=settings.metrics_every)
    provider = MeterProvider([reader], resource, shutdown_on_exit=False)
    metrics.observe(provider.get_meter(_SCOPE))
    return provider


def readable(span: Span, resource: "Resource") -> "ReadableSpan":
    """The span as one of the SDK's, which exporters of others take."""
    from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415 -- as above
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415 -- as above
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags  # noqa: PLC0415 -- as above

    def context(trace_id: str, span_id: str, *, remote: bool) -> SpanContext:
        return SpanContext(int(trace_id, 16), int(span_id, 16), remote, TraceFlags(TraceFlags.SAMPLED))

    it = span.context
    attributes = {**span.attributes, "error.type": span.error} if span.error else span.attributes
    return ReadableSpan(
        span.name,
        context(it.trace_id, it.span_id, remote=False),
        context(it.trace_id, span.parent_id, remote=True) if span.parent_id else None,
        resource,
        attributes,
        links=[Link(context(to.trace_id, to.span_id, remote=True)) for to in span.links],
        kind=SpanKind(span.kind.value),
        status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.UNSET),
        start_time=span.started,
        end_time=span.ended,
        instrumentation_scope=InstrumentationScope(_SCOPE),
    )

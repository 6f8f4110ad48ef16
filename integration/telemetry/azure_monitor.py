"""Microsoft's exporter of spans, which calls dependencies by the address and not by what was done."""

from typing import Any

from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter
from opentelemetry.sdk.trace import ReadableSpan


class NamedDependencies(AzureMonitorTraceExporter):
    """Keeps the names of spans: without it every call of a method to a system has one name, such as `PUT /`."""

    def _span_to_envelope(self, span: ReadableSpan) -> Any:
        envelope: Any = super()._span_to_envelope(span)
        envelope.data.base_data.name = span.name
        return envelope

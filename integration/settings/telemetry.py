"""Where spans and metrics go, by the names that OpenTelemetry gives these settings."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, SecretStr

from integration.settings.part import Part, optional
from integration.settings.types import Url

Exporter: TypeAlias = Literal["none", "otlp", "azure_monitor_opentelemetry_exporter"]
_Milliseconds: TypeAlias = Annotated[int, Field(ge=100, le=600_000)]


class Telemetry(Part):
    """Where spans and metrics go. The exporters read what else OpenTelemetry specifies from the environment."""

    traces_exporter: Exporter = Field(
        default="none",
        alias="OTEL_TRACES_EXPORTER",
        description="Where spans go: otlp to a collector (HTTP), azure_monitor_opentelemetry_exporter to the "
        "Application Insights of the app. With none, nothing is recorded.",
    )
    metrics_exporter: Exporter = Field(
        default="none", alias="OTEL_METRICS_EXPORTER", description="Where metrics go; the same values."
    )
    traces_sampled: float = Field(
        default=1.0,
        alias="OTEL_TRACES_SAMPLER_ARG",
        description="Which part of all traces is sampled, from 0 to 1. An attempt that fails, and what follows it, is "
        "recorded in any case.",
        ge=0,
        le=1,
    )
    otlp_endpoint: Url | None = optional(
        "OTEL_EXPORTER_OTLP_ENDPOINT", "Address of the collector, without /v1/traces; needed for otlp."
    )
    otlp_headers: SecretStr | None = optional(
        "OTEL_EXPORTER_OTLP_HEADERS", "Headers for the collector, such as a key: name=value, separated by commas."
    )
    service_name: str = Field(
        default="dataverse-integration",
        alias="OTEL_SERVICE_NAME",
        description="What the app is called in spans and metrics.",
    )
    spans_every: _Milliseconds = Field(
        default=5_000, alias="OTEL_BSP_SCHEDULE_DELAY", description="How often spans are exported, in milliseconds."
    )
    metrics_every: _Milliseconds = Field(
        default=60_000,
        alias="OTEL_METRIC_EXPORT_INTERVAL",
        description="How often metrics are exported, in milliseconds.",
    )

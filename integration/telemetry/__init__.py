"""What the app says about itself: logs, and of each event one trace; the metrics are in `metrics`."""

from integration.telemetry.logs import (
    Fields,
    Logger,
    Subject,
    detailed,
    detailed_event,
    get_logger,
    line,
    quieten_libraries,
)
from integration.telemetry.trace_parent import TraceParent, child_of

__all__ = [
    "Fields",
    "Logger",
    "Subject",
    "TraceParent",
    "child_of",
    "detailed",
    "detailed_event",
    "get_logger",
    "line",
    "quieten_libraries",
]

"""The collector: the spans of an event, and metrics."""

from typing import Any

from sandbox.client.stand_in import StandIn

Found = list[dict[str, Any]]


class Collector(StandIn):
    """What the app has exported so far; see sandbox/systems/collector/otlp.py for the rows."""

    def trace_of(self, event_id: str) -> Found:
        """All spans of the traces that an event is in, oldest first."""
        found: Found = self._control("GET", "spans", params={"event": event_id}).json()
        return found

    def spans(self) -> Found:
        """All spans, oldest first."""
        found: Found = self._control("GET", "spans").json()
        return found

    def metrics(self) -> Found:
        """All data points, oldest first."""
        found: Found = self._control("GET", "metrics").json()
        return found

    def twice(self) -> list[str]:
        """The ids of spans that came more than once."""
        found: list[str] = self._control("GET", "twice").json()
        return found

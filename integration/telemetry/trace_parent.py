"""W3C Trace Context: which trace something belongs to, and under which span."""

import re
import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TraceParent:
    """W3C Trace Context, version 00: one trace from the intake to the sink, with a span for each step."""

    trace_id: str
    span_id: str
    sampled: bool = True

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def child(self) -> "TraceParent":
        """A new span in the same trace."""
        return TraceParent(self.trace_id, secrets.token_hex(8), self.sampled)

    @classmethod
    def new(cls) -> "TraceParent":
        """The first span of a new trace."""
        return cls(secrets.token_hex(16), secrets.token_hex(8))

    @classmethod
    def parse(cls, header: str | None) -> "TraceParent | None":
        """From a `traceparent` header; None if it is missing or not valid (then start a new trace)."""
        found = _TRACEPARENT.fullmatch((header or "").strip())
        if found is None or found["version"] == "ff" or not int(found["trace"], 16) or not int(found["span"], 16):
            return None
        if found["version"] == "00" and found["more"]:
            return None
        return cls(found["trace"], found["span"], bool(int(found["flags"], 16) & 1))


def child_of(header: str | None) -> TraceParent:
    """A span under the one that `header` names, or the first of a new trace."""
    parent = TraceParent.parse(header)
    return parent.child() if parent else TraceParent.new()


_TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)

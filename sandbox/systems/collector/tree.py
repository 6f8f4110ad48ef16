"""The spans of a trace as a tree, for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.systems.collector.otlp import Row

_OWN = ("integration.state", "integration.source", "integration.sink", "integration.due")


@dataclass(frozen=True, slots=True)
class Branch:
    """A span in its place: `depth` from the root, `after` the first span in seconds, and how long it took."""

    depth: int
    span: Row
    after: float
    seconds: float

    @property
    def said(self) -> str:
        """What is to be said of it besides its name: attempt, state, status, why it failed."""
        attributes = self.span["attributes"]
        found = [str(attributes[name]) for name in _OWN if name in attributes]
        if "process" in self.span["name"] and "integration.attempt" in attributes:
            found.insert(0, f"attempt {attributes['integration.attempt']}")
        if "http.response.status_code" in attributes:
            found.append(str(attributes["http.response.status_code"]))
        error = self.span["error"]
        return ", ".join([*found, error] if error and error not in found else found)


def branches(spans: Sequence[Row]) -> Iterator[Branch]:
    """The spans, each below its parent and in the order of time; those whose parent is not there begin a tree."""
    if not spans:
        return
    known = {span["spanId"] for span in spans}
    below: dict[str, list[Row]] = {}
    for span in sorted(spans, key=lambda it: it["started"]):
        parent = span["parentSpanId"]
        below.setdefault(parent if parent in known else "", []).append(span)
    first = min(span["started"] for span in spans)

    def walk(parent: str, depth: int) -> Iterator[Branch]:
        for span in below.get(parent, ()):
            yield Branch(depth, span, (span["started"] - first) / 1e9, (span["ended"] - span["started"]) / 1e9)
            yield from walk(span["spanId"], depth + 1)

    yield from walk("", 0)

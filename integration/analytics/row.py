"""One settled event as a sink gets it: what the hub says of it, and what it says itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

_ENVELOPE: Final = frozenset(
    {
        *("specversion", "id", "source", "type", "subject", "time", "datacontenttype"),
        *("correlationid", "traceparent", "tracestate"),
    }
)
_SHORT: Final = frozenset(
    {
        "eventId",
        "correlationId",
        "organisation",
        "table",
        "recordId",
        "message",
        "state",
        "reason",
        "attempts",
        "replayOf",
        "operationTime",
        "acceptedTime",
        "settledTime",
    }
)
"""Fields of `data` that stay when a row is cut."""
_DEEPEST: Final = 100
CUT: Final = "cut"
"""The field of `data` that names what was cut."""
KNOWN: Final = frozenset({*_ENVELOPE, *(f"data.{name}" for name in (*_SHORT, "changedColumns", "effects", CUT))})
"""The columns of settled events (worker/settled.py); a sink keeps others too, and a warning names them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event as the hub delivered it; `enqueued_time` in UTC. `document` is None if the body is no JSON object.

    The place, which is `partition` and `sequence_number`, names it for good: two rows of one place are the same row,
    delivered twice.
    """

    partition: str
    sequence_number: int
    enqueued_time: datetime
    body: bytes
    document: Mapping[str, Any] | None
    was_set_aside: bool = field(default=False, compare=False)
    """The sink that it goes to refused it before, wrote what stood behind it, and is given it again."""

    @classmethod
    def read(cls, partition: str, sequence_number: int, enqueued_time: datetime, body: bytes) -> "Row":
        """From what the hub delivers; never raises, whatever the body is.

        What is nested more than a hundred levels deep counts as unreadable: not every reader could read it either.
        """
        try:
            document = json.loads(body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict) or _is_deep(body, document):
            document = None
        return cls(partition, sequence_number, enqueued_time, body, document)

    @property
    def is_settled(self) -> bool:
        """Whether it is a settled event: it has an id, and says how the event ended."""
        document = self.document or {}
        data = document.get("data")
        return isinstance(document.get("id"), str) and isinstance(data, dict) and isinstance(data.get("state"), str)

    @property
    def event_id(self) -> str | None:
        """The event id, if it can be read."""
        event_id = (self.document or {}).get("id")
        return event_id if isinstance(event_id, str) else None

    @property
    def place(self) -> dict[str, Any]:
        """What every sink writes beside the event, so that its readers can drop what was delivered twice."""
        return {"partition": self.partition, "sequenceNumber": self.sequence_number}

    def new_columns(self) -> frozenset[str]:
        """Names of columns that no settled event has had so far; never their values."""
        document = self.document or {}
        data = document.get("data")
        inner = data if isinstance(data, dict) else {}
        return frozenset({*(document.keys() - {"data"}), *(f"data.{name}" for name in inner)}) - KNOWN

    def shortened(self) -> "Row":
        """Without what can be long; `data.cut` names the columns that it had."""
        document = self.document or {}
        data = document.get("data", {})
        left_out = sorted({name for name in data if name not in _SHORT} | (document.keys() - _ENVELOPE - {"data"}))
        kept = {name: value for name, value in data.items() if name in _SHORT}
        envelope = {name: value for name, value in document.items() if name in _ENVELOPE}
        return replace(self, document={**envelope, "data": {**kept, CUT: left_out}})


def _refuse(name: str) -> Any:
    """NaN and Infinity are no JSON (RFC 8259), though Python reads them."""
    raise ValueError(name)


def _is_deep(body: bytes, document: Any) -> bool:
    """Whether it is nested too deeply; a body with few brackets cannot be."""
    if body.count(b"[") + body.count(b"{") <= _DEEPEST:
        return False
    level = [document]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def encoded(document: Mapping[str, Any]) -> bytes:
    """JSON on one line. ASCII: a half of a surrogate pair, which JSON can have, is no UTF-8."""
    return json.dumps(document, separators=(",", ":")).encode()


def span_of(rows: Sequence[Row]) -> str:
    """Names the rows of a file by their partition, the first and the last number; names sort in the hub's order."""
    first, last = rows[0], rows[-1]
    return f"partition-{first.partition}-{first.sequence_number:020d}-{last.sequence_number:020d}"

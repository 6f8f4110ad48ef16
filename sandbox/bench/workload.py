"""What is sent: a captured webhook of 14 KB, an account's Update with images, each time about a record of its own.

Every event happens now: it has an operation, request and correlation id of its own, and the present time.
"""

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.bench.load import Call
from sandbox.repository import PAYLOADS

_CAPTURED = PAYLOADS / "webhook_async_update_account_2019.json"
_PATH = "/api/dataverse/webhook"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: the account it is about, and the body of its webhook."""

    record: str
    body: str


class Workload:
    """Makes events, all of them different."""

    def __init__(self) -> None:
        self._template: dict[str, Any] = json.loads(_CAPTURED.read_text(encoding="utf-8-sig"))

    def events(self, count: int) -> list[Event]:
        """So many events that happen at this moment."""
        return [self._event(str(uuid.uuid4())) for _ in range(count)]

    def _event(self, record: str) -> Event:
        target = self._template["InputParameters"][0]
        context = self._template | {
            "PrimaryEntityId": record,
            "InputParameters": [{**target, "value": {**target["value"], "Id": record}}],
            "OperationCreatedOn": f"/Date({time.time_ns() // 1_000_000}+0000)/",
            **{name: str(uuid.uuid4()) for name in ("OperationId", "RequestId", "CorrelationId")},
        }
        return Event(record, json.dumps(context))


def calls(events: Sequence[Event], key: str) -> list[Call]:
    """The requests that deliver `events` to an intake with this key."""
    path = f"{_PATH}?code={key}"
    return [Call("POST", path, {"Content-Type": "application/json"}, event.body) for event in events]

"""The documents in queue, hub and archive: examples made by the code, and a description of every field."""

import asyncio
import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from azure.storage.blob import ContainerClient

from documentation.blocks import code, table
from documentation.descriptions import described
from integration.analytics.row import Row
from integration.analytics.sinks.archive import ArchiveSink
from integration.events import Choice, IntegrationEvent, Money, to_envelope
from integration.events.model import Claim
from integration.ledger import State
from integration.worker.settled import encoded, settled_document

_AT = datetime(2026, 11, 20, 19, 5, tzinfo=UTC)
_EVENT = IntegrationEvent(
    event_id="202611201905-0123456789abcdef0123456789abcdef",
    table="account",
    message="Update",
    record_id="c1d2e3f4-0000-4000-8000-000000000001",
    organisation="0a1b2c3d-0000-4000-8000-000000000002",
    correlation_id="7e8f9a0b-0000-4000-8000-000000000003",
    operation_time=_AT,
    accepted_time=_AT + timedelta(seconds=1),
    user_id="5c6d7e8f-0000-4000-8000-000000000004",
    initiating_user_id="5c6d7e8f-0000-4000-8000-000000000004",
    changed_columns=("creditlimit", "industrycode", "name"),
    values={"name": "Contoso", "creditlimit": Money(Decimal("10000.00")), "industrycode": Choice(7)},
    pre_image={"name": "Contoso Ltd."},
    caller="dataverse",
    traceparent="00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
    tracestate="vendor=00f067aa0ba902b7",
)
EVERYTHING = replace(
    _EVENT,
    parameters={"ConcurrencyBehavior": Choice(0)},
    post_image={"name": "Contoso"},
    tag="import",
    trimmed=True,
    unread=("data.values.picture",),
    uncommitted=True,
    expected={"name": "Contoso"},
    attempt=2,
    first_failed_at=_AT,
    replay_of="202611191200-0123456789abcdef0123456789abcdef",
    forced=True,
    cause="change tracking lists the row",
    row_version=919042,
    settled={"type": "integration.settled"},
    claim=Claim("0" * 64, 431_072),
)
"""An event in which no field has its default, so that its envelope has every field."""


def envelope(event: IntegrationEvent = _EVENT) -> dict[str, Any]:
    """An event as it is in the work queue."""
    return cast("dict[str, Any]", json.loads(to_envelope(event)))


def settled() -> dict[str, Any]:
    """The same event as it is published to the hub when it has ended."""
    return cast("dict[str, Any]", json.loads(_settled()))


def archived(body: bytes | None = None) -> dict[str, Any]:
    """A line of the archive: the same event, or something else that came through the hub."""
    blobs: list[bytes] = []

    class Container:
        """Keeps what is uploaded."""

        def create_container(self) -> None:
            """Exists."""

        def upload_blob(self, _name: str, content: bytes, **_options: object) -> None:
            blobs.append(content)

    sink = ArchiveSink(lambda: cast(ContainerClient, Container()))
    asyncio.run(sink.write([Row.read("3", 1234, _AT + timedelta(seconds=2), body or _settled())]))
    return cast("dict[str, Any]", json.loads(gzip.decompress(blobs[0])))


def example(document: dict[str, Any]) -> str:
    """`document` as a block of JSON."""
    return f"```json\n{json.dumps(document, indent=2, ensure_ascii=False)}\n```"


def fields_part(subject: str, document: dict[str, Any]) -> str:
    """Every field of `document`, with its description in `descriptions/<subject>.toml`."""
    rows = [[code(name), text["holds"]] for name, text in described(subject, fields(document)).items()]
    return table(["field", "what it holds"], rows)


def fields(document: dict[str, Any]) -> list[str]:
    """The names of a document's fields, those of `data` behind a dot."""
    return [name for name in document if name != "data"] + [f"data.{name}" for name in document.get("data", {})]


def _settled() -> bytes:
    effects = {"erp-customer": {"customerNumber": "C-000042"}}
    return encoded(settled_document(_EVENT, State.COMPLETED, at=_AT + timedelta(seconds=2), effects=effects))

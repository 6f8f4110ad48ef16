"""What sinks write to, each as its readers see it, and with a line to it that can be cut."""

import gzip
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from azure.eventhub import EventData, EventDataBatch

from integration.analytics.delta_table import OpenTable
from integration.analytics.sink import Sink
from integration.analytics.sinks.archive import ArchiveSink
from integration.analytics.sinks.delta import DeltaSink
from integration.analytics.sinks.event_grid import EventGridSink
from integration.analytics.sinks.fabric import FabricSink
from integration.analytics.sinks.lake import LakeSink
from integration.analytics.sinks.log_analytics import SCOPE, SERVICE, LogAnalyticsSink
from integration.clock import SystemClock
from integration.errors import Outage
from integration.messaging.event_grid import EventGridTopic, authorizer
from integration.transport import Authorizer, CallContext, Host, Request, Response, Transport, client_credentials
from sandbox.systems.logs_ingestion.api import RULE, STREAM
from tests.delta import read_delta
from tests.memory_container import MemoryContainer
from tests.parquet import read_parquet

MOST_BYTES: Final = 4_000
"""Of a request in these tests: a few rows fit."""
Kept = Mapping[str, Any]


class Target(ABC):
    """A place that a sink writes to. `limited`: its requests have a largest size."""

    sink: Sink
    limited = True

    @abstractmethod
    async def kept(self) -> list[Kept]:
        """All that it has, in the order in which it came, also what came twice."""

    @abstractmethod
    def identity(self, kept: Kept) -> object:
        """By which a reader knows what was delivered twice."""

    @abstractmethod
    def takes(self, requests: int | None) -> None:
        """It takes so many more requests, and then none; None ends that."""

    @abstractmethod
    def field(self, kept: Kept, name: str) -> Any:
        """What a reader finds in place of a field of `data`."""

    def event_id(self, kept: Kept) -> Any:
        """The event id."""
        return self.field(kept, "eventId")

    def refuses(self, event_id: str) -> None:
        """It will not take a request with this event."""
        raise NotImplementedError

    async def read(self) -> dict[object, Kept]:
        """What a reader reads: each row once."""
        return {self.identity(it): it for it in await self.kept()}


class _Documents(Target):
    """What keeps settled events as the documents that they are."""

    def identity(self, kept: Kept) -> object:
        return kept["partition"], kept["sequenceNumber"]

    def field(self, kept: Kept, name: str) -> Any:
        return kept["data"].get(name)


class Archive(_Documents):
    """Files of JSON Lines; a batch is one file, however large it is."""

    limited = False

    def __init__(self) -> None:
        self._container = MemoryContainer()
        self.sink = ArchiveSink(self._container)

    async def kept(self) -> list[Kept]:
        lines = [line for blob in self._container.blobs.values() for line in gzip.decompress(blob).splitlines()]
        return [it for it in map(json.loads, lines) if "unreadable" not in it]

    def takes(self, requests: int | None) -> None:
        self._container.takes = requests


class _Rows(Target):
    """What keeps settled events as rows of the table, whose JSON is text."""

    def identity(self, kept: Kept) -> object:
        return kept["HubPartition"], kept["SequenceNumber"]

    def field(self, kept: Kept, name: str) -> Any:
        column = name[0].upper() + name[1:]
        if column in {"Effects", "ChangedColumns", "Cut"}:
            return json.loads(kept[column] or "null")
        return kept[column] if column in kept else json.loads(kept["More"] or "{}").get(f"data.{name}")


class Lake(_Rows):
    """Parquet, as DuckDB reads it."""

    limited = False

    def __init__(self) -> None:
        self._container = MemoryContainer()
        self.sink = LakeSink(self._container)

    async def kept(self) -> list[Kept]:
        return [row for content in self._container.blobs.values() for row in read_parquet(content)]

    def takes(self, requests: int | None) -> None:
        self._container.takes = requests


class Delta(_Rows):
    """A Delta table in a folder, with no order but that of its columns. A file is in its place while it is away."""

    def __init__(self, folder: Path) -> None:
        self.place, self._away = folder / "table", folder / "away"
        self._takes: int | None = None
        self.sink = self.another()

    def another(self, hub: str = "hub") -> DeltaSink:
        """A sink of another instance of the app, which writes to the same table."""
        return DeltaSink(OpenTable(str(self.place), self._connect), hub=hub, most_bytes=MOST_BYTES)

    def _connect(self) -> Mapping[str, str]:
        """A sink asks for the way to the table before each commit."""
        if self._takes == 0:
            self._leave()
        self._takes = self._takes and self._takes - 1
        return {}

    def _leave(self) -> None:
        if self.place.is_dir():
            self.place.rename(self._away)
        self.place.touch()

    def takes(self, requests: int | None) -> None:
        self._takes = requests
        if self.place.is_file():
            self.place.unlink()
        if self._away.is_dir():
            self._away.rename(self.place)

    async def kept(self) -> list[Kept]:
        self.takes(self._takes)
        return [*read_delta(str(self.place), {})]


class _Line:
    """The network between a sink and a service: it can be cut, and it has something refuse rows."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.takes: int | None = None
        self.refused: set[str] = set()
        self.requests: list[Request] = []

    async def send(self, request: Request, *, authorizer: Authorizer | None, context: CallContext) -> Response:
        if self.takes is not None:
            self.takes -= 1
            if self.takes < 0:
                raise Outage("nobody is there", reason="unreachable")
        self.requests.append(request)
        body = request.body or b""
        text = gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body
        if any(event_id.encode() in text for event_id in self.refused):
            return Response(request, 400, {}, b"")
        return await self._transport.send(request, authorizer=authorizer, context=context)


class _Service(Target):
    def __init__(self, url: str) -> None:
        self._url = url
        self.transport = Transport([Host(url)], clock=SystemClock())
        self.line = _Line(self.transport)

    def takes(self, requests: int | None) -> None:
        self.line.takes = requests

    def refuses(self, event_id: str) -> None:
        self.line.refused.add(event_id)

    async def _get(self, path: str) -> list[Kept]:
        request = Request("control", "read", "GET", f"{self._url}/control/{path}")
        answer = await self.transport.send(request)
        found: list[Kept] = json.loads(answer.body)
        return found


class EventGrid(_Service):
    """A custom topic. Readers know an event by its id, as CloudEvents says."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        endpoint = f"{url}/api/events"
        key = authorizer(endpoint, "event-grid-sandbox-key", None, SystemClock())
        self.sink = EventGridSink(EventGridTopic(self.line, endpoint, key), most_bytes=MOST_BYTES)

    async def kept(self) -> list[Kept]:
        return await self._get("events")

    def identity(self, kept: Kept) -> object:
        return kept["id"]

    def field(self, kept: Kept, name: str) -> Any:
        return kept["data"].get(name)


class LogAnalytics(_Service):
    """A custom table of a Log Analytics workspace."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.tokens = client_credentials(
            self.transport,
            service=SERVICE,
            token_url=f"{url}/token",
            client_id="logs-sandbox-client",
            client_secret="logs-sandbox-secret",
            scope=SCOPE,
            clock=SystemClock(),
        )
        self.sink = LogAnalyticsSink(
            self.line, self.tokens, endpoint=url, rule=RULE, stream=STREAM, most_bytes=MOST_BYTES
        )

    async def kept(self) -> list[Kept]:
        return await self._get("rows")

    def identity(self, kept: Kept) -> object:
        return kept["HubPartition"], kept["SequenceNumber"]

    def field(self, kept: Kept, name: str) -> Any:
        column = name[0].upper() + name[1:]
        return kept[column] if column in kept else (kept["More"] or {}).get(f"data.{name}")


class Fabric(_Documents):
    """A hub, as its producer sees it; the batches are those of the SDK."""

    def __init__(self) -> None:
        self._taken: list[Kept] = []
        self._takes: int | None = None
        self.partitions: list[str] = []
        self.sink = FabricSink(lambda: self, most_bytes=MOST_BYTES)  # type: ignore[arg-type,return-value]

    async def kept(self) -> list[Kept]:
        return self._taken

    def takes(self, requests: int | None) -> None:
        self._takes = requests

    def get_partition_ids(self) -> list[str]:
        return ["0", "1", "10", "2"]

    def create_batch(self, *, partition_id: str | None = None) -> EventDataBatch:
        return EventDataBatch(max_size_in_bytes=1_048_576, partition_id=partition_id)

    def send_batch(self, batch: EventDataBatch) -> None:
        if self._takes is not None:
            self._takes -= 1
            if self._takes < 0:
                raise ConnectionError("nobody is there")
        assert batch.size_in_bytes <= MOST_BYTES
        self.partitions.append(batch._partition_id or "")
        self._taken += [json.loads(cast(EventData, event).body_as_str()) for event in batch._internal_events]

    def close(self) -> None:
        pass

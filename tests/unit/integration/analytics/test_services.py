"""What the sinks of HTTP services make of addresses, keys and answers."""

import asyncio
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.analytics.row import Row
from integration.analytics.sink import Receipt, Sink
from integration.analytics.sinks.event_grid import EventGridSink
from integration.analytics.sinks.log_analytics import LogAnalyticsSink
from integration.clock import SystemClock
from integration.errors import Outage, Permanent, Throttled
from integration.ledger import State
from integration.messaging.event_grid import EventGridTopic, authorizer
from integration.transport import NO_CONTEXT, ApiKey, Authorizer, CallContext, Request, Response
from integration.worker.settled import encoded, settled_document
from tests.builders import event

TOPIC = "https://settled.westeurope-1.eventgrid.azure.net/api/events"
NAMESPACE = "https://contoso.westeurope-1.eventgrid.azure.net/topics/settled:publish"
INGESTION = "https://dcr-x.westeurope-1.ingest.monitor.azure.com/"
AT = datetime(2026, 11, 20, tzinfo=UTC)


class Service:
    """Answers as it is told."""

    def __init__(self, status: int = 200, retry_after: float | None = None) -> None:
        self.status, self.retry_after = status, retry_after
        self.requests: list[Request] = []
        self.headers: list[dict[str, str]] = []

    async def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        assert authorizer is not None
        self.requests.append(request)
        self.headers.append({**request.headers, **await authorizer.headers()})
        return Response(request, self.status, {}, b"", self.retry_after)


def row(number: int, state: State = State.COMPLETED, **data: Any) -> Row:
    document = settled_document(event(), state, at=AT) | {"id": f"event-{number}"}
    return Row.read("3", number, AT, encoded({**document, "data": {**document["data"], **data}}))


def event_grid(service: Service, endpoint: str = TOPIC) -> EventGridSink:
    return EventGridSink(EventGridTopic(service, endpoint, authorizer(endpoint, "the-key", None, SystemClock())))


def log_analytics(service: Service) -> LogAnalyticsSink:
    return LogAnalyticsSink(
        service, ApiKey("t", header="Authorization"), endpoint=INGESTION, rule="dcr-1", stream="Custom-Settled_CL"
    )


def write(sink: Sink, *rows: Row) -> Receipt:
    return asyncio.run(sink.write(rows))


@pytest.mark.parametrize(
    ("endpoint", "url", "header", "value"),
    [
        (TOPIC, f"{TOPIC}?api-version=2018-01-01", "aeg-sas-key", "the-key"),
        (NAMESPACE, f"{NAMESPACE}?api-version=2024-06-01", "Authorization", "SharedAccessKey the-key"),
    ],
)
def test_each_kind_of_topic_is_addressed_in_its_way(endpoint: str, url: str, header: str, value: str) -> None:
    service = Service()
    write(event_grid(service, endpoint), row(1))
    assert (service.requests[0].url, service.headers[0][header]) == (url, value)


def test_an_event_that_ends_twice_is_two_cloud_events() -> None:
    """A dead letter that is resolved later has another id."""
    service = Service()
    write(event_grid(service), row(1, State.DEAD_LETTERED), row(1, State.RESOLVED))
    [request] = service.requests
    assert [it["id"] for it in json.loads(request.body or b"")] == ["event-1_dead-lettered", "event-1_resolved"]
    assert service.headers[0]["Content-Type"].startswith("application/cloudevents-batch+json")


def test_rows_go_to_the_stream_of_the_rule_as_compressed_json() -> None:
    """TimeGenerated is when the event ended, or when the hub got it."""
    service = Service(204)
    write(log_analytics(service), row(1), row(2, settledTime="yesterday"))
    [request] = service.requests
    assert request.url == (
        f"{INGESTION.rstrip('/')}/dataCollectionRules/dcr-1/streams/Custom-Settled_CL?api-version=2023-01-01"
    )
    assert request.headers["Content-Encoding"] == "gzip"
    sent = json.loads(gzip.decompress(request.body or b""))
    assert [it["TimeGenerated"] for it in sent] == [AT.isoformat()] * 2
    assert [it["EventId"] for it in sent] == ["event-1", "event-2"]


@pytest.mark.parametrize("make", [event_grid, log_analytics])
@pytest.mark.parametrize("status", [302, 401, 403, 404, 410, 500, 503])
def test_a_service_that_takes_nothing_has_all_rows_wait(make: Any, status: int) -> None:
    """No row is to blame for a missing role or a wrong address; none is set aside."""
    receipt = write(make(Service(status)), row(1), row(2))
    assert [it.sequence_number for it in receipt.waiting] == [1, 2]
    assert isinstance(receipt.error, Outage)
    assert receipt.refused == ()


@pytest.mark.parametrize("make", [event_grid, log_analytics])
def test_a_service_that_is_busy_says_for_how_long(make: Any) -> None:
    receipt = write(make(Service(429, retry_after=17)), row(1))
    assert isinstance(receipt.error, Throttled)
    assert receipt.error.retry_after == 17


@pytest.mark.parametrize(("status", "what"), [(403, "Monitoring Metrics Publisher"), (404, "LOG_ANALYTICS_RULE")])
def test_the_error_says_what_to_do(status: int, what: str) -> None:
    assert what in str(write(log_analytics(Service(status)), row(1)).error)


def test_a_defect_of_the_settings_is_not_blamed_on_rows() -> None:
    """A host that the transport does not know sets no row aside: the batch comes again."""

    class Unknown(Service):
        async def send(self, *_: Any, **__: Any) -> Response:
            raise Permanent("not named", reason="host-not-allowed")

    with pytest.raises(Permanent):
        write(log_analytics(Unknown()), row(1), row(2))

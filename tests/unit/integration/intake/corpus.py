"""Every payload with the events that it becomes, and the ways on which it can come in.

`tests/corpus` has, for each payload, the envelopes of its events with everything that the payload carries, except what
differs from one delivery to the next. `python -m tests.unit.integration.intake.corpus` writes it again; review the
difference as you would review code: an id that changes makes every redelivery a new event.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from integration.admission import CallerKeys, Senders
from integration.clock import SystemClock
from integration.events.body import parse_body
from integration.events.wants import everything
from integration.intake import (
    BusinessEvents,
    DataverseContexts,
    EndpointMessage,
    EventGridIntake,
    Intake,
    IntakeRequest,
    ServiceEndpoints,
    TakingIn,
)
from integration.settings import Settings
from sandbox.repository import PAYLOADS, REPOSITORY
from sandbox.systems.dataverse.context_xml import dumps_xml
from tests.claim_kit import claim_check
from tests.unit.integration.events.support import payload
from tests.unit.integration.intake.support import HEADERS, Sent, Written
from tests.unit.integration.settings.test_reading import environment

CORPUS = REPOSITORY / "tests" / "corpus"
CLAIMS = "http://schemas.microsoft.com/xrm/2011/Claims/"
_OF_THE_DELIVERY = ("acceptedtime", "traceparent")
_SERVICE_BUS = "constructed/servicebus_json_update_contact"
_PLUGIN = "constructed/plugin_opportunityupdated"


def names() -> Iterator[str]:
    """The payloads, by the paths of their files."""
    for path in sorted(PAYLOADS.rglob("*.json")):
        name = path.relative_to(PAYLOADS).as_posix().removesuffix(".json")
        if not name.endswith(".headers"):
            yield name


class _Endpoints:
    """The intake, which carries everything; what it queues is in `queue`."""

    def __init__(self) -> None:
        settings = Settings.from_environment(environment(OWN_ORGANISATION_ONLY="false"))
        self.queue = Sent()
        senders = Senders(CallerKeys(settings.intake_keys))
        taking_in = TakingIn(settings, senders, self.queue, Written(), claim_check(), SystemClock())
        contexts = DataverseContexts(settings, taking_in.clock, wants_of=everything, results={})
        self.intake = Intake(taking_in, contexts)
        business_events = BusinessEvents([], organisation="contoso", clock=taking_in.clock)
        self.event_grid = EventGridIntake(taking_in, contexts, business_events)
        self.service_endpoints = ServiceEndpoints(taking_in, contexts, host="contoso.crm.dynamics.com")


def through_webhook(name: str) -> list[dict[str, Any]]:
    """Posted as Dataverse posts to a webhook."""
    it = _Endpoints()
    asyncio.run(it.intake.dataverse_webhook(IntakeRequest({**HEADERS, **_headers(name)}, {}, payload(name))))
    return _comparable(it.queue)


def through_plugin_event(name: str) -> list[dict[str, Any]]:
    """Posted as a plug-in posts, with an OperationId: without one, each delivery is an event of its own."""
    it = _Endpoints()
    body = {**parse_body(payload(name)), "OperationId": "12121212-1212-4212-8212-121212121212"}
    asyncio.run(it.intake.plugin_event(IntakeRequest(HEADERS, {}, json.dumps(body).encode())))
    return _comparable(it.queue)


def through_queue(name: str) -> list[dict[str, Any]]:
    """Sent to a queue or topic as JSON, with the properties of a service endpoint."""
    it = _Endpoints()
    message = EndpointMessage(payload(name), _properties(name), "application/json")
    asyncio.run(it.service_endpoints.take_in(message, "dataverse-queue"))
    return _comparable(it.queue)


def through_queue_as_xml(name: str) -> list[dict[str, Any]]:
    """Sent to a queue or topic as XML."""
    it = _Endpoints()
    body = dumps_xml(parse_body(payload(name))).encode()
    asyncio.run(
        it.service_endpoints.take_in(EndpointMessage(body, _properties(name), "application/xml"), "dataverse-topic")
    )
    return _comparable(it.queue)


def through_hub(name: str) -> list[dict[str, Any]]:
    """Sent to an event hub, in one batch with what is no event."""
    it = _Endpoints()
    batch = [EndpointMessage(b"odd"), EndpointMessage(payload(name), _properties(name))]
    asyncio.run(it.service_endpoints.take_in_all(batch, "dataverse-hub"))
    return _comparable(it.queue)


def through_event_grid(name: str) -> list[dict[str, Any]]:
    """Delivered by Event Grid in its own schema, in one batch with what is no event."""
    event = {
        "id": "1",
        "eventType": "contoso",
        "subject": "",
        "eventTime": "2026-11-26T12:00:00Z",
        "dataVersion": "1",
        "topic": "/t",
        "data": payload(name).decode("utf-8-sig"),
    }
    return _delivered([{"id": "2", "data": None}, event], "application/json; charset=utf-8", name)


def through_cloud_event(name: str) -> list[dict[str, Any]]:
    """Delivered as a CloudEvent, structured."""
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/t",
        "type": "contoso",
        "data": payload(name).decode("utf-8-sig"),
    }
    return _delivered(event, "application/cloudevents+json; charset=utf-8", name)


def _delivered(document: Any, content_type: str, name: str) -> list[dict[str, Any]]:
    it = _Endpoints()
    sent = payload(name).decode("utf-8-sig")
    body = json.dumps(document).replace(json.dumps(sent), sent).encode()  # digits keep their form
    headers = {**HEADERS, "content-type": content_type}
    asyncio.run(it.event_grid.deliver(IntakeRequest(headers, {}, body)))
    return _comparable(it.queue)


WAYS: Mapping[str, Callable[[str], list[dict[str, Any]]]] = {
    "webhook": through_webhook,
    "queue": through_queue,
    "queue as XML": through_queue_as_xml,
    "hub": through_hub,
    "event grid": through_event_grid,
    "cloud event": through_cloud_event,
}


def ways_of(name: str) -> list[Callable[[str], list[dict[str, Any]]]]:
    """The ways on which a payload can come in: a plug-in posts its own, and what it writes itself is JSON."""
    if name == _PLUGIN:
        return [through_plugin_event]
    return [take for way, take in WAYS.items() if way != "queue as XML" or not name.startswith("plugin_")]


def _headers(name: str) -> dict[str, str]:
    """Those of the capture, and what Dataverse says of a body that it has shortened."""
    path = PAYLOADS / f"{name}.headers.json"
    captured = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    shortened = {"x-ms-dynamics-msg-size-exceeded": "true"} if "stripped" in name else {}
    return {key.lower(): value for key, value in captured.items()} | shortened


def _properties(name: str) -> dict[str, str]:
    """As a service endpoint gives them to a message."""
    if name == _SERVICE_BUS:
        found: dict[str, str] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))[
            "application_properties"
        ]
        return found
    context = parse_body(payload(name))
    given = {
        f"{CLAIMS}Organization": context["OrganizationName"],
        f"{CLAIMS}InitiatingUser": context["InitiatingUserId"],
        f"{CLAIMS}EntityLogicalName": context["PrimaryEntityName"],
        f"{CLAIMS}RequestName": context["MessageName"],
    }
    return given | ({"MessageMaxSizeExceeded": "true"} if "stripped" in name else {})


def _comparable(queue: Sent) -> list[dict[str, Any]]:
    documents = [json.loads(it) for it in queue.envelopes if not it.startswith(b'{"refused"')]
    for document in documents:
        for name in _OF_THE_DELIVERY:
            document.pop(name, None)
        document["data"].pop("caller")
    return documents


if __name__ == "__main__":
    for one in names():
        target = CORPUS / f"{one}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        written = json.dumps(ways_of(one)[0](one), indent=1, ensure_ascii=False, sort_keys=True)
        target.write_text(f"{written}\n", encoding="utf-8")

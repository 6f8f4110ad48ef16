"""What each way into the app costs beside the webhook: `python -m tests.benchmarks.intake` (about ten seconds of CPU).

CPU time of one event from the function's call to its answer, with the intake's own code and a queue and a ledger that
take everything at once: admission, reading, the envelope, the answer. Not in it is what the Functions host and the
broker's client do for a request or a message. Each way has the captured Update of an account where it can carry that,
and its own smallest event otherwise. Rounds take turns, so that a machine which slows down slows down all ways; each
figure is a median, with its ratio to the webhook of the same round.
"""

import asyncio
import json
import logging
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from integration import signatures
from integration.intake import EndpointMessage, event_grid_functions
from integration.public_address import PublicAddress
from integration.synchronous import ALLOWED, Asked, Check, CheckResult
from integration.synchronous.answering import Answering
from integration.synchronous.functions import blueprint as checks
from sandbox.systems.dataverse.context_xml import dumps_xml
from tests.unit.integration.admission.entra import CLIENT_ID, PARTNER, Entra, bearing, token
from tests.unit.integration.intake.support import HEADERS, PAYLOAD, UnderTest
from tests.unit.integration.intake.test_business_central_intake import STATE, entry
from tests.unit.integration.intake.test_business_events import POSTED, PROPERTIES
from tests.unit.integration.synchronous.test_answering import TOOLS

EVENTS = 300
ROUNDS = 5
BATCH = 10
SECRET = signatures.new_secret()
KEYS = json.dumps({"dataverse": [HEADERS["x-functions-key"]], "business-central": [STATE], "signer": [SECRET]})

Take = Callable[[], Awaitable[object]]
"""Takes in one request, message or batch."""


class Ways:
    """The intake with the functions of its endpoints."""

    def __init__(self) -> None:
        logging.disable(logging.CRITICAL)  # what a line costs depends on who reads it
        self.it = it = UnderTest(
            tokens=Entra().tokens(),
            INTAKE_KEYS=KEYS,
            INTAKE_APPLICATIONS=json.dumps({"partner": PARTNER}),
            TOKEN_AUDIENCES=json.dumps([CLIENT_ID]),
        )
        check = Check(unavailable="Later.")
        check.answer(_allowed)
        answering = Answering(
            {"bench": check},
            it.taking_in,
            it.contexts,
            tools=TOOLS,
            ledger=it.ledger,
            clock=it.taking_in.clock,
            seconds=5.0,
            at_once=4,
        )
        app = func.FunctionApp()
        app.register_functions(it.blueprint(PublicAddress("https://app.contoso.example")))
        app.register_functions(event_grid_functions.blueprint(it.event_grid))
        app.register_functions(checks(answering))
        self._functions = {str(each.get_function_name()): each.get_user_function() for each in app.get_functions()}

    def posted(self, function: str, body: bytes, headers: Mapping[str, str] = HEADERS, **route: str) -> Take:
        """A request to an HTTP function, which has to accept it."""

        async def take() -> None:
            request = func.HttpRequest(
                "POST", "https://app.contoso.example/api/x", headers=headers, params={}, route_params=route, body=body
            )
            answer = await self._functions[function](request)
            assert answer.status_code in {200, 202}, (function, answer.get_body())

        return take

    def received(self, *messages: EndpointMessage) -> Take:
        """Messages that Dataverse has posted to a broker: one of a queue or topic, a batch of a hub."""
        if len(messages) == 1:
            return lambda: self.it.endpoints.take_in(messages[0], "dataverse-queue")
        return lambda: self.it.endpoints.take_in_all([*messages], "dataverse-hub")

    def all(self) -> dict[str, tuple[Take, int]]:
        """Each way with the number of events that it takes at once; the webhook is the first."""
        context = PAYLOAD.decode("utf-8-sig")
        message, json_type = EndpointMessage(PAYLOAD, {}, "application/json"), {"content-type": "application/json"}
        xml = EndpointMessage(dumps_xml(json.loads(context)).encode(), {}, "application/xml")
        grid = {"id": "1", "eventType": "x", "subject": "", "dataVersion": "1", "topic": "/t"}
        grid |= {"eventTime": "2026-11-26T12:00:00Z", "data": json.loads(context)}
        cloud = {"specversion": "1.0", "id": "1", "source": "/t", "type": "x", "data": json.loads(context)}
        plugin = json.dumps(_PLUGIN).encode()
        row = json.dumps(_ROW).encode()
        erp = json.dumps({"id": "1", "record": "SO-1", "source": "erp"}).encode()
        notification = json.dumps({"value": [entry()]}).encode()
        queued = EndpointMessage(json.dumps(POSTED).encode(), PROPERTIES)
        signed = signatures.signed([signatures.secret_of(SECRET)], "m-1", datetime.now(UTC), PAYLOAD)
        return {
            "webhook, with a key": (self.posted("dataverse_webhook", PAYLOAD), 1),
            "webhook, signed": (self.posted("dataverse_webhook", PAYLOAD, json_type | signed), 1),
            "webhook, with a token": (
                self.posted("dataverse_webhook", PAYLOAD, json_type | bearing(token())),
                1,
            ),
            "queue or topic, JSON": (self.received(message), 1),
            "queue or topic, XML": (self.received(xml), 1),
            f"hub, batches of {BATCH}": (self.received(*[message] * BATCH), BATCH),
            "Event Grid": (self.posted("event_grid_delivery", json.dumps([grid]).encode()), 1),
            f"Event Grid, batches of {BATCH}": (
                self.posted("event_grid_delivery", json.dumps([grid] * BATCH).encode()),
                BATCH,
            ),
            "Event Grid, CloudEvents": (
                self.posted(
                    "event_grid_delivery",
                    json.dumps(cloud).encode(),
                    HEADERS | {"content-type": "application/cloudevents+json"},
                ),
                1,
            ),
            "plug-in payload": (self.posted("plugin_event", plugin), 1),
            "row of a flow": (self.posted("flat_row", row), 1),
            "event of an ERP": (self.posted("erp_events", erp, name="order-changed"), 1),
            "Business Central": (self.posted("business_central_webhook", notification), 1),
            "business events, queue": (lambda: self.it.business_events_queue.take_in(queued, "business-events"), 1),
            "check before a save": (self.posted("dataverse_custom", PAYLOAD, name="bench"), 1),
        }

    def forget(self) -> None:
        """What was taken in, so that memory stays small."""
        self.it.queue.envelopes.clear()
        self.it.ledger.events.clear()


_PLUGIN = {
    "EventName": "OpportunityUpdated",
    "RecordId": "c1d2e3f4-0000-4000-8000-000000000001",
    "ChangedFields": ["estimatedvalue"],
    "TriggeredBy": "5c6d7e8f-0000-4000-8000-000000000004",
    "Timestamp": "2026-11-20T19:05:00Z",
    "OperationId": "12121212-1212-4212-8212-121212121212",
}
_ROW = {
    "table": "account",
    "columns": {
        "@odata.etag": 'W/"5512345"',
        "ItemInternalId": "c1d2e3f4-0000-4000-8000-000000000001",
        "SdkMessage": "Update",
        "modifiedon": "2026-11-20T19:05:00Z",
        "name": "Contoso",
        "revenue": 1250000.5,
        "statuscode": 1,
    },
}


async def _allowed(_asked: Asked) -> CheckResult:
    return ALLOWED


async def milliseconds(take: Take, events: int) -> float:
    """CPU time per event."""
    calls = EVENTS // events
    started = time.process_time()
    for _ in range(calls):
        await take()
    return (time.process_time() - started) * 1000 / (calls * events)


async def measured() -> dict[str, tuple[float, float]]:
    """By way the CPU time of an event in milliseconds, and how many times that of the webhook it is."""
    ways = Ways()
    every = ways.all()
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS + 1):
        rounds.append({name: await milliseconds(take, events) for name, (take, events) in every.items()})
        ways.forget()
    first = next(iter(every))
    warm = rounds[1:]
    return {
        name: (
            statistics.median(each[name] for each in warm),
            statistics.median(each[name] / each[first] for each in warm),
        )
        for name in every
    }


def main() -> None:
    found: dict[str, Any] = asyncio.run(measured())
    print(f"| way | CPU of an event, ms | beside the webhook |\n| {'-' * 25} | ---: | ---: |")  # noqa: T201 -- its result
    for name, (cpu, ratio) in found.items():
        print(f"| {name:<25} | {cpu:.3f} | {ratio:.2f} |")  # noqa: T201 -- as above


if __name__ == "__main__":
    main()

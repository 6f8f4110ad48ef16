"""An intake whose queue and ledger are lists."""

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NoReturn

import azure.functions as func

from integration import flows
from integration.admission import CallerKeys, EntraTokens, Senders
from integration.claim_check import ClaimCheck
from integration.clock import SystemClock
from integration.composition.services import written_columns
from integration.events import IntegrationEvent, Wants, from_envelope
from integration.flow.discovery import all_in, event_names, inbound_in
from integration.flows import account
from integration.intake import (
    Accepted,
    BusinessCentralIntake,
    BusinessEvents,
    BusinessEventsQueue,
    DataverseContexts,
    ErpIntake,
    EventGridIntake,
    Intake,
    IntakeRequest,
    ServiceEndpoints,
    TakingIn,
)
from integration.intake.functions import blueprint
from integration.intake.watched_company import WatchedCompany
from integration.ledger import Ledger
from integration.messaging import WorkQueue
from integration.protection import DebugDetail
from integration.public_address import PublicAddress
from integration.settings import Settings
from integration.tables import table_account
from integration.transport import Transport
from tests.claim_kit import MemoryContents
from tests.unit.integration.settings.test_reading import environment

ORGANISATION = "a939603b-3dc7-46c5-a4c4-8406060c0af7"
COMPANY = "5d3d7d7a-3f3c-4f0f-9a52-0e5a3f5a0001"
PAYLOAD = Path("tests/payloads/webhook_async_update_account_2019.json").read_bytes()
KEY = "replace-this-intake-key"
ACCOUNT = table_account(connection_string="UseDevelopmentStorage=true", account_name=None)
HEADERS = {"content-type": "application/json", "x-functions-key": KEY}


def nowhere() -> NoReturn:
    raise AssertionError("nothing here connects")


class Sent(WorkQueue):
    """Acknowledges at once, or fails with `fails`."""

    def __init__(self) -> None:
        super().__init__(nowhere, "work")
        self.envelopes: list[bytes] = []
        self.fails: Exception | None = None

    @property
    def events(self) -> list[IntegrationEvent]:
        return [from_envelope(envelope) for envelope in self.envelopes]

    def send(self, event: IntegrationEvent, envelope: bytes) -> "Future[None]":
        if self.fails is not None:
            raise self.fails
        self.envelopes.append(envelope)
        return done()


class Written(Ledger):
    """Writes down at once."""

    def __init__(self) -> None:
        super().__init__(ACCOUNT, Transport([], clock=SystemClock()), SystemClock())
        self.events: list[IntegrationEvent] = []

    def accept(self, event: IntegrationEvent, *, urgent: bool = False) -> "asyncio.Future[None]":
        self.events.append(event)
        written = asyncio.get_running_loop().create_future()
        written.set_result(None)
        return written


def done() -> "Future[None]":
    future: Future[None] = Future()
    future.set_result(None)
    return future


class UnderTest:
    """An intake; `settings` are changed from the example's."""

    detail: DebugDetail | None = None

    def __init__(self, *, tokens: EntraTokens | None = None, **settings: str) -> None:
        self.queue, self.ledger = Sent(), Written()
        read = Settings.from_environment(environment(**{"OWN_ORGANISATION_ONLY": "false", **settings}))
        self.organisation = read.dataverse_organisation
        senders = Senders(CallerKeys(read.intake_keys, clock=SystemClock()), tokens, read.intake_applications)
        self.contents = MemoryContents()
        claims = ClaimCheck(self.contents, read.message_limit_bytes)
        self.taking_in = taking_in = TakingIn(
            read, senders, self.queue, self.ledger, claims, SystemClock(), self.detail
        )
        names = event_names(inbound_in(flows).values())
        self.erp = ErpIntake(taking_in, names, organisation=read.dataverse_organisation)
        watched = WatchedCompany("erp", COMPANY, names, organisation=read.dataverse_organisation, clock=taking_in.clock)
        self.business_central = BusinessCentralIntake(taking_in, watched)
        self.contexts = contexts = DataverseContexts(
            read,
            taking_in.clock,
            wants_of=lambda table, _message: Wants(
                decisive=frozenset(account.flow.filtering_attributes) if table == "account" else frozenset()
            ),
            results=written_columns(all_in(flows).values(), "new"),
        )
        self.intake = Intake(taking_in, contexts)
        business_events = BusinessEvents(names, organisation=read.dataverse_organisation, clock=taking_in.clock)
        self.event_grid = EventGridIntake(taking_in, contexts, business_events)
        self.business_events_queue = BusinessEventsQueue(taking_in, business_events)
        self.endpoints = ServiceEndpoints(taking_in, contexts, host="contoso.crm4.dynamics.com")

    def blueprint(self, address: PublicAddress) -> func.Blueprint:
        """Its functions."""
        return blueprint(self.intake, self.erp, self.business_central, address)

    def webhook(self, body: bytes | Mapping[str, Any], **headers: str) -> Accepted:
        """Post a context of one row; header names with `_` for `-`."""
        (accepted,) = self.webhooks(body, **headers)
        return accepted

    def webhooks(self, body: bytes | Mapping[str, Any], **headers: str) -> list[Accepted]:
        """Post a context of any number of rows."""
        return asyncio.run(self.intake.dataverse_webhook(request(body, headers)))

    def plugin_event(self, body: bytes | Mapping[str, Any], **headers: str) -> Accepted:
        (accepted,) = asyncio.run(self.intake.plugin_event(request(body, headers)))
        return accepted

    def erp_events(self, name: str, body: Any, **headers: str) -> list[Accepted]:
        """Post events of an ERP."""
        return asyncio.run(self.erp.events(name, request(body, headers)))


def request(body: Any, headers: Mapping[str, str]) -> IntakeRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return IntakeRequest({**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}, {}, raw)

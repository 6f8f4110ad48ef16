"""Builds clients and services from the settings."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from integration import checks, flows
from integration.admission import CallerKeys, EntraTokens, Senders, SigningKeys
from integration.claim_check import BlobContents, ClaimCheck, ClaimSweep
from integration.clock import Clock, SystemClock
from integration.composition import connections
from integration.composition.operations import Operations, build_operations, operations_hosts
from integration.composition.pull import build_pull
from integration.composition.systems import Systems, build_systems, system_hosts
from integration.composition.watching import build_subscriptions, watched_company
from integration.composition.worker import build_handlers, build_worker
from integration.flow import EventFlow, Flow, InboundFlow
from integration.flow.discovery import AnyFlow, all_in, event_names, switched_on
from integration.flow.handler import Tools
from integration.flow.matching import FlowMatching
from integration.flow.numbers import RowsByNumber
from integration.intake import (
    BusinessCentralIntake,
    BusinessEvents,
    BusinessEventsQueue,
    DataverseContexts,
    ErpIntake,
    EventGridIntake,
    Intake,
    ServiceEndpoints,
    TakingIn,
)
from integration.ledger import Ledger
from integration.ledger.copies import BlobCopies, DailyCopy
from integration.ledger.keys import REFERENCES, SYSTEMS
from integration.ledger.legacy import OldLayout
from integration.ledger.retention import Retention
from integration.ledger.shared_state import TableState
from integration.messaging import DeadLetterQueue, EventPublisher, WorkQueue
from integration.operations import Health, StatusQueries
from integration.operations.budgets import Budgets
from integration.operations.drift import DriftReports
from integration.operations.outcomes import Outcomes
from integration.operations.rights import Staff
from integration.protection import DebugDetail, Postponements, Spending, TablePauses
from integration.public_address import PublicAddress
from integration.pull.loading import Loading
from integration.pull.reconciling import Reconciliation
from integration.pull.tracking import TableChanges
from integration.settings import Settings
from integration.synchronous import checks_in
from integration.synchronous.answering import Answering
from integration.transport import Transport
from integration.watching import Subscriptions, Sweep
from integration.worker import Holds, Worker
from integration.worker.reading import Rows
from integration.worker.write_back import WriteBack

if TYPE_CHECKING:
    from integration.registration.drift import DriftCheck


@dataclass(frozen=True, slots=True)
class Services:
    """What the triggers call."""

    taking_in: TakingIn
    ledger: Ledger
    intake: Intake
    erp_intake: ErpIntake
    business_central_intake: BusinessCentralIntake
    event_grid_intake: EventGridIntake
    service_endpoints: ServiceEndpoints
    business_events_queue: BusinessEventsQueue
    answering: Answering
    subscriptions: Subscriptions | None
    sweep: Sweep | None
    changes: TableChanges | None
    reconciliation: Reconciliation
    loading: Loading
    worker: Worker
    status: StatusQueries
    outcomes: Outcomes
    health: Health
    staff: Staff
    senders: Senders
    address: PublicAddress
    retention: Retention
    claim_sweep: ClaimSweep
    daily_copy: DailyCopy
    operations: Operations
    systems: Systems
    drift: "Callable[[], DriftCheck] | None"


def build_services(settings: Settings, *, clock: Clock | None = None) -> Services:
    """The services; tests pass a clock of their own."""
    clock = clock or SystemClock()
    account = connections.table_account(settings, clock)
    hosts = [*system_hosts(settings), connections.table_host(account), *operations_hosts(settings)]
    transport = Transport(hosts, clock=clock)
    ledger = Ledger(account, transport, clock, old_layout=OldLayout(account, transport))
    shared = TableState(ledger.table(SYSTEMS))
    systems = build_systems(settings, transport, clock, shared, TableState(ledger.table(REFERENCES)))
    pauses, postponements = TablePauses(shared, clock), Postponements(shared, clock)
    work_queue = WorkQueue(lambda: connections.service_bus_client(settings), settings.work_queue, clock=clock)
    publisher = EventPublisher(lambda: connections.event_hub_producer(settings), settings.events_hub)
    active = switched_on(all_in(flows), settings.flows_off)
    inbound = [it for it in active if isinstance(it, InboundFlow)]
    tools = _tools(systems, settings, clock, [it for it in active if isinstance(it, Flow)])
    events = [it for it in active if isinstance(it, EventFlow)]
    handlers = build_handlers(tools, inbound, events, settings, systems)
    tokens = _tokens(settings, transport, clock)
    senders = Senders(CallerKeys(settings.intake_keys, clock=clock), tokens, settings.intake_applications)
    contents = BlobContents(lambda: connections.claim_check_container(settings))
    claim_check = ClaimCheck(contents, settings.message_limit_bytes)
    detail = DebugDetail(pauses.document, clock)
    taking_in = TakingIn(settings, senders, work_queue, ledger, claim_check, clock, detail)
    contexts = DataverseContexts(
        settings,
        clock,
        wants_of=handlers.wants_of,
        results=written_columns(active, settings.publisher_prefix),
    )
    names = event_names(inbound)
    business_events = BusinessEvents(names, organisation=settings.dataverse_organisation, clock=clock)
    pull = build_pull(
        tools,
        taking_in,
        ledger,
        shared,
        organisation=str(settings.dataverse_organisation),
        budget=systems.budgets["dataverse"],
        clock=clock,
    )
    webhooks, watched = watched_company(systems, settings, names, clock)
    return Services(
        taking_in=taking_in,
        ledger=ledger,
        intake=Intake(taking_in, contexts),
        erp_intake=ErpIntake(taking_in, names, organisation=settings.dataverse_organisation),
        business_central_intake=BusinessCentralIntake(taking_in, watched),
        event_grid_intake=EventGridIntake(taking_in, contexts, business_events),
        service_endpoints=ServiceEndpoints(taking_in, contexts, host=urlsplit(str(settings.dataverse_url)).netloc),
        business_events_queue=BusinessEventsQueue(taking_in, business_events),
        answering=Answering(
            checks_in(checks),
            taking_in,
            contexts,
            tools=tools,
            ledger=ledger,
            clock=clock,
            seconds=settings.custom_api_seconds,
            at_once=settings.custom_api_concurrency,
        ),
        subscriptions=build_subscriptions(webhooks, settings, clock),
        sweep=(
            Sweep(webhooks, taking_in, watched, shared, clock) if webhooks is not None and watched is not None else None
        ),
        changes=pull.changes if settings.change_tracking else None,
        reconciliation=pull.reconciliation,
        loading=pull.loading,
        worker=build_worker(
            settings,
            tools.rows,
            handlers,
            ledger,
            work_queue,
            publisher,
            claim_check,
            Holds(pauses, postponements),
            detail,
            clock,
        ),
        status=StatusQueries(ledger, clock),
        outcomes=Outcomes(ledger, clock),
        health=Health(
            {
                "workQueue": _acknowledged(work_queue.ping),
                "eventHub": _acknowledged(publisher.ping),
                "ledger": ledger.ping,
            },
            clock,
        ),
        staff=Staff(
            CallerKeys(settings.operations_keys, in_query=False),
            settings.operations_roles,
            signed_in_by_platform=settings.app_service_authentication,
            tokens=tokens,
        ),
        senders=senders,
        address=PublicAddress(None if settings.public_url is None else str(settings.public_url)),
        retention=Retention(
            ledger,
            clock,
            months=settings.ledger_retention_months,
            audit_months=settings.audit_retention_months,
            exchange_days=settings.exchange_retention_days,
        ),
        claim_sweep=ClaimSweep(contents, ledger, clock, months=settings.ledger_retention_months),
        daily_copy=DailyCopy(ledger, BlobCopies(lambda: connections.copies_container(settings)), shared, clock),
        operations=build_operations(
            ledger=ledger,
            work_queue=work_queue,
            claim_check=claim_check,
            letters=DeadLetterQueue(lambda: connections.service_bus_client(settings), settings.work_queue),
            handlers=handlers,
            switches=systems.switches,
            budgets=Budgets(systems.budgets, Spending(shared, clock)),
            pauses=pauses,
            postponements=postponements,
            detail=detail,
            numbers=RowsByNumber(tools.flows.values(), tools.dataverse, prefix=settings.publisher_prefix),
            matches=FlowMatching(tools.flows, tools.dataverse, tools.write_back, tools.systems),
            settings=settings,
            transport=transport,
            clock=clock,
        ),
        systems=systems,
        drift=_drift(settings, transport, systems, DriftReports(shared), clock),
    )


def _drift(
    settings: Settings, transport: Transport, systems: Systems, reports: DriftReports, clock: Clock
) -> "Callable[[], DriftCheck] | None":
    """Opens the comparison of the environment with its declaration; None where the settings name no file of it."""
    file = settings.drift_environment
    if file is None:
        return None

    def open_check() -> "DriftCheck":
        from integration.composition.drift import build_drift_check  # noqa: PLC0415 -- once a night

        # Its calls do not go through the breaker: that the app may not read definitions must not stop its events.
        return build_drift_check(settings, file, transport, systems.dataverse_tokens, reports=reports, clock=clock)

    return open_check


def _tokens(settings: Settings, transport: Transport, clock: Clock) -> EntraTokens | None:
    """What checks access tokens, where the settings say for whom they have to be."""
    if not settings.token_audiences:
        return None
    tenants = settings.token_tenants or [settings.dataverse_tenant_id]
    keys = SigningKeys(transport, clock, authority=str(settings.dataverse_authority), tenants=tenants)
    return EntraTokens(keys, settings.token_audiences)


def _tools(systems: Systems, settings: Settings, clock: Clock, active: Iterable[Flow[Any]]) -> Tools:
    return Tools(
        dataverse=systems.dataverse,
        rows=Rows(systems.dataverse),
        write_back=WriteBack(systems.dataverse, clock, prefix=settings.publisher_prefix, tag=settings.write_tag),
        systems={**systems.others, "erp": systems.erp, "credit": systems.credit},
        flows={flow.table: flow for flow in active},
    )


def written_columns(flows: Iterable[AnyFlow], prefix: str) -> dict[str, frozenset[str]]:
    """The columns that this app writes, by table: those of the flows of both directions."""
    found: dict[str, frozenset[str]] = {}
    for flow in flows:
        columns = frozenset(f"{prefix}_{it.name}" for it in flow.written)
        for table in flow.tables:
            found[table] = found.get(table, frozenset()) | columns
    return found


def _acknowledged(ping: Callable[[], "Future[None]"]) -> Callable[[], "asyncio.Future[None]"]:
    return lambda: asyncio.wrap_future(ping())

"""The composition root: clients and services from settings, the app from services."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import azure.functions as func

from integration import connections
from integration.admission import CallerKeys
from integration.analytics import functions as analytics_functions
from integration.analytics.sinks.archive import ArchiveSink
from integration.clock import Clock, SystemClock
from integration.coalescing import acknowledged
from integration.credit import CreditClient
from integration.dataverse import DataverseClient, client_secret_tokens, managed_identity_tokens
from integration.erp import ErpClient
from integration.intake import Intake
from integration.intake import functions as intake_functions
from integration.ledger import Ledger, Records, Tables
from integration.messaging import EventPublisher, WorkQueue
from integration.operations import Health, StatusQueries
from integration.operations import functions as operations_functions
from integration.public_address import PublicAddress
from integration.settings import Settings
from integration.telemetry import quieten_libraries
from integration.transport import ApiKey, Authorizer, Host, Limits, RetryPolicy, Transport, client_credentials
from integration.worker import Handler, Handlers, RetryLater, SettledEvents, Verdicts, Worker
from integration.worker import functions as worker_functions
from integration.worker.customers import Customers
from integration.worker.handlers.accounts import AccountHandler
from integration.worker.handlers.opportunities import OpportunityHandler
from integration.worker.mapping import result_columns
from integration.worker.write_back import WriteBack

_HEALTH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Services:
    """What the triggers call."""

    intake: Intake
    worker: Worker
    archive: ArchiveSink
    status: StatusQueries
    health: Health
    operators: CallerKeys
    senders: CallerKeys
    address: PublicAddress


def build_app(settings: Settings) -> func.FunctionApp:
    """The app with all its functions. Nothing connects here."""
    quieten_libraries()
    services = build_services(settings)
    app = func.FunctionApp()
    app.register_functions(intake_functions.blueprint(services.intake, services.address))
    app.register_functions(worker_functions.blueprint(services.worker, queue=settings.work_queue))
    app.register_functions(
        analytics_functions.blueprint(
            services.archive, hub=settings.events_hub, consumer_group=settings.events_consumer_group
        )
    )
    app.register_functions(
        operations_functions.blueprint(
            services.operators, services.senders, services.status, services.health, services.address
        )
    )
    return app


def build_services(
    settings: Settings, *, clock: Clock | None = None, more_handlers: Iterable[Handler] = ()
) -> Services:
    """The services; tests pass their own clock, extensions their handlers (docs/add-a-handler.md)."""
    clock = clock or SystemClock()
    tables = Tables(lambda: connections.table_service(settings))
    ledger = Ledger(tables, clock)
    work_queue = WorkQueue(lambda: connections.service_bus_client(settings), settings.work_queue, clock=clock)
    publisher = EventPublisher(lambda: connections.event_hub_producer(settings))
    handlers = Handlers([*_handlers(settings, Records(tables), clock), *more_handlers])
    return Services(
        intake=Intake(
            settings,
            work_queue,
            ledger,
            clock,
            wants_of=handlers.wants_of,
            results=result_columns(settings.publisher_prefix),
        ),
        worker=_worker(settings, handlers, ledger, work_queue, publisher, clock),
        archive=ArchiveSink(lambda: connections.archive_container(settings)),
        status=StatusQueries(ledger, clock),
        health=Health(
            {
                "workQueue": lambda: acknowledged(work_queue.ping(), _HEALTH_SECONDS, "work queue"),
                "eventHub": lambda: acknowledged(publisher.ping(), _HEALTH_SECONDS, "event hub"),
                "ledger": ledger.ping,
            },
            clock,
        ),
        operators=CallerKeys(settings.operations_keys, in_query=False),
        senders=CallerKeys(settings.intake_keys),
        address=PublicAddress(None if settings.public_url is None else str(settings.public_url)),
    )


def _worker(  # noqa: PLR0917 -- called once, above
    settings: Settings,
    handlers: Handlers,
    ledger: Ledger,
    work_queue: WorkQueue,
    publisher: EventPublisher,
    clock: Clock,
) -> Worker:
    retry_later = RetryLater(retry_policy(settings), work_queue, clock)
    settled_events = SettledEvents(publisher, clock)
    return Worker(
        handlers=handlers,
        ledger=ledger,
        settled_events=settled_events,
        retry_later=retry_later,
        verdicts=Verdicts(
            handlers=handlers, ledger=ledger, settled_events=settled_events, retry_later=retry_later, clock=clock
        ),
        clock=clock,
    )


def _handlers(settings: Settings, records: Records, clock: Clock) -> list[Handler]:
    transport = Transport(_hosts(settings), clock=clock)
    dataverse = DataverseClient(transport, _dataverse_tokens(settings, transport, clock), str(settings.dataverse_url))
    erp = ErpClient(transport, _authorizer(settings, "erp", transport, clock), str(settings.erp_url))
    credit = CreditClient(transport, _authorizer(settings, "credit", transport, clock), str(settings.credit_url))
    write_back = WriteBack(dataverse, clock, prefix=settings.publisher_prefix, tag=settings.write_tag)
    customers = Customers(dataverse, erp, records, write_back)
    return [
        AccountHandler(customers, records, write_back),
        OpportunityHandler(
            dataverse=dataverse,
            erp=erp,
            credit=credit,
            customers=customers,
            records=records,
            write_back=write_back,
            clock=clock,
        ),
    ]


def _hosts(settings: Settings) -> list[Host]:
    """All that the transport may call: what the settings name, nothing else."""
    limits = Limits(read=settings.http_timeout_seconds, total=settings.http_timeout_seconds)
    dataverse = [settings.dataverse_url, settings.dataverse_authority]
    others = [settings.erp_url, settings.erp_token_url, settings.credit_url, settings.credit_token_url]
    return [Host(str(url), ca_file=settings.dataverse_ca_file, limits=limits) for url in dataverse] + [
        Host(str(url), limits=limits) for url in others if url
    ]


def _dataverse_tokens(settings: Settings, transport: Transport, clock: Clock) -> Authorizer:
    if settings.dataverse_client_secret is None:
        return managed_identity_tokens(
            client_id=settings.dataverse_client_id, dataverse_url=str(settings.dataverse_url), clock=clock
        )
    return client_secret_tokens(
        transport,
        authority=str(settings.dataverse_authority),
        tenant_id=settings.dataverse_tenant_id,
        client_id=settings.dataverse_client_id,
        client_secret=settings.dataverse_client_secret.get_secret_value(),
        dataverse_url=str(settings.dataverse_url),
        clock=clock,
        instance_discovery=settings.dataverse_instance_discovery,
    )


def _authorizer(settings: Settings, system: Literal["erp", "credit"], transport: Transport, clock: Clock) -> Authorizer:
    if system == "erp":
        key, url, scope = settings.erp_api_key, settings.erp_token_url, settings.erp_scope
        client_id, secret = settings.erp_client_id, settings.erp_client_secret
    else:
        key, url, scope = settings.credit_api_key, settings.credit_token_url, settings.credit_scope
        client_id, secret = settings.credit_client_id, settings.credit_client_secret
    if key is not None:
        return ApiKey(key.get_secret_value())
    return client_credentials(
        transport,
        service=system,
        token_url=str(url),
        client_id=client_id or "",
        client_secret=secret.get_secret_value() if secret else "",
        scope=scope,
        clock=clock,
    )


def retry_policy(settings: Settings) -> RetryPolicy:
    """The one retry policy, as the settings have it."""
    return RetryPolicy(
        first_delay=timedelta(seconds=settings.retry_first_delay_seconds),
        cap=timedelta(seconds=settings.retry_longest_delay_seconds),
        max_attempts=settings.retry_max_attempts,
        max_age=timedelta(hours=settings.retry_max_age_hours),
    )

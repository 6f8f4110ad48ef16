"""Builds the worker: the handlers of the flows, and what carries out what is decided of their events."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from integration.claim_check import ClaimCheck
from integration.clock import Clock
from integration.composition.systems import Systems
from integration.flow import EventFlow, InboundFlow
from integration.flow.custom_api_handler import CustomApiHandler
from integration.flow.event_flow_handler import EventFlowHandler
from integration.flow.handler import FlowHandler, Tools
from integration.flow.inbound_handler import InboundFlowHandler
from integration.ledger import Ledger
from integration.messaging import EventPublisher, WorkQueue
from integration.protection import DebugDetail
from integration.settings import Settings
from integration.transport import RetryPolicy
from integration.virtual_tables.reporting_handler import ReportingHandler
from integration.worker import Copies, Executor, Handlers, Holds, Pace, Reports, Worker
from integration.worker.handler import InboundHandler
from integration.worker.hub import Hub
from integration.worker.reading import Rows
from integration.worker.write_back import WriteBack

if TYPE_CHECKING:
    from integration.virtual_tables.reporting import ExternalChanges


def retry_policy(settings: Settings) -> RetryPolicy:
    """The one retry policy, as configured."""
    return RetryPolicy(
        first_delay=timedelta(seconds=settings.retry_first_delay_seconds),
        cap=timedelta(seconds=settings.retry_longest_delay_seconds),
        min_attempts=settings.retry_min_attempts,
        max_attempts=settings.retry_max_attempts,
        max_age=timedelta(hours=settings.retry_max_age_hours),
    )


def build_worker(  # noqa: PLR0917 -- called once, by build_services
    settings: Settings,
    rows: Rows,
    handlers: Handlers,
    ledger: Ledger,
    work_queue: WorkQueue,
    publisher: EventPublisher,
    claim_check: ClaimCheck,
    holds: Holds,
    detail: DebugDetail,
    clock: Clock,
) -> Worker:
    """The worker of the queue."""
    copies = Copies(work_queue, retry_policy(settings), clock)
    reports = Reports(Hub(publisher, clock), copies, clock)
    return Worker(
        handlers=handlers,
        rows=rows,
        ledger=ledger,
        executor=Executor(
            ledger, copies, reports, claim_check, clock, keeps_exchanges=settings.exchange_retention_days > 0
        ),
        copies=copies,
        claim_check=claim_check,
        commit_wait=timedelta(seconds=settings.commit_wait_seconds),
        holds=holds,
        pace=Pace(settings.record_pace_seconds, clock),
        clock=clock,
        detail=detail,
        prepare=publisher.open,
    )


def _reporting(settings: Settings, systems: Systems) -> Callable[[InboundHandler], InboundHandler]:
    """Lets handlers of the ERP's records tell Dataverse of what virtual tables show, where that is switched on."""
    if not settings.virtual_table_events:
        return lambda handler: handler

    @cache
    def open_changes() -> "ExternalChanges":
        from integration.composition.virtual_tables import build_changes  # noqa: PLC0415 -- with the first event

        return build_changes(settings, systems)

    return lambda handler: ReportingHandler(handler, open_changes)


def build_handlers(
    tools: Tools, inbound: Iterable[InboundFlow], told: Iterable[EventFlow], settings: Settings, systems: Systems
) -> Handlers:
    """A handler for each flow that is on."""
    reporting = _reporting(settings, systems)
    write_back = tools.write_back
    return Handlers(
        [
            *(FlowHandler(flow, tools) for flow in tools.flows.values()),
            *(reporting(_inbound_handler(flow, tools, write_back)) for flow in inbound),
            *(EventFlowHandler(flow, tools.dataverse, tools.systems) for flow in told),
        ]
    )


def _inbound_handler(flow: InboundFlow, tools: Tools, write_back: WriteBack) -> InboundHandler:
    if flow.custom_api is not None:
        return CustomApiHandler(flow, flow.custom_api, tools.dataverse, tools.systems, tag=write_back.tag)
    return InboundFlowHandler(flow, tools.dataverse, tools.systems, prefix=write_back.prefix, tag=write_back.tag)

"""The services of operations, built from what they work on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from integration import signatures
from integration.claim_check import ClaimCheck
from integration.clock import Clock
from integration.composition.event_grid import event_grid_topic
from integration.composition.sinks import open_set_aside, sinks_by_name
from integration.ledger import Ledger
from integration.ledger.audit_log import AuditLog
from integration.ledger.keys import SYSTEMS
from integration.ledger.problems import Problems
from integration.ledger.queries import Queries
from integration.ledger.shared_state import TableState
from integration.messaging import DeadLetterQueue, WorkQueue
from integration.operations.audit import Audit
from integration.operations.audit_query import AuditQuery
from integration.operations.budgets import Budgets
from integration.operations.bulk import BulkControl, BulkRunner, BulkStore, Planner
from integration.operations.bulk.planner import calls_at_most
from integration.operations.carried import Carried
from integration.operations.cause_notes import CauseNotes
from integration.operations.causes import CauseQuery
from integration.operations.comparison import Comparison
from integration.operations.dead_letters import DeadLetterReader
from integration.operations.debug_detail import DetailControl
from integration.operations.drift import DriftReports
from integration.operations.edit import EditedRetry
from integration.operations.exchanges import ExchangeQuery
from integration.operations.figures import Figures
from integration.operations.known import Knowledge
from integration.operations.lookup import Lookup
from integration.operations.measures import Measures
from integration.operations.originals import Originals
from integration.operations.postpone import Postpone
from integration.operations.queueing import Queueing
from integration.operations.reconciliations import Reconciliations
from integration.operations.repair import Repair
from integration.operations.replays import Replays
from integration.operations.resync import Resync
from integration.operations.routes import Desk
from integration.operations.routes.matches import Matches
from integration.operations.search import Numbers, Search
from integration.operations.set_aside import SetAsideRows
from integration.operations.systems import SystemControl
from integration.operations.tables import TableControl
from integration.protection import DebugDetail, Postponements, Switch, TablePauses
from integration.settings import Settings
from integration.transport import Host, Transport
from integration.worker import Handlers

if TYPE_CHECKING:
    from integration.operations.operator_events import Delivery, OperatorEvents


@dataclass(frozen=True, slots=True)
class Operations:
    """What the triggers of operations call."""

    desk: Desk
    dead_letters: DeadLetterReader
    bulks: BulkRunner
    figures: Figures
    measures: Measures
    operator_events: "OperatorEvents | None"


def operations_hosts(settings: Settings) -> list[Host]:
    """The hosts that the transport may call for operations."""
    to = settings.operator_events_url or settings.operator_events_event_grid_endpoint
    return [Host(str(to))] if to is not None else []


def build_operations(
    *,
    ledger: Ledger,
    work_queue: WorkQueue,
    claim_check: ClaimCheck,
    letters: DeadLetterQueue,
    handlers: Handlers,
    switches: Mapping[str, Switch],
    budgets: Budgets,
    pauses: TablePauses,
    postponements: Postponements,
    detail: DebugDetail,
    matches: Matches,
    numbers: Numbers,
    settings: Settings,
    transport: Transport,
    clock: Clock,
) -> Operations:
    """Over the ledger, the queues, what is held back, and for operators' events the transport."""
    shared, audit = TableState(ledger.table(SYSTEMS)), Audit(ledger, clock)
    originals, queueing = Originals(ledger, clock), Queueing(ledger, work_queue, claim_check)
    carried, replays = Carried(letters, claim_check, handlers.carried_of), Replays(originals, queueing, clock)
    repair = Repair(ledger, originals, carried, replays, audit, clock)
    queries, problems, log = Queries(ledger), Problems(ledger), AuditLog(ledger, clock)
    search, bulks = Search(queries, problems, numbers, clock), BulkStore(ledger, clock)

    def calls_of(table: str, message: str) -> Mapping[str, int]:
        return calls_at_most(handlers.effects_of(table, message), switches)

    reader, causes = DeadLetterReader(letters, ledger, claim_check, clock), CauseQuery(ledger, clock)
    figures = Figures(ledger, causes, clock)
    desk = Desk(
        repair=repair,
        edit=EditedRetry(originals, carried, replays, audit),
        postpone=Postpone(ledger, originals, postponements, audit, clock),
        resync=Resync(queueing, audit, clock, organisation=str(settings.dataverse_organisation)),
        systems=SystemControl(switches, audit),
        budgets=budgets,
        tables=TableControl(pauses, handlers.tables, audit),
        detail=DetailControl(detail, audit, clock),
        search=search,
        causes=causes,
        notes=CauseNotes(ledger, audit, clock),
        figures=figures,
        comparison=Comparison(letters, ledger, problems, reader, audit),
        lookup=Lookup(ledger, queries, log, handlers.effects_of, carried),
        exchanges=ExchangeQuery(ledger),
        audit=AuditQuery(log, clock),
        planner=Planner(search, bulks, audit, calls_of, clock),
        bulks=BulkControl(bulks, audit, clock),
        matches=matches,
        drift=DriftReports(shared),
        reconciliations=Reconciliations(shared, clock),
        set_aside=SetAsideRows(lambda: open_set_aside(settings), sinks_by_name(settings, clock), audit),
    )
    knowledge = Knowledge(figures, desk.systems.states, budgets, clock)
    return Operations(
        desk=desk,
        dead_letters=reader,
        bulks=BulkRunner(bulks, repair, ledger=ledger, audit=audit, clock=clock),
        figures=figures,
        measures=Measures(knowledge, clock),
        operator_events=_operator_events(settings, desk.drift, knowledge, transport, ledger, clock),
    )


def _operator_events(  # noqa: PLR0917 -- called once, above
    settings: Settings,
    drift: DriftReports,
    knowledge: Knowledge,
    transport: Transport,
    ledger: Ledger,
    clock: Clock,
) -> "OperatorEvents | None":
    """What operators are told of, where the settings say to which address."""
    delivery = _delivery(settings, transport, clock)
    if delivery is None:
        return None
    from integration.operations.operator_events import OperatorEvents  # noqa: PLC0415 -- few apps use it
    from integration.operations.operator_events.conditions import Picture  # noqa: PLC0415 -- see above

    async def look() -> Picture:
        known = await knowledge.now()
        return Picture(known.waiting, known.dead, known.systems, known.budgets, await drift.last())

    return OperatorEvents(
        look,
        delivery,
        ledger,
        clock,
        source=f"/organizations/{settings.dataverse_organisation}",
        console=f"{settings.address}/api/console" if settings.address else None,
        longest_wait=timedelta(minutes=settings.operator_events_backlog_minutes),
    )


def _delivery(settings: Settings, transport: Transport, clock: Clock) -> "Delivery | None":
    """Where operators' events go: to a topic of Event Grid, or to an address; None where the settings name neither."""
    if settings.operator_events_event_grid_endpoint is not None:
        from integration.operations.operator_events.event_grid import EventGridDelivery  # noqa: PLC0415 -- few apps use it

        endpoint, key = settings.operator_events_event_grid_endpoint, settings.operator_events_event_grid_key
        client_id = settings.operator_events_event_grid_client_id
        return EventGridDelivery(event_grid_topic(endpoint, key, client_id, transport, clock, "operator-events"))
    if settings.operator_events_url is not None and settings.operator_events_secret is not None:
        from integration.operations.operator_events.webhook import Webhook  # noqa: PLC0415 -- few apps use it

        signing = signatures.secret_of(settings.operator_events_secret.get_secret_value())
        return Webhook(transport, str(settings.operator_events_url), signing, clock)
    return None

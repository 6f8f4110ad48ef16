"""The HTTP triggers for what people do with events, records, tables and systems, and for the lists that they use."""

from dataclasses import dataclass

import azure.functions as func

from integration.operations.audit_query import AuditQuery
from integration.operations.budgets import Budgets
from integration.operations.bulk import BulkControl, Planner
from integration.operations.cause_notes import CauseNotes
from integration.operations.causes import CauseQuery
from integration.operations.comparison import Comparison
from integration.operations.debug_detail import DetailControl
from integration.operations.drift import DriftReports
from integration.operations.edit import EditedRetry
from integration.operations.exchanges import ExchangeQuery
from integration.operations.figures import Figures
from integration.operations.lookup import Lookup
from integration.operations.postpone import Postpone
from integration.operations.reconciliations import Reconciliations
from integration.operations.repair import Repair
from integration.operations.resync import Resync
from integration.operations.rights import Staff
from integration.operations.routes import (
    bulk,
    causes,
    debug_detail,
    events,
    explanations,
    lists,
    matches,
    pauses,
    reconciliations,
    set_aside,
)
from integration.operations.routes.admitted import Operators
from integration.operations.routes.matches import Matches
from integration.operations.search import Search
from integration.operations.set_aside import SetAsideRows
from integration.operations.systems import SystemControl
from integration.operations.tables import TableControl
from integration.public_address import PublicAddress


@dataclass(frozen=True, slots=True)
class Desk:
    """The services that the routes call."""

    repair: Repair
    edit: EditedRetry
    postpone: Postpone
    resync: Resync
    systems: SystemControl
    budgets: Budgets
    tables: TableControl
    detail: DetailControl
    search: Search
    causes: CauseQuery
    notes: CauseNotes
    figures: Figures
    comparison: Comparison
    lookup: Lookup
    exchanges: ExchangeQuery
    audit: AuditQuery
    planner: Planner
    bulks: BulkControl
    matches: Matches
    drift: DriftReports
    reconciliations: Reconciliations
    set_aside: SetAsideRows


def blueprints(staff: Staff, desk: Desk, address: PublicAddress) -> list[func.Blueprint]:
    """All routes; each asks who it is, whose name goes into the audit, and for the right that it needs.

    The host tries routes in the order of their functions' names: those of lists come before `operations/{event_id?}`.
    """
    operators = Operators(staff, address)
    return [
        events.blueprint(operators, desk.repair, desk.edit, desk.postpone, desk.resync),
        explanations.blueprint(operators, desk.lookup, desk.exchanges),
        pauses.blueprint(operators, desk.systems, desk.tables),
        debug_detail.blueprint(operators, desk.detail),
        lists.blueprint(operators, desk.search, desk.audit),
        causes.blueprint(operators, desk.figures, desk.notes),
        bulk.blueprint(operators, desk.planner, desk.bulks),
        matches.blueprint(operators, desk.matches),
        reconciliations.blueprint(operators, desk.reconciliations, desk.tables),
        set_aside.blueprint(operators, desk.set_aside),
    ]

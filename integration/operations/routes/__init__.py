"""The HTTP triggers for what people do with events, records, tables and systems, and for the lists that they use."""

from dataclasses import dataclass

import azure.functions as func

from integration.admission import CallerKeys
from integration.operations.audit_query import AuditQuery
from integration.operations.bulk import BulkControl, Planner
from integration.operations.edit import EditedRetry
from integration.operations.postpone import Postpone
from integration.operations.repair import Repair
from integration.operations.resync import Resync
from integration.operations.routes import bulk, events, lists, pauses
from integration.operations.routes.admitted import Operators
from integration.operations.search import Search
from integration.operations.systems import SystemControl
from integration.operations.tables import TableControl


@dataclass(frozen=True, slots=True)
class Desk:
    """The services that the routes call."""

    repair: Repair
    edit: EditedRetry
    postpone: Postpone
    resync: Resync
    systems: SystemControl
    tables: TableControl
    search: Search
    audit: AuditQuery
    planner: Planner
    bulks: BulkControl


def blueprints(keys: CallerKeys, desk: Desk) -> list[func.Blueprint]:
    """All routes; each asks for an operations key, whose name goes into the audit.

    The host tries routes in the order of their functions' names: those of lists come before `operations/{event_id?}`.
    """
    operators = Operators(keys)
    return [
        events.blueprint(operators, desk.repair, desk.edit, desk.postpone, desk.resync),
        pauses.blueprint(operators, desk.systems, desk.tables),
        lists.blueprint(operators, desk.search, desk.audit),
        bulk.blueprint(operators, desk.planner, desk.bulks),
    ]

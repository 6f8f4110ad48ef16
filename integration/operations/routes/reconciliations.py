"""The route of what the last reconciliation of each table has found."""

from dataclasses import asdict
from typing import Any

import azure.functions as func

from integration.operations.answers import as_json
from integration.operations.reconciliations import Reconciliation, Reconciliations
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.operations.tables import TableControl


def blueprint(operators: Operators, reconciliations: Reconciliations, tables: TableControl) -> func.Blueprint:
    """The function of this route."""
    bp = func.Blueprint()

    @bp.route(route="operations/reconciliations", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_reconciliations(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- of all
        found = await reconciliations.last(tables.of_dataverse)
        listed = [{"table": table, "last": None if it is None else _as_json(it)} for table, it in found.items()]
        return as_json({"reconciliations": listed}, 200)

    return bp


def _as_json(it: Reconciliation) -> dict[str, Any]:
    known = asdict(it)
    found = [
        {"recordId": one.record_id, "kind": one.kind, "detail": one.detail, "eventId": one.event_id or None}
        for one in it.found
    ]
    return {**{name: value for name, value in known.items() if name != "table"}, "found": found}

"""The routes that compare and load tables."""

from datetime import datetime
from typing import Annotated, Any

import azure.functions as func
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from integration.clock import Clock, iso
from integration.errors import Fault, Rejected
from integration.exports.changes import Change
from integration.operations.answers import as_json
from integration.operations.reconciliations import Compared, Found, Reconciliations
from integration.operations.requests import Asked, read_body, read_time
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.pull.comparing import Difference
from integration.pull.loading import Loading
from integration.pull.reconciling import Reconciled, Reconciliation
from integration.pull.window import IN_FLIGHT, Window
from integration.settings.types import Guid


class ReconcileAsked(Asked):
    """The rows of a table that were changed in a window of time; `following` as the page before has named it."""

    table: str
    since: Annotated[AwareDatetime, Field(strict=False)]
    until: Annotated[AwareDatetime, Field(strict=False)] | None = None
    systems: bool = False
    deleted: bool = False
    following: str = ""


class ChangeAsked(BaseModel):
    """A row as an export of Dataverse has it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: Guid
    version: int = Field(default=0, ge=0)
    deleted: bool = False


class ExportAsked(BaseModel):
    """Rows of a table that an export says were changed; with `heal` and a reason, events make up for differences."""

    model_config = ConfigDict(extra="forbid", strict=True)

    table: str
    why: str = Field(default="", max_length=500)
    changes: Annotated[list[ChangeAsked], Field(max_length=500)]
    systems: bool = False
    heal: bool = False


class LoadAsked(Asked):
    """The rows of a table for which the OData filter `where` holds, `rate` of them a second."""

    table: str
    where: str = Field(default="", max_length=2_000)
    rate: Annotated[float, Field(strict=False)] | None = None
    again: bool = False


def blueprint(
    operators: Operators, reconciliation: Reconciliation, loading: Loading, kept: Reconciliations, clock: Clock
) -> func.Blueprint:
    """The functions of these routes; `kept` is told what reconciliations find."""
    bp = func.Blueprint()

    def until(asked: datetime | None) -> datetime:
        latest = clock.now() - IN_FLIGHT
        return latest if asked is None else asked

    @bp.route(route="operations/reconcile", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_differences(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        params = req.params
        since = read_time(params, "since")
        if since is None:
            fault = Fault("since", "is missing: a time with an offset, such as 2026-11-20T18:00:00Z")
            raise Rejected(400, "This list cannot be given", "Name the beginning of a window.", faults=(fault,))
        window = Window(
            params.get("table", ""),
            since,
            until(read_time(params, "until")),
            systems=params.get("systems") == "true",
            deleted=params.get("deleted") == "true",
        )
        following = params.get("following", "")
        page = await reconciliation.look(window, following)
        await kept.note(_compared(window, page, first=not following, healing=False), by=by.name)
        return as_json(_page(page, window), 200)

    @bp.route(route="operations/reconcile", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_reconcile(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        asked = read_body(ReconcileAsked, req.get_body())
        window = Window(asked.table, asked.since, until(asked.until), asked.systems, asked.deleted)
        page = await reconciliation.heal(window, asked.following, by=by.name, why=asked.why)
        await kept.note(_compared(window, page, first=not asked.following, healing=True), by=by.name)
        return as_json(_page(page, window), 200)

    @bp.route(route="operations/reconcile/export", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def operations_reconcile_export(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        asked = read_body(ExportAsked, req.get_body())
        changes = [Change(it.id.lower(), it.version, it.deleted) for it in asked.changes]
        if asked.heal:
            by.check(Right.REPAIR)
            if not asked.why:
                raise Rejected(400, "Nothing is healed", "Say why.", faults=(Fault("/why", "is missing"),))
            page = await reconciliation.heal_at(asked.table, changes, systems=asked.systems, by=by.name, why=asked.why)
        else:
            page = await reconciliation.look_at(asked.table, changes, systems=asked.systems)
        return as_json({"compared": page.compared, "differences": [_difference(it) for it in page.differences]}, 200)

    @bp.route(route="operations/load", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_load(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        params = req.params
        size = await loading.size(params.get("table", ""), params.get("where", ""), params.get("following", ""))
        return as_json(
            {
                "rows": size.rows,
                "following": size.following,
                "rate": size.rate,
                "requestsEach": size.requests_each,
                "callsEach": dict(size.calls_each),
                "page": size.page,
            },
            200,
        )

    @bp.route(route="operations/load", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.ADMINISTER)
    async def operations_load(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        asked = read_body(LoadAsked, req.get_body())
        step = await loading.step(
            asked.table, where=asked.where, rate=asked.rate, again=asked.again, by=by.name, why=asked.why
        )
        load = step.load
        return as_json(
            {
                "rows": load.rows,
                "queued": load.queued,
                "known": load.known,
                "began": load.began,
                "ended": load.ended or None,
                "rate": step.rate,
                "held": step.held,
            },
            200,
        )

    return bp


def _compared(window: Window, page: Reconciled, *, first: bool, healing: bool) -> Compared:
    return Compared(
        table=window.table,
        since=iso(window.since),
        until=iso(window.until),
        rows=page.compared,
        found=[Found(it.record_id, it.kind.value, it.detail, it.event_id) for it in page.differences],
        systems=window.systems,
        deleted=window.deleted,
        healing=healing,
        first=first,
        last=not page.following,
    )


def _page(page: Reconciled, window: Window) -> dict[str, Any]:
    return {
        "compared": page.compared,
        "differences": [_difference(it) for it in page.differences],
        "until": iso(window.until),
        "following": page.following,
    }


def _difference(it: Difference) -> dict[str, Any]:
    return {
        "recordId": it.record_id,
        "kind": it.kind.value,
        "detail": it.detail,
        "healed": it.kind.healed,
        "eventId": it.event_id or None,
    }

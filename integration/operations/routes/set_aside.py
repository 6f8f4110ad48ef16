"""Routes of the rows that sinks of analytics have set aside."""

from typing import Any

import azure.functions as func

from integration.clock import iso
from integration.errors import Rejected
from integration.operations.answers import as_json
from integration.operations.masking import masked
from integration.operations.requests import RowsAsked, read_body
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.operations.set_aside import AsideRow, Chosen, Group, SetAsideRows


def blueprint(operators: Operators, rows: SetAsideRows) -> func.Blueprint:
    """The functions of these routes."""
    bp = func.Blueprint()

    @bp.route(route="operations/set-aside", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_set_aside(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        return as_json({"setAside": [_group(it) for it in await rows.groups()]}, 200)

    @bp.route(route="operations/set-aside/{sink}", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_set_aside_rows(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        sink, params = req.route_params["sink"], req.params
        page = await rows.page(sink, reason=params.get("reason", ""), following=params.get("following", ""))
        return as_json({"rows": [_row(it, by) for it in page.rows], "following": page.following}, 200)

    @bp.route(route="operations/set-aside/{sink}/{row}", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_set_aside_row(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        found = await rows.one(req.route_params["sink"], req.route_params["row"], by)
        return as_json({**_row(found, by), "body": found.body if by.may(Right.PAYLOADS) else None}, 200)

    @bp.route(route="operations/set-aside/{sink}/{action}", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_set_aside(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        sink, action = req.route_params["sink"], req.route_params["action"]
        asked = read_body(RowsAsked, req.get_body())
        if action not in ("retry", "discard"):
            raise Rejected(404, "Unknown action", "Rows can be asked to retry and discard.")
        if action == "discard":
            by.check(Right.ADMINISTER)
        do = rows.retry if action == "retry" else rows.discard
        dealt = await do(Chosen(sink, asked.reason, asked.row), by=by.name, why=asked.why)
        return as_json({"done": dealt.done, "refused": dealt.refused, "left": dealt.left}, 200)

    return bp


def _group(it: Group) -> dict[str, Any]:
    return {
        "sink": it.sink,
        "reason": it.reason,
        "count": it.count,
        "more": it.more,
        "oldest": iso(it.oldest),
        "newest": iso(it.newest),
    }


def _row(it: AsideRow, person: Person) -> dict[str, Any]:
    """A row without what it carries."""
    row = it.refused.row
    return {
        "row": it.row_id,
        "reason": it.refused.reason,
        "detail": masked(it.refused.detail, person.may(Right.PAYLOADS)),
        "eventId": row.event_id,
        **row.place,
        "enqueuedTime": iso(row.enqueued_time),
        "bytes": len(row.body),
    }

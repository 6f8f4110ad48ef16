"""Routes of what is done to many events at once."""

import json
from typing import Any

import azure.functions as func

from integration.errors import Rejected
from integration.operations.answers import as_json
from integration.operations.bulk import BulkControl, Planner, right_for
from integration.operations.bulk.model import Action, Bulk, Item
from integration.operations.requests import Asked, BulkAsked, read_body
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.operations.routes.lists import problem_as_json


def blueprint(operators: Operators, planner: Planner, bulks: BulkControl) -> func.Blueprint:
    """The functions of these routes."""
    bp = func.Blueprint()

    @bp.route(route="operations/bulk", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_bulks(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        return as_json({"bulks": [bulk_as_json(it) for it in await bulks.recent()]}, 200)

    @bp.route(route="operations/bulk/{bulk_id}", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_bulk_items(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        bulk_id, after = req.route_params["bulk_id"], req.params.get("after", "")
        bulk, items = await bulks.read_with_items(bulk_id, after=after)
        return as_json({**bulk_as_json(bulk), "items": [_item(it) for it in items]}, 200)

    @bp.route(route="operations/bulk", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_bulk(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        asked = read_body(BulkAsked, req.get_body())
        by.check(right_for(Action(asked.action), force=asked.force))
        plan = await planner.plan(asked.wanted(), by=by.name, why=asked.why)
        return as_json({**bulk_as_json(plan.bulk), "sample": [problem_as_json(it, by) for it in plan.sample]}, 200)

    @bp.route(route="operations/bulk/{bulk_id}/{action}", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_bulk_action(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        bulk_id, action = req.route_params["bulk_id"], req.route_params["action"]
        asked = read_body(Asked, req.get_body())
        if action not in bulks.actions:
            raise Rejected(404, "Unknown action", f"A bulk operation can be asked to {', '.join(bulks.actions)}.")
        by.check(right_for((await bulks.read(bulk_id)).action))
        return as_json(bulk_as_json(await bulks.actions[action](bulk_id, by=by.name, why=asked.why)), 200)

    return bp


def bulk_as_json(bulk: Bulk) -> dict[str, Any]:
    """A bulk operation as support sees it; `seconds` is how long it takes at its rate."""
    return {
        "bulkId": bulk.bulk_id,
        "action": bulk.action.value,
        "state": bulk.state.value,
        "by": bulk.by,
        "why": bulk.why,
        "force": bulk.force,
        "canary": bulk.canary,
        "canaryPassed": bulk.canary_passed,
        "perMinute": bulk.per_minute,
        "selection": json.loads(bulk.selection),
        "total": bulk.total,
        **json.loads(bulk.plan),
        "counts": bulk.counts,
        "created": bulk.created,
        "started": bulk.started or None,
        "ended": bulk.ended or None,
        "note": bulk.note or None,
        "acknowledgedBy": bulk.acknowledged or None,
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "eventId": item.event_id,
        "state": item.state.value,
        "newEventId": item.new_event_id or None,
        "outcome": item.outcome or None,
        "at": item.at or None,
    }

"""Routes of what is done to one event, and to records."""

import azure.functions as func

from integration.clock import iso
from integration.operations.answers import as_json
from integration.operations.edit import Edit, EditedRetry
from integration.operations.postpone import Postpone
from integration.operations.repair import Repair
from integration.operations.requests import Asked, EditAsked, PostponeAsked, ResyncAsked, RetryAsked, read_body
from integration.operations.resync import Resync
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators


def blueprint(
    operators: Operators,
    repair: Repair,
    edit: EditedRetry,
    postpone: Postpone,
    resync: Resync,
) -> func.Blueprint:
    """The functions of these routes."""
    bp = func.Blueprint()

    @bp.route(route="operations/{event_id}/retry", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_retry(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        event_id, asked = req.route_params["event_id"], read_body(RetryAsked, req.get_body())
        if asked.force:
            by.check(Right.ADMINISTER)
        sent = await repair.retry(event_id, by=by.name, why=asked.why, force=asked.force, request=asked.request)
        return as_json({"eventId": sent, "replayOf": event_id}, 202)

    @bp.route(route="operations/{event_id}/edit", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR, Right.PAYLOADS)
    async def operations_edit(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        event_id, asked = req.route_params["event_id"], read_body(EditAsked, req.get_body())
        wanted = Edit(asked.values, asked.parameters)
        if asked.check:
            changed = await edit.check(event_id, wanted)
            changes = [{"pointer": it.pointer, "before": it.before, "after": it.after} for it in changed]
            return as_json({"eventId": event_id, "changes": changes}, 200)
        sent = await edit.retry(event_id, wanted, by=by.name, why=asked.why, request=asked.request)
        return as_json({"eventId": sent, "replayOf": event_id}, 202)

    @bp.route(route="operations/{event_id}/discard", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.ADMINISTER)
    async def operations_discard(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        event_id, asked = req.route_params["event_id"], read_body(Asked, req.get_body())
        await repair.discard(event_id, by=by.name, why=asked.why)
        return as_json({"eventId": event_id, "state": "discarded"}, 200)

    @bp.route(route="operations/{event_id}/restore", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.ADMINISTER)
    async def operations_restore(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        event_id, asked = req.route_params["event_id"], read_body(Asked, req.get_body())
        await repair.restore(event_id, by=by.name, why=asked.why)
        return as_json({"eventId": event_id, "state": "dead-lettered"}, 200)

    @bp.route(route="operations/{event_id}/postpone", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_postpone(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        event_id, asked = req.route_params["event_id"], read_body(PostponeAsked, req.get_body())
        until = await postpone.postpone(event_id, asked.until, by=by.name, why=asked.why)
        return as_json({"eventId": event_id, "state": "waiting", "nextAttempt": iso(until)}, 200)

    @bp.route(route="operations/resync", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.ADMINISTER)
    async def operations_resync(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        asked = read_body(ResyncAsked, req.get_body())
        done = await resync.resync(asked.table, asked.record_ids, by=by.name, why=asked.why)
        body = {"correlationId": done.correlation_id, "sent": list(done.sent), "left": list(done.left)}
        return as_json(body, 202)

    return bp

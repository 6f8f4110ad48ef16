"""Routes that pause and resume systems and tables."""

from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from integration.clock import iso
from integration.operations.answers import as_json
from integration.operations.requests import Asked, read_body
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.operations.systems import SystemControl
from integration.operations.tables import TableControl
from integration.protection import Pause, SystemState


def blueprint(operators: Operators, systems: SystemControl, tables: TableControl) -> func.Blueprint:
    """The functions of these routes."""
    bp = func.Blueprint()

    @bp.route(route="operations/systems", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_systems(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        states = await systems.states()
        return as_json({"systems": [_system(name, state) for name, state in states.items()]}, 200)

    @bp.route(route="operations/systems/{system}/pause", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_pause(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        system, asked = req.route_params["system"], read_body(Asked, req.get_body())
        return as_json(_system(system, await systems.pause(system, by=by.name, why=asked.why)), 200)

    @bp.route(route="operations/systems/{system}/resume", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_resume(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        system, asked = req.route_params["system"], read_body(Asked, req.get_body())
        return as_json(_system(system, await systems.resume(system, by=by.name, why=asked.why)), 200)

    @bp.route(route="operations/tables", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_tables(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        states = await tables.states()
        return as_json({"tables": [_table(name, pause) for name, pause in states.items()]}, 200)

    @bp.route(route="operations/tables/{table}/pause", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_pause_table(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        table, asked = req.route_params["table"], read_body(Asked, req.get_body())
        return as_json(_table(table, await tables.pause(table, by=by.name, why=asked.why)), 200)

    @bp.route(route="operations/tables/{table}/resume", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_resume_table(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        table, asked = req.route_params["table"], read_body(Asked, req.get_body())
        await tables.resume(table, by=by.name, why=asked.why)
        return as_json(_table(table, None), 200)

    return bp


def _system(name: str, state: SystemState) -> dict[str, Any]:
    """`phase` is the circuit breaker's; the rest describes a person's pause, or says why the breaker is open."""
    shown = {"system": name, "phase": state.phase.value, **_pause(state.pause)}
    return shown if state.pause else {**shown, "why": state.why or None}


def _table(name: str, pause: Pause | None) -> dict[str, Any]:
    return {"table": name, **_pause(pause)}


def _pause(pause: Pause | None) -> dict[str, Any]:
    return {
        "pausedBy": pause.by if pause else None,
        "why": pause.why if pause else None,
        "since": iso(datetime.fromtimestamp(pause.since, UTC)) if pause else None,
    }

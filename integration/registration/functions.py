"""The timer and the routes that compare the environment with its declaration.

What they compare with is imported when they first run: the app starts no later because of it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import azure.functions as func

from integration.errors import Rejected, Transient
from integration.operations.answers import as_json
from integration.operations.drift import DriftReport, DriftReports
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators

if TYPE_CHECKING:
    from integration.registration.drift import DriftCheck

EVERY_NIGHT = "0 37 3 * * *"
"""NCRONTAB: 03:37 UTC, away from the other jobs of the night."""


def blueprint(
    operators: Operators, reports: DriftReports, open_check: "Callable[[], DriftCheck] | None"
) -> func.Blueprint:
    """Compare every night where `open_check` is there (DRIFT_ENVIRONMENT), and whenever an operator asks for it."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule=EVERY_NIGHT)
    async def dataverse_drift(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        if open_check is None:
            return
        try:
            await open_check().run()
        except Transient:  # it is in the log: the next night compares again
            return

    @bp.route(route="operations/drift", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_drift(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        report = await reports.last()
        return as_json(
            {"configured": open_check is not None, "report": None if report is None else _document(report)}, 200
        )

    @bp.route(route="operations/drift", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_drift(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- nothing changes
        if open_check is None:
            raise Rejected(
                409,
                "The environment cannot be compared",
                "The app does not know which one it is: name its file in the setting DRIFT_ENVIRONMENT.",
            )
        return as_json({"configured": True, "report": _document(await open_check().run())}, 200)

    return bp


def _document(report: DriftReport) -> dict[str, Any]:
    return {
        "at": report.at,
        "drift": report.drift.value,
        "unchanged": report.unchanged,
        "count": report.count,
        "leftOut": report.left_out,
        "why": report.why or None,
        "differences": [
            {"address": it.address, "kind": it.kind, "since": it.since, "lines": list(it.lines)}
            for it in report.differences
        ],
    }

"""Whether Dataverse and the app agree: about rows, as reconciled, and about what is registered there."""

from typing import Final

from integration.console.asking import Answer, Ask, Page, Redirect, Route, address
from integration.console.parts import Parts
from integration.errors import Rejected
from integration.operations.drift import Drift
from integration.operations.reconciliations import KINDS
from integration.operations.rights import Right

_MARKS: Final = {Drift.NONE: "ok", Drift.FOUND: "bad", Drift.UNKNOWN: "wait"}


async def reconciliation(parts: Parts, ask: Ask) -> Page:  # noqa: ARG001 -- as all pages
    """The last reconciliation of each table, and the last comparison of the environment with its declaration."""
    return await _page(parts)


async def compare(parts: Parts, ask: Ask) -> Answer:  # noqa: ARG001 -- nothing changes, so nobody says why
    """Compare the environment with its declaration now."""
    if parts.compare_registration is None:
        refused = Rejected(409, "The environment cannot be compared", "Name its file in the setting DRIFT_ENVIRONMENT.")
        return await _page(parts, refused)
    await parts.compare_registration()
    return Redirect(address("reconciliation", said="registration"))


async def _page(parts: Parts, refused: Rejected | None = None) -> Page:
    desk = parts.desk
    report = await desk.drift.last()
    shows = {
        "reconciled": await desk.reconciliations.last(desk.tables.of_dataverse),
        "kinds": KINDS,
        "report": report,
        "mark": _MARKS[report.drift] if report else "idle",
        "configured": parts.compare_registration is not None,
    }
    return Page.after(refused, "reconciliation.html", shows)


ROUTES: Final = (
    Route("GET", "reconciliation", Right.LOOK, reconciliation),
    Route("POST", "reconciliation/registration", Right.REPAIR, compare),
)

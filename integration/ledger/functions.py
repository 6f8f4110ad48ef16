"""The timer triggers of the ledger: what is forgotten, and what is copied."""

import azure.functions as func

from integration.ledger.copies import DailyCopy
from integration.ledger.retention import Retention

NIGHTLY = "0 17 2 * * *"
"""NCRONTAB: 02:17 UTC; many other jobs start on the full hour, so this one does not."""
EVERY_TEN_MINUTES = "20 7-57/10 * * * *"
"""NCRONTAB: a copy of the day is started soon after midnight, UTC, and one that needs longer than a run goes on."""


def blueprint(retention: Retention, copy: DailyCopy) -> func.Blueprint:
    """Run retention every night, whose missed run is done at the app's next start; make a copy of the ledger a day."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule=NIGHTLY)
    async def ledger_retention(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await retention.run()

    @bp.timer_trigger(arg_name="timer", schedule=EVERY_TEN_MINUTES)
    async def ledger_copy(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await copy.run()

    return bp

"""The timer trigger of the ledger's retention."""

import azure.functions as func

from integration.ledger.retention import Retention

NIGHTLY = "0 17 2 * * *"
"""NCRONTAB: 02:17 UTC; many other jobs start on the full hour, so this one does not."""


def blueprint(retention: Retention) -> func.Blueprint:
    """Run retention every night; a missed run is done at the app's next start."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule=NIGHTLY)
    async def ledger_retention(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await retention.run()

    return bp

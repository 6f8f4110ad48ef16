"""The timer trigger of the ledger's retention."""

import azure.functions as func

from integration.ledger.retention import Retention

NIGHTLY = "0 17 2 * * *"
"""NCRONTAB: 02:17 UTC, at a minute when not everybody else's jobs begin as well."""


def blueprint(retention: Retention) -> func.Blueprint:
    """Bind retention to the night; a night that was missed is made up for when the app next starts."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule=NIGHTLY)
    async def ledger_retention(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await retention.run()

    return bp

"""The timer trigger of the claim check."""

import azure.functions as func

from integration.claim_check.sweep import ClaimSweep

NIGHTLY = "0 47 2 * * *"
"""NCRONTAB: 02:47 UTC, half an hour after the ledger has forgotten what is old."""


def blueprint(sweep: ClaimSweep) -> func.Blueprint:
    """Sweep every night; a missed run is done at the app's next start."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule=NIGHTLY)
    async def claim_checks(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await sweep.run()

    return bp

"""The timer trigger of change tracking."""

import azure.functions as func

from integration.pull.tracking import TableChanges

EVERY_FIVE_MINUTES = "20 */5 * * * *"
"""NCRONTAB: away from the beginning of a minute, at which many other jobs start."""


def blueprint(changes: TableChanges | None) -> func.Blueprint:
    """Read what has changed every five minutes, unless that is switched off (CHANGE_TRACKING)."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule=EVERY_FIVE_MINUTES)
    async def change_tracking(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        if changes is not None:
            await changes.run()

    return bp

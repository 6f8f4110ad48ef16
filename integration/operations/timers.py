"""The timer trigger that looks after the dead-letter queue."""

import azure.functions as func

from integration.operations.dead_letters import DeadLetterReader

EVERY_MINUTE = "30 * * * * *"
"""NCRONTAB: in the middle of the minute, when not everybody else's jobs begin as well."""


def blueprint(reader: DeadLetterReader) -> func.Blueprint:
    """Bind the reader to each minute; one instance of the app runs it."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule=EVERY_MINUTE)
    async def dead_letter_queue(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await reader.run()

    return bp

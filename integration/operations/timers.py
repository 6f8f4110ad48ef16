"""The timer triggers of what operations do by themselves; one instance of the app runs each."""

import azure.functions as func

from integration.operations.bulk import BulkRunner
from integration.operations.dead_letters import DeadLetterReader

EVERY_MINUTE = "30 * * * * *"
"""NCRONTAB: in the middle of the minute, when not everybody else's jobs begin as well."""


EVERY_TWENTY_SECONDS = "*/20 * * * * *"
"""NCRONTAB: so long a bulk operation waits at most until it is worked on; a run under way is not run over."""


def blueprint(reader: DeadLetterReader, runner: BulkRunner) -> func.Blueprint:
    """Bind the reader of the dead-letter queue, and the runner of bulk operations."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule=EVERY_MINUTE)
    async def dead_letter_queue(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await reader.run()

    @bp.timer_trigger(arg_name="timer", schedule=EVERY_TWENTY_SECONDS)
    async def bulk_operations(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await runner.run()

    return bp

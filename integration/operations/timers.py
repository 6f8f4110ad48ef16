"""The timer triggers of what operations do by themselves; one instance of the app runs each."""

from typing import TYPE_CHECKING

import azure.functions as func

from integration.operations.bulk import BulkRunner
from integration.operations.dead_letters import DeadLetterReader
from integration.operations.figures import Figures
from integration.operations.measures import Measures

if TYPE_CHECKING:
    from integration.operations.operator_events import OperatorEvents

EVERY_MINUTE = "30 * * * * *"
"""NCRONTAB: in the middle of the minute, as many other jobs start at its beginning."""

EVERY_MINUTE_TOO = "50 * * * * *"
"""NCRONTAB: beside the other one, so that the two do not read at once."""

EVERY_TWENTY_SECONDS = "*/20 * * * * *"
"""NCRONTAB: a bulk operation waits twenty seconds at most; no second run starts while one is under way."""


def blueprint(
    reader: DeadLetterReader,
    runner: BulkRunner,
    figures: Figures,
    measures: Measures,
    operator_events: "OperatorEvents | None",
) -> func.Blueprint:
    """Bind the reader of the dead-letter queue, the runner of bulk operations, and what takes the figures.

    Metrics are set by the figures, and operators are told of what they show, right after they were taken.
    """
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule=EVERY_MINUTE)
    async def dead_letter_queue(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await reader.run()

    @bp.timer_trigger(arg_name="timer", schedule=EVERY_TWENTY_SECONDS)
    async def bulk_operations(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await runner.run()

    @bp.timer_trigger(arg_name="timer", schedule=EVERY_MINUTE_TOO)
    async def operations_figures(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await figures.run()
        await measures.run()
        if operator_events is not None:
            await operator_events.run()

    return bp

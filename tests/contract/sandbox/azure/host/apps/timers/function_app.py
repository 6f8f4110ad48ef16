"""Timers: often, and seldom."""

from typing import Any

import azure.functions as func
import probe
from azure.functions.timer import TimerRequest

app = func.FunctionApp()


def seen(timer: func.TimerRequest) -> dict[str, Any]:
    """What was given; that is more than `func.TimerRequest` declares."""
    assert isinstance(timer, TimerRequest)
    return {"past_due": timer.past_due, "status": timer.schedule_status, "schedule": timer.schedule}


@app.timer_trigger(arg_name="timer", schedule="%OFTEN%", run_on_startup=True)
def often(timer: func.TimerRequest) -> None:
    probe.record("often", **seen(timer))
    raise RuntimeError("every time")


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
def seldom(timer: func.TimerRequest) -> None:
    probe.record("seldom", **seen(timer))

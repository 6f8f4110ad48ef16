"""Timers: often, and seldom."""

import azure.functions as func
import probe

app = func.FunctionApp()


@app.timer_trigger(arg_name="timer", schedule="%OFTEN%", run_on_startup=True)
def often(timer: func.TimerRequest) -> None:
    probe.record("often", past_due=timer.past_due, status=timer.schedule_status, schedule=timer.schedule)
    raise RuntimeError("every time")


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
def seldom(timer: func.TimerRequest) -> None:
    probe.record("seldom", past_due=timer.past_due, status=timer.schedule_status)

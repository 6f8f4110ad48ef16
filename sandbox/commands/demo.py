"""Show how real captured events pass through a sandbox of its own, and check the outcome.

Nothing is left running. Exits with 1 if something is not as it should be, and then keeps the logs.
"""

import argparse
import shutil
import time

import requests

from sandbox.client import Client, EventTimeoutError
from sandbox.client.other_ways import other_ways
from sandbox.commands.here import DEFAULT_STATE, add_system_options
from sandbox.commands.session import run_with
from sandbox.demo.outcome import checks
from sandbox.demo.story import Story
from sandbox.running.credit import DEFAULT_CREDIT
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox
from sandbox.running.sinks import LIGHT
from sandbox.running.state import new_state
from sandbox.terminal.ending import INTERRUPTED
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import PYTHON, duration, place, shortened


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_system_options(parser)


def main(options: argparse.Namespace) -> int:
    """0 if all checks hold."""
    began = time.monotonic()
    screen = Screen()
    screen.say("Starting a sandbox of its own on free ports ...")
    sandbox = Sandbox(
        new_state(DEFAULT_STATE, "demo"),
        erp=options.erp,
        credit=options.credit,
        relayed=options.relay,
        checks=True,
        sinks=LIGHT,
        say=lambda line: screen.say(line, indent=2),
    )

    def work(reached: Endpoints) -> int:
        client = Client(reached)
        try:
            refuses = options.credit == DEFAULT_CREDIT  # of the stand-ins, this one refuses amounts
            played = Story(client, screen, other_ways(reached), refuses=refuses).play()
            screen.title("Checks")
            found = []
            for check in checks(client, played):
                mark = "ok" if check.holds else "FAILED"
                screen.beside([(f"  {mark:<8}", STYLES[mark])], f"{check.claim}: {shortened(check.seen)}")
                found.append(check.holds)
        except (EventTimeoutError, TimeoutError, requests.RequestException) as failure:
            screen.say(f"The demo stops here: {failure}", STYLES["FAILED"])
            return 1
        return 0 if all(found) else 1

    status = run_with(sandbox, work)
    screen.say()
    if status == 0:
        shutil.rmtree(sandbox.state.root)
        screen.say(f"All checks hold, after {duration(time.monotonic() - began)}. Nothing is left running.", "bold")
        screen.say(f"To try it yourself: {PYTHON} run.py up")
    elif status == INTERRUPTED:
        screen.say("Interrupted.")
    else:
        screen.say(f"Not all checks hold. The log of each process is in {place(sandbox.state.logs)}.")
    return status

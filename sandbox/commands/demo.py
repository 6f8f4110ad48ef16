"""`run.py demo`: a sandbox of its own on free ports, events on their way, and a checked summary."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import requests

from sandbox.client import Client, EventTimeoutError
from sandbox.commands.session import INTERRUPTED, run_with
from sandbox.demo.outcome import checks
from sandbox.demo.screen import Screen
from sandbox.demo.story import Story
from sandbox.machine.ports import LOOPBACK
from sandbox.repository import REPOSITORY
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox
from sandbox.running.state import StateDirectory, StateInUseError


def main() -> int:
    """0 when all of it is true."""
    argparse.ArgumentParser(prog="run.py demo", description=__doc__).parse_args()
    began = time.monotonic()
    screen = Screen()
    home = REPOSITORY / ".sandbox"
    home.mkdir(exist_ok=True)
    forget_earlier(home)
    state = Path(tempfile.mkdtemp(prefix="demo-", dir=home))
    sandbox = Sandbox(state, say=screen.say)

    def work(reached: Endpoints) -> int:
        client = Client(reached, f"http://{LOOPBACK}:{sandbox.ports.broker_http}")
        try:
            told = Story(client, screen).play()
            screen.title("What is true now")
            found = []
            for check in checks(client, told):
                screen.verdict(check.holds, check.claim, check.seen)
                found.append(check.holds)
        except (EventTimeoutError, TimeoutError, requests.RequestException) as failure:
            screen.say(f"\nThe demo stops here: {failure}")
            return 1
        return 0 if all(found) else 1

    status = run_with(sandbox, work)
    if status == 0:
        shutil.rmtree(state)
        screen.say(f"\nAll of it is true, after {time.monotonic() - began:.0f} s. Nothing is left running.")
    elif status == INTERRUPTED:
        screen.say("\nInterrupted.")
    else:
        screen.say(f"\nNot all of it is true. Logs of each process: {sandbox.state.logs}")
    return status


def forget_earlier(home: Path) -> None:
    """Remove the state of demos that failed or were interrupted; not of one that still runs."""
    for directory in home.glob("demo-*"):
        state = StateDirectory(directory)
        try:
            state.open()
        except StateInUseError:
            continue
        state.close()
        shutil.rmtree(directory)


if __name__ == "__main__":
    sys.exit(main())

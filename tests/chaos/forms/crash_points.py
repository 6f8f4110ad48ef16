"""The worker and the intake killed at each point of one event's way: before and after every call, and anywhere between.

Each case has its own records; all of them are judged together at the end.
"""

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from sandbox.client import Client, StandIn, eventually
from tests.chaos.app.changes import EURO, Change
from tests.chaos.app.history import Answer, History
from tests.chaos.app.judge import judge
from tests.chaos.app.nemesis import PAST_THE_LOCK
from tests.chaos.app.people import context_about
from tests.chaos.app.run import Bench, observe

OFFSETS = range(0, 400, 25)
"""Milliseconds after the opportunity was won; an event is worked on for less, also while three others are."""

CALLS = (
    ("create", "dataverse", "GET .*opportunities.*versionnumber"),
    ("create", "credit", "POST /api/scores"),
    ("create", "dataverse", "PATCH .*opportunities.*tag=dataverse-integration"),
    ("win", "dataverse", "GET .*accounts.*versionnumber"),
    ("win", "erp", "PUT /api/customers"),
    ("win", "dataverse", "PATCH .*accounts.*tag=dataverse-integration"),
    ("win", "erp", "PUT /api/orders"),
    ("win", "dataverse", "PATCH .*opportunities.*tag=dataverse-integration"),
)


class Cases:
    """Cases on one sandbox: each is an opportunity of an account that the ERP does not know yet."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.client = bench.client()
        self.history = History(0)
        self.records: list[str] = []

    def opportunity(self, *, told: bool) -> Change:
        """An open opportunity; `told` by Dataverse's steps, or by nobody."""
        self.quiet()
        account = self.client.dataverse.create("account", {"name": "North"}, silent=True)
        columns = {
            "name": "Deal",
            "estimatedvalue": 4_200.5,
            "customerid_account@odata.bind": f"/accounts({account})",
            "transactioncurrencyid@odata.bind": f"/transactioncurrencies({EURO})",
        }
        made = Change("create", "opportunity", str(uuid.uuid4()), columns)
        self.client.dataverse.create("opportunity", columns, made.row_id, silent=not told)
        self.records.append(made.record)
        return made

    def win(self) -> None:
        """An opportunity that is won: the event of it goes the longest way."""
        self.client.dataverse.win(self.opportunity(told=False).row_id)

    def kill(self, name: str) -> None:
        """Kill -9 now, free what it held, start again."""
        self.history.nemesis.append(f"kill {name}")
        self.bench.sandbox.processes.kill(name)
        self.client.broker.clear_faults()
        self.client.broker.advance_clock(PAST_THE_LOCK)
        self.bench.sandbox.processes.start(name)

    def quiet(self) -> None:
        """Wait until the case before has come to its end: ten deliveries that are all killed would be too many."""
        eventually(self._drained, within=30, what="an empty work queue")

    def _drained(self) -> bool:
        queue = self.client.broker.entities()["queues"]["work"]
        return not (queue["active"] or queue["locked"] or queue["scheduled"])

    def kill_at(self, action: str, stand_in: StandIn, match: str, *, after: bool) -> None:
        """Kill the worker while it waits for the answer to a call that was done (`after`) or never will be."""
        stand_in.add_fault(match, after=after, drop=True, delay_ms=5000)
        if action == "win":
            self.win()
        else:
            self.opportunity(told=True)
        eventually(lambda: not stand_in._control("GET", "faults").json(), within=10, what=match)
        self.kill("host-events")

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """A process that sleeps; what it is sent meanwhile it takes when it wakes."""
        pid = self.bench.sandbox.processes.pid(name)
        assert pid is not None
        os.killpg(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(pid, signal.SIGCONT)

    def kill_intake_at(self, seconds: float) -> None:
        """Post a webhook, kill the intake meanwhile, and post it again as whoever was not answered does."""
        about = self.opportunity(told=False)
        body = context_about(about)

        def post(client: Client) -> None:
            try:
                answer = client.app.post_webhook(body)
            except requests.RequestException:
                return
            if answer.status_code == requests.codes.accepted:
                told = answer.json()
                self.history.answers.append(Answer(told["eventId"], about.record, own=False, status=told["status"]))

        first = threading.Thread(target=post, args=(self.bench.client(),))
        first.start()
        time.sleep(seconds)
        self.kill("host-http")
        first.join()
        for _ in range(2):
            post(self.client)


@pytest.mark.slow
def test_killed_at_every_point_everything_is_done_once(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before and after each call; every few milliseconds; with the ledger frozen; with a slow broker; at the intake."""
    cases = Cases(bench)
    systems = {"dataverse": cases.client.dataverse, "erp": cases.client.erp, "credit": cases.client.credit}
    for action, system, match in CALLS:
        for after in (False, True):
            cases.kill_at(action, systems[system], match, after=after)
    for offset in OFFSETS:
        cases.win()
        time.sleep(offset / 1000)
        cases.kill("host-events")
    for offset in OFFSETS[::2]:
        cases.win()
        time.sleep(offset / 1000)
        with cases.frozen("azurite"):
            time.sleep(0.2)
            bench.sandbox.processes.kill("host-events")
        cases.kill("host-events")
    for offset in OFFSETS[::2]:
        cases.client.broker.add_fault(delay_ms=150)
        cases.win()
        time.sleep(offset * 3 / 1000)
        cases.kill("host-events")
    for offset in OFFSETS[::4]:
        cases.client.broker.add_fault(delay_ms=200)
        cases.kill_intake_at(offset / 1000)
    cases.quiet()
    with cases.frozen("azurite"):
        cases.kill_intake_at(0.5)
    observe(bench, cases.client, cases.history, cases.records)
    judge(cases.history, tmp_path, capsys, evidence="crash_points")
    assert len(cases.history.accepted) >= len(cases.records)

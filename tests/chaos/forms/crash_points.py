"""The worker and the intake killed at each point of an event's way: before and after every call, and anywhere between.

Which calls an event makes is seen, not written down: each journey is made once undisturbed first. All cases are judged
together at the end.
"""

import dataclasses
import os
import re
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from sandbox.client import Client, StandIn, eventually
from sandbox.machine.ports import Ports, free_ports
from sandbox.running.endpoints import storage_connection
from tests.chaos.app import ledger_proxy
from tests.chaos.app.bench import WORKER, Bench, running
from tests.chaos.app.changes import EURO, Change
from tests.chaos.app.history import Answer, History
from tests.chaos.app.model import NO_CURRENCY
from tests.chaos.app.nemesis import PAST_THE_LOCK
from tests.chaos.app.observe import observe, waiting
from tests.chaos.app.people import context_about
from tests.chaos.form import Form, Run

OFFSETS = range(0, 400, 25)
"""Milliseconds after the opportunity was won; an event is worked on for less, also while three others are."""
_APP = "dataverse-integration"
"""User-Agent of the app's calls."""
_LEDGER = "/devstoreaccount1/records"
"""Of the ledger only what is known of a record decides anything; the other tables are written by the intake, too."""


@dataclass(frozen=True, slots=True)
class Call:
    """The `number`th call of a journey to this system with this method and path."""

    system: str
    match: str
    number: int

    def __str__(self) -> str:
        return f"{self.system}: {self.match} ({self.number})"


@dataclass(slots=True)
class Cases:
    """Cases on one sandbox, each with records of its own."""

    bench: Bench
    systems: Mapping[str, StandIn]
    client: Client
    history: History
    records: list[str] = field(default_factory=list)

    def account(self, *, silent: bool = True, **columns: Any) -> str:
        """A customer that the ERP does not know; `silent`: no step tells of it."""
        row_id = self.client.dataverse.create("account", {"name": "North", **columns}, silent=silent)
        if not silent:
            self.records.append(f"account:{row_id}")
        return row_id

    def opportunity(self, *, silent: bool = True, currency: str = EURO) -> Change:
        """An open opportunity of such a customer."""
        columns = {
            "name": "Deal",
            "estimatedvalue": 4_200.5,
            "customerid_account@odata.bind": f"/accounts({self.account()})",
            "transactioncurrencyid@odata.bind": f"/transactioncurrencies({currency})",
        }
        made = Change("create", "opportunity", str(uuid.uuid4()), columns)
        self.client.dataverse.create("opportunity", columns, made.row_id, silent=silent)
        self.records.append(made.record)
        return made

    def win(self) -> str:
        """An opportunity that is won: the event of it goes the longest way."""
        row_id = self.opportunity().row_id
        self.client.dataverse.win(row_id)
        return row_id

    def kill(self, name: str) -> None:
        """Kill -9 now, free what it held, start again."""
        self.history.nemesis.append(f"kill {name}")
        self.bench.sandbox.processes.kill(name)
        self.client.broker.clear_faults()
        for system in self.systems.values():
            system.clear_faults()
        self.client.broker.advance_clock(PAST_THE_LOCK)
        self.bench.sandbox.processes.start(name)

    def quiet(self) -> None:
        """Wait until the case before has come to its end: ten deliveries that are all killed would be too many."""
        self.client.dataverse.quiet()
        eventually(lambda: not waiting(self.client), within=60, what="an empty work queue")

    def calls_of(self, journey: "Journey") -> list[Call]:
        """What the worker calls for a journey that nothing disturbs, in the order of the systems.

        It is made twice: what a process asks for once (a token, a currency) is no part of it.
        """
        journey(self)()
        act = journey(self)
        self.quiet()
        for system in self.systems.values():
            system.forget()
        act()
        self.quiet()
        seen = [
            (name, f"{it['method']} {_pattern(it['path'])}")
            for name, system in self.systems.items()
            for it in system.received()
            if it["headers"].get("User-Agent") == _APP and (name != "ledger" or it["path"].startswith(_LEDGER))
        ]
        numbers: Counter[tuple[str, str]] = Counter()
        found = []
        for name, match in seen:
            numbers[name, match] += 1
            found.append(Call(name, match, numbers[name, match]))
        return found

    def kill_at(self, journey: "Journey", call: Call, *, after: bool) -> bool:
        """Kill the worker while it waits for the answer to a call that was done (`after`) or never will be.

        Whether the call came: what is done in parallel may come in another order.
        """
        act = journey(self)
        self.quiet()
        system = self.systems[call.system]
        if call.number > 1:
            system.add_fault(call.match, times=call.number - 1)
        system.add_fault(call.match, after=after, drop=True, delay_ms=5000)
        act()
        try:
            eventually(lambda: not system.faults(), within=10, what=str(call))
        except TimeoutError:
            return False
        finally:
            self.kill(WORKER)
        return True

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
        about = self.opportunity()
        body = context_about(about)

        def post(client: Client) -> None:
            try:
                answer = client.app.post_webhook(body)
            except requests.RequestException:
                return
            if answer.status_code == requests.codes.accepted:
                said = answer.json()
                self.history.answers.append(Answer(said["eventId"], about.record, own=False, status=said["status"]))

        first = threading.Thread(target=post, args=(self.bench.client(),))
        first.start()
        time.sleep(seconds)
        self.kill("host-http")
        first.join()
        for _ in range(2):
            post(self.client)


Journey = Callable[[Cases], Callable[[], object]]
"""Prepares rows, and gives the change whose event is looked at."""


def _created(cases: Cases) -> Callable[[], object]:
    return lambda: cases.account(silent=False)


def _renamed(cases: Cases) -> Callable[[], object]:
    row_id = cases.account(silent=False)
    return lambda: cases.client.dataverse.update("account", row_id, {"name": "South"})


def _scored(cases: Cases) -> Callable[[], object]:
    return lambda: cases.opportunity(silent=False)


def _scored_again(cases: Cases) -> Callable[[], object]:
    row_id = cases.opportunity(silent=False).row_id
    return lambda: cases.client.dataverse.update("opportunity", row_id, {"estimatedvalue": 300_000})


def _won(cases: Cases) -> Callable[[], object]:
    row_id = cases.opportunity().row_id
    return lambda: cases.client.dataverse.win(row_id)


def _reopened(cases: Cases) -> Callable[[], object]:
    row_id = cases.win()
    return lambda: cases.client.dataverse.update("opportunity", row_id, {"statecode": 0, "statuscode": 1})


def _deleted_opportunity(cases: Cases) -> Callable[[], object]:
    row_id = cases.win()
    return lambda: cases.client.dataverse.delete("opportunity", row_id)


def _deleted_account(cases: Cases) -> Callable[[], object]:
    row_id = cases.account(silent=False)
    return lambda: cases.client.dataverse.delete("account", row_id)


def _refused(cases: Cases) -> Callable[[], object]:
    strange = cases.client.dataverse.currency(NO_CURRENCY, "No currency")

    def act() -> None:
        made = cases.opportunity(silent=False, currency=strange)
        cases.history.poisoned.append(made.record)

    return act


JOURNEYS: dict[str, Journey] = {
    "opportunity won": _won,
    "opportunity created": _scored,
    "opportunity reopened": _reopened,
    "account created": _created,
    "account renamed": _renamed,
    "amount changed": _scored_again,
    "won opportunity deleted": _deleted_opportunity,
    "account deleted": _deleted_account,
    "currency that no system takes": _refused,
}


def kill_at_each_call(run: Run) -> None:
    """Each journey again for each of its calls: killed before it is done, and after."""
    journeys = dict(list(JOURNEYS.items())[: run.size(3, len(JOURNEYS))])
    with _sandbox(run) as cases:
        calls = {name: cases.calls_of(journey) for name, journey in journeys.items()}
        planned = [(name, call, after) for name, found in calls.items() for call in found for after in (False, True)]
        missed = []
        for number, (name, call, after) in enumerate(planned):
            run.show(number, f"{name}, {'after' if after else 'before'} {call.system}", total=len(planned))
            if not cases.kill_at(journeys[name], call, after=after):
                missed.append(f"{name}, {call}")
        observe(cases.bench, cases.history, cases.records, show=run.show)
    run.judge(cases.history)
    run.figure(**{f"calls, {name}": len(found) for name, found in calls.items()})
    run.figure(crash_points=len(planned) - len(missed))
    run.demand(all(len(found) >= 4 for found in calls.values()), f"calls were not seen: {calls}")
    run.demand(not missed, f"calls that did not come again: {missed}")


def kill_between(run: Run) -> None:
    """Every few milliseconds of the longest way; with the ledger frozen; with a slow broker; at the intake."""
    step = run.size(2, 1)
    offsets = OFFSETS[::step]
    with _sandbox(run) as cases:
        plan = [
            *((cases, "", offset) for offset in offsets),
            *((cases, "ledger frozen", offset) for offset in offsets[::2]),
            *((cases, "slow broker", offset) for offset in offsets[::2]),
            *((cases, "intake", offset) for offset in offsets[::4]),
        ]
        for number, (_, where, offset) in enumerate(plan):
            run.show(number, f"{offset} ms {where}".strip(), total=len(plan))
            cases.quiet()
            _kill_after(cases, where, offset / 1000)
        cases.quiet()
        with cases.frozen("azurite"):
            cases.kill_intake_at(0.5)
        observe(cases.bench, cases.history, cases.records, show=run.show)
    run.judge(cases.history)
    run.demand(run.figures["kills"] > len(plan), f"only {run.figures['kills']} kills")


def _kill_after(cases: Cases, where: str, seconds: float) -> None:
    if where == "intake":
        cases.client.broker.add_fault(delay_ms=200)
        cases.kill_intake_at(seconds)
        return
    if where == "slow broker":
        cases.client.broker.add_fault(delay_ms=150)
        seconds *= 3
    cases.win()
    time.sleep(seconds)
    if where == "ledger frozen":
        with cases.frozen("azurite"):
            time.sleep(0.2)
            cases.bench.sandbox.processes.kill(WORKER)
    cases.kill(WORKER)


@contextmanager
def _sandbox(run: Run) -> Iterator[Cases]:
    """A sandbox whose ledger is reached through a proxy that takes faults."""
    ports = Ports.free()
    [port] = free_ports(1)
    through = storage_connection(dataclasses.replace(ports, table=port))
    with (
        ledger_proxy.before(f"http://127.0.0.1:{ports.table}", port) as ledger,
        running(run.folder / "sandbox", {"AzureWebJobsStorage": through}, ports=ports) as bench,
    ):
        client = bench.client()
        client.dataverse.spare()
        systems = {"dataverse": client.dataverse, "erp": client.erp, "credit": client.credit, "ledger": ledger}
        yield Cases(bench, systems, client, History(run.seed))


def _pattern(path: str) -> str:
    """What is the same in this call of every record."""
    way, _, query = path.partition("?")
    way = re.sub(r"\(.*", "", way) if way.startswith(_LEDGER) else way
    way = re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", way)
    tagged = f".*tag={_APP}" if f"tag={_APP}" in query else ""
    return re.escape(way).replace("ID", "[0-9a-f-]{36}") + tagged


FORMS = [
    Form(
        "crash-points", "The worker is killed before and after each call that an event makes.", 5, 12, kill_at_each_call
    ),
    Form("crash-times", "Worker and intake are killed at any moment of an event's way.", 3, 5, kill_between),
]

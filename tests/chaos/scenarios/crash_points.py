"""The worker and the intake killed at each point of an event's way: before and after every call, and anywhere between.

All cases are judged together at the end.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sandbox.machine.ports import Ports, free_ports
from sandbox.running.endpoints import storage_connection
from sandbox.running.erp import ERPS
from tests.books.history import History
from tests.books.keyless import KEYLESS
from tests.chaos.app import storage_proxy
from tests.chaos.app.bench import WORKER, running
from tests.chaos.app.cases import Cases, Journey
from tests.chaos.app.model import NO_CURRENCY
from tests.chaos.app.observe import observe
from tests.chaos.scenario import Run, Scenario

OFFSETS = range(0, 400, 25)
"""Milliseconds after the opportunity was won; an event is worked on for less, also while three others are."""


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
        cases.history.unacceptable.append(made.record)

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
    journeys = _chosen(run)
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


def _chosen(run: Run) -> dict[str, Journey]:
    """The journeys of a run; an ERP that honours no key is called so often that the short run has one of them."""
    if run.erp in KEYLESS:
        return dict(list(JOURNEYS.items())[: run.size(1, -1)])
    return dict(list(JOURNEYS.items())[: run.size(3, len(JOURNEYS))])


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
        storage_proxy.before(f"http://127.0.0.1:{ports.table}", port) as ledger,
        running(run.folder / "sandbox", {"AzureWebJobsStorage": through}, ports=ports, erp=run.erp) as bench,
    ):
        client = bench.client()
        client.dataverse.spare()
        systems = {"dataverse": client.dataverse, "erp": client.erp, "credit": client.credit, "ledger": ledger}
        yield Cases(bench, systems, client, History(run.seed))


SCENARIOS = [
    Scenario(
        "crash-points",
        "The worker is killed before and after each call that an event makes.",
        7,
        20,
        kill_at_each_call,
        erps=tuple(ERPS),
    ),
    Scenario("crash-times", "Worker and intake are killed at any moment of an event's way.", 3, 5, kill_between),
]

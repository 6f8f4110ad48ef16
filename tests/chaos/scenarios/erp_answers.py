"""What the ERP is asked and what it answers gets lost, while every event comes several times and its process dies."""

import random
import time
from functools import partial

from sandbox.client import Client
from sandbox.running.erp import ERPS
from tests.books.history import History
from tests.chaos.app.bench import WORKER, running
from tests.chaos.app.changes import Change
from tests.chaos.app.nemesis import Nemesis
from tests.chaos.app.observe import observe, waiting
from tests.chaos.app.orders import Orders, win_one
from tests.chaos.app.people import context_about, post_once
from tests.chaos.scenario import Run, Scenario
from tests.chaos.scenarios.restores import ids

_LOSSES = (
    {"drop": True},
    {"drop": True, "after": True},
    {"drop": True, "after": True, "times": 3},
    {"status": 503, "after": True},
    {"status": 504, "after": True, "delay_ms": 300},
    {"status": 429, "headers": {"Retry-After": "1"}},
)
"""How a call to the ERP may end: not done, done without an answer, done and answered with an error, not let in."""


def lose_answers(run: Run) -> None:
    """Orders of new customers are won; each event is posted by hand several times."""
    events, kills = run.size(80, 1_000), run.size(6, 60)
    rng = run.rng
    history = History(run.seed)
    with running(run.folder / "sandbox", erp=run.erp) as bench:
        bench.add_workers(1)
        client, nemesis = bench.client(), Nemesis(bench, bench.client(), rng)
        orders = Orders(bench, events, make=partial(_win, history=history, rng=random.Random(run.seed)))  # noqa: S311 -- repeatable
        orders.start()
        lost, struck, turn = 0, 0, 0
        while orders.at_work or waiting(client):
            turn += 1
            client.erp.add_fault(
                rng.choice(("POST .*", "PATCH .*", "PUT .*", "GET /(api|v2|data)/.*")), **rng.choice(_LOSSES)
            )
            lost += 1
            done = orders.made - waiting(client)
            run.show(max(done, 0), f"{struck} kills", total=events)
            if struck < kills and done > struck * events / (kills + 1):
                nemesis.kill(rng.choice((*bench.workers, "erp")), pause=0.1)
                struck += 1
            time.sleep(0.4)
            if not orders.at_work and turn % 25 == 0:
                client.erp.clear_faults()
        records = orders.finish()
        while struck < kills:
            nemesis.kill(WORKER, pause=0.1)
            struck += 1
        nemesis.heal()
        history.nemesis = nemesis.strikes + ["lose an answer"] * lost
        observe(bench, history, records, within=180, show=lambda _, note: run.show(events, note))
    run.judge(history)
    run.figure(answers_and_calls_lost=lost, orders=events)
    created = [effect["kind"] for effect in history.effects]
    for kind in ("customer-created", "order-created"):
        run.demand(created.count(kind) == events, f"the ERP has {created.count(kind)} times {kind}, not {events} times")


def _win(client: Client, *, history: History, rng: random.Random) -> list[str]:
    """A won opportunity of a new customer, whose event comes 1 to 4 times more."""
    records = win_one(client)
    [opportunity] = ids("opportunity", records)
    about = Change("update", "opportunity", opportunity, {"statecode": 1})
    body = context_about(about)
    for _ in range(rng.randint(1, 4)):
        if (answer := post_once(client, about.record, body)) is not None:
            history.answers.append(answer)
    return records


SCENARIOS = [
    Scenario(
        "erp-answers",
        "Calls to the ERP and its answers are lost, events come several times, worker and ERP are killed.",
        3,
        30,
        lose_answers,
        erps=tuple(ERPS),
    ),
]

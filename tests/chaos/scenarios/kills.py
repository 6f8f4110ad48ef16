"""Processes are killed with kill -9, again and again, under load."""

import threading
import time
from collections import Counter

from tests.books.history import History
from tests.chaos.app.bench import running
from tests.chaos.app.nemesis import Nemesis
from tests.chaos.app.observe import observe, waiting
from tests.chaos.app.orders import Orders
from tests.chaos.app.run import run as run_changes
from tests.chaos.scenario import Run, Scenario


def kill_workers(run: Run) -> None:
    """One of two workers is killed each time that so many events are done; every event has three effects.

    What a dead worker held stays locked for a minute, while the other one goes on.
    """
    events, kills = run.size(1_000, 10_000), run.size(20, 100)
    with running(run.folder / "sandbox") as bench:
        bench.add_workers(1)
        client, history = bench.client(), History(run.seed)
        nemesis, orders = Nemesis(bench, bench.client(), run.rng), Orders(bench, events)
        orders.start()
        for number in range(1, kills + 1):
            while (done := orders.made - waiting(client)) < number * events / (kills + 1):
                run.show(max(done, 0), f"{number - 1} of {kills} kills", total=events)
                if not orders.at_work and not waiting(client):
                    break
                time.sleep(0.05)
            nemesis.kill(bench.workers[number % 2], pause=0.1, free=False)
        records = orders.finish()
        nemesis.heal()
        history.nemesis = nemesis.strikes
        observe(bench, history, records, within=180, show=lambda _, note: run.show(orders.made - waiting(client), note))
    kinds = Counter(effect["kind"] for effect in history.effects)
    run.judge(history)
    run.figure(
        customers_created=kinds["customer-created"],
        orders_created=kinds["order-created"],
        rows_with_their_numbers=sum(bool(row and row["new_erpnumber"]) for row in history.rows.values()),
        states_written_once_more=kinds["customer-updated"] + kinds["order-updated"],
    )
    run.demand(run.figures["kills"] >= kills, f"the worker was killed {run.figures['kills']} times, not {kills}")
    run.demand(run.figures["events"] >= events, f"there were {run.figures['events']} events, not {events}")
    for kind in ("customer-created", "order-created"):
        run.demand(kinds[kind] == events, f"the ERP has {kinds[kind]} times {kind}, not {events} times")
    numbered = run.figures["rows with their numbers"]
    run.demand(numbered == 2 * events, f"{numbered} rows have the number of the ERP, not {2 * events}")


def kill_everything(run: Run) -> None:
    """By chance: kills of all processes, frozen workers, outages, failing calls, while people change rows."""
    changes, kills = run.size(400, 2_000), run.size(8, 40)

    def strikes(nemesis: Nemesis, done: threading.Event) -> None:
        while not done.wait(0.5) or sum(strike.startswith("kill") for strike in nemesis.strikes) < kills:
            nemesis.strike()
            run.show(sum(strike.startswith("kill") for strike in nemesis.strikes), "kills", total=kills)

    with running(run.folder / "sandbox") as bench:
        bench.let_write_backs_echo()
        history = run_changes(
            bench, seed=run.seed, changes=changes, rate=25, strikes=strikes, within=180, show=run.show
        )
    run.judge(history)
    run.demand(run.figures["kills"] >= kills, f"only {run.figures['kills']} kills, not {kills}")


def restart_broker(run: Run) -> None:
    """The broker is killed and started again while people change rows."""
    changes, restarts = run.size(500, 2_000), 20

    def strikes(nemesis: Nemesis, done: threading.Event) -> None:
        for number in range(restarts):
            done.wait(run.size(500, 2_000) / 25 / restarts / 2)
            nemesis.kill("broker")
            run.show(number + 1, "restarts", total=restarts)

    with running(run.folder / "sandbox") as bench:
        history = run_changes(
            bench, seed=run.seed, changes=changes, rate=25, strikes=strikes, within=180, show=run.show
        )
    run.judge(history)
    run.demand(run.figures["kills"] == restarts, f"the broker was killed {run.figures['kills']} times")


SCENARIOS = [
    Scenario("worker-kills", "The worker is killed while every event has three effects to do.", 3, 30, kill_workers),
    Scenario(
        "everything", "All processes are killed, frozen, cut off or made to fail, by chance.", 3, 6, kill_everything
    ),
    Scenario("broker-restarts", "The broker is killed and started again 20 times under load.", 2, 4, restart_broker),
]

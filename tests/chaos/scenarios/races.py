"""Several workers at once: frozen ones that go on behind their successors, and events that come several times."""

import threading

from tests.chaos.app.bench import running
from tests.chaos.app.nemesis import Nemesis
from tests.chaos.app.run import run as run_changes
from tests.chaos.scenario import Run, Scenario

_MOST_COPIES = 5


def freeze_workers(run: Run) -> None:
    """Two hosts: one is stopped (SIGSTOP) until its locks are over, or the broker's clock moves past all locks.

    Rounds are seconds apart: an event whose lock is lost ten times goes to the dead-letter queue, as it should.
    """
    changes, rounds = run.size(600, 3_000), run.size(12, 60)

    def strikes(nemesis: Nemesis, done: threading.Event) -> None:
        for number in range(rounds):
            done.wait(5.0)
            if number % 3 == 2:
                nemesis.jump()
            else:
                nemesis.freeze()
            run.show(number + 1, "rounds", total=rounds)

    with running(run.folder / "sandbox") as bench:
        bench.add_workers(1)
        history = run_changes(bench, seed=run.seed, changes=changes, rate=8, strikes=strikes, within=180, show=run.show)
    run.judge(history)
    frozen = sum(strike.startswith("freeze") for strike in history.nemesis)
    moved = sum(strike.startswith("clock") for strike in history.nemesis)
    run.figure(workers_frozen=frozen, clocks_moved=moved)
    run.demand(frozen + moved == rounds, f"only {frozen + moved} of {rounds} rounds")


def deliver_again(run: Run) -> None:
    """Every event that can be posted by hand is posted 1 to 5 times, shuffled, to three hosts with two workers each."""
    changes = run.size(300, 2_000)

    def strikes(_nemesis: Nemesis, _done: threading.Event) -> None:
        """None: the copies are what is tried here."""

    with running(run.folder / "sandbox", {"FUNCTIONS_WORKER_PROCESS_COUNT": "2"}) as bench:
        bench.add_workers(2)
        workers = len(bench.workers)
        history = run_changes(
            bench, seed=run.seed, changes=changes, rate=20, strikes=strikes, within=180, copies=True, show=run.show
        )
    run.judge(history)
    posted = [answer.event_id for answer in history.answers if answer.status == "accepted"]
    run.figure(hosts=workers, worker_processes=2 * workers)
    copies = max(posted.count(event_id) for event_id in set(posted))
    run.demand(copies == _MOST_COPIES, f"the event that came most often came {copies} times")
    run.demand(len(posted) > 2 * len(set(posted)), f"{len(posted)} deliveries of {len(set(posted))} events")


SCENARIOS = [
    Scenario(
        "frozen",
        "Workers are frozen past their locks, and the broker's clock moves past all locks.",
        2,
        5,
        freeze_workers,
    ),
    Scenario("duplicates", "Every event comes 1 to 5 times, shuffled, to three hosts.", 2, 5, deliver_again),
]

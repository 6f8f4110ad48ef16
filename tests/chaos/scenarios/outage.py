"""A system that is away for minutes, and Dataverse with its limits: what comes back is not overrun."""

import itertools
import time
from bisect import bisect_left
from collections import Counter
from datetime import datetime
from http import HTTPStatus

from sandbox.client import Client
from tests.books.history import History
from tests.chaos.app.bench import WORKER, Bench, running
from tests.chaos.app.observe import observe, waiting
from tests.chaos.app.orders import Orders
from tests.chaos.scenario import Run, Scenario

_ERP_SECONDS = 0.1
"""Seconds that the ERP takes for a call: they turn a number of calls at once into requests in a second."""
_AT_ONCE = 16
"""ERP_CONCURRENCY, by default."""
_RAMP_SECONDS = 5
"""A system that is back gets one call at once at first, and twice as many every five seconds."""
_WINDOW = 300.0
"""Dataverse counts requests of five minutes."""


def erp_away(run: Run) -> None:
    """Ten minutes without the ERP: half of them it answers 503, half of them nothing listens; people go on working.

    The short scenario has a tenth of the times, and so of the settings that are times.
    """
    away, scale = run.size(60, 600), run.size(10, 1)
    settings = {
        "OUTAGE_FIRST_PAUSE_SECONDS": str(10 / scale),
        "OUTAGE_LONGEST_PAUSE_SECONDS": str(300 / scale),
        "RETRY_FIRST_DELAY_SECONDS": str(5 / scale),
        "RETRY_LONGEST_DELAY_SECONDS": str(900 / scale),
    }
    events, per_second = run.size(300, 1_500), 5.0
    with running(run.folder / "sandbox", settings) as bench:
        client, history = bench.client(), History(run.seed)
        clock = itertools.count()
        began = time.monotonic()

        def pause() -> None:
            time.sleep(max(0.0, began + next(clock) / per_second - time.monotonic()))

        orders = Orders(bench, events, pause=pause)
        _slow(client)
        orders.start()
        _wait(run, 5, "the ERP works", away + 5)
        refused = _refuse(run, client, away / 2, away + 5)
        bench.sandbox.processes.kill("erp")
        _wait(run, away / 2, "the ERP does not listen", away + 5, after=5 + away / 2)
        bench.sandbox.processes.start("erp")
        _slow(client)
        asked = _ask_until_done(run, bench, client, orders)
        observe(bench, history, orders.finish(), within=300)
    run.judge(history)
    run.demand(run.figures["events"] >= events, f"there were {run.figures['events']} events, not {events}")
    judge_outage(run, away=away, refused=refused, asked=asked)


def judge_outage(run: Run, *, away: float, refused: int, asked: list[float]) -> None:
    """`refused` requests came in the half in which the ERP answered 503; `asked` are seconds after its return."""
    per = Counter(int(second) for second in asked)
    first = max((count for second, count in per.items() if second < min(per) + _RAMP_SECONDS), default=0)
    most = max(per.values(), default=0)
    run.figure(
        seconds_away=away,
        requests_while_it_answered_503=refused,
        requests_in_the_busiest_of_the_first_5_seconds=first,
        requests_in_the_busiest_second=most,
        seconds_from_its_return_to_the_first_request=round(min(asked, default=0), 1),
        seconds_from_its_first_to_its_last_request=round(max(asked, default=0) - min(asked, default=0), 1),
    )
    run.demand(asked, "nothing was asked of the ERP once it was back")
    _demand_no_dead_letters(run)
    run.demand(refused <= away, f"{refused} requests to an ERP that was away for {away / 2:.0f} s")
    bound = 2 / _ERP_SECONDS
    run.demand(first <= bound, f"{first} requests in one of the first seconds, more than {bound:.0f}")
    bound = 1.25 * _AT_ONCE / _ERP_SECONDS
    run.demand(most <= bound, f"{most} requests in one second, more than {bound:.0f}")


def _demand_no_dead_letters(run: Run) -> None:
    run.demand(not run.figures.get("dead-lettered"), f"{run.figures.get('dead-lettered')} events were dead-lettered")


def _slow(client: Client) -> None:
    client.erp.add_fault("* /api/", times=None, delay_ms=int(_ERP_SECONDS * 1000))


def _refuse(run: Run, client: Client, seconds: float, total: float) -> int:
    """Answer 503 for so long; the requests that came meanwhile."""
    client.erp.clear_faults()
    client.erp.add_fault("* /api/", times=None, status=503)
    before = datetime.fromisoformat(client.erp.received()[-1]["at"])
    _wait(run, seconds, "the ERP answers 503", total, after=5)
    return sum(datetime.fromisoformat(it["at"]) > before for it in client.erp.received())


def _wait(run: Run, seconds: float, note: str, total: float, *, after: float = 0.0) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        run.show(int(after + seconds - left), note, total=int(total))
        time.sleep(min(left, 0.5))


def _ask_until_done(run: Run, bench: Bench, client: Client, orders: Orders) -> list[float]:
    """Seconds after the return of the ERP of each request that it got, until all is done."""
    returned, seen = time.time(), dict[tuple[str, str, str], float]()
    while orders.at_work or waiting(client):
        for it in client.erp.received():
            seen[it["at"], it["path"], it["method"]] = datetime.fromisoformat(it["at"]).timestamp() - returned
        run.show(max(orders.made - waiting(client), 0), "events, the ERP is back", total=orders.count)
        time.sleep(0.5)
    return list(seen.values())


def spend_budget(run: Run) -> None:
    """A backlog that needs more requests than Dataverse takes in five minutes, for four worker processes."""
    limit, events = 600, run.size(250, 1_000)
    settings = {"DATAVERSE_REQUESTS": str(limit), "FUNCTIONS_WORKER_PROCESS_COUNT": "4"}
    with running(run.folder / "sandbox", settings) as bench:
        client, history = bench.client(), History(run.seed)
        bench.sandbox.processes.stop_one(WORKER)
        orders = Orders(bench, events)
        orders.start()
        records = orders.finish()
        seen: dict[tuple[str, str], tuple[float, int]] = {}
        began = time.time()
        client.dataverse.enforce_limits(requests=limit)
        bench.sandbox.processes.start(WORKER)
        while left := waiting(client):
            seen |= _requests_of_the_app(client)
            run.show(events - left, "events", total=events)
            time.sleep(1)
        client.dataverse.clear_limits()
        seconds = time.time() - began
        observe(bench, history, records, within=60)
    run.judge(history)
    times = sorted(at for at, _ in seen.values() if at >= began)
    refused = sum(status == HTTPStatus.TOO_MANY_REQUESTS for _, status in seen.values())
    run.figure(worker_processes=4, seconds_for_the_backlog=round(seconds))
    judge_budget(run, times, limit=limit, refused=refused)


def judge_budget(run: Run, times: list[float], *, limit: int, refused: int) -> None:
    """`times` of the requests in seconds, in order; `refused` of them were answered 429."""
    most = max((bisect_left(times, at + _WINDOW) - number for number, at in enumerate(times)), default=0)
    run.figure(
        requests_allowed_in_five_minutes=limit,
        requests_in_the_busiest_five_minutes=most,
        requests_in_all=len(times),
        requests_refused_with_429=refused,
    )
    run.demand(len(times) > 1.2 * limit, f"{len(times)} requests are no test of a limit of {limit}")
    run.demand(most <= limit, f"{most} requests in five minutes, more than {limit}")
    run.demand(refused == 0, f"Dataverse refused {refused} requests")
    _demand_no_dead_letters(run)


def _requests_of_the_app(client: Client) -> dict[tuple[str, str], tuple[float, int]]:
    """When each came and how it was answered; people use another library, and tokens are not counted."""
    return {
        (it["at"], it["path"]): (datetime.fromisoformat(it["at"]).timestamp(), it["status"] or 0)
        for it in client.dataverse.received()
        if it["path"].startswith("/api/") and "python-requests" not in it["headers"].get("User-Agent", "")
    }


SCENARIOS = [
    Scenario(
        "erp-away", "The ERP is away for ten minutes (a tenth in the short scenario), then comes back.", 3, 25, erp_away
    ),
    Scenario(
        "budget", "Dataverse enforces its limits, and four worker processes share the budget.", 7, 20, spend_budget
    ),
]

"""One record that is busy for longer than the host renews its session's lock."""

import itertools
import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.azure.topology import TOPOLOGY
from tests.books.history import History
from tests.chaos.app.bench import running
from tests.chaos.app.observe import observe, waiting
from tests.chaos.scenario import Run, Scenario

_LOCKS = 6
"""So many lock durations the record is busy for, and a little."""
_RENEWED = 5
"""For so many of them the lock is renewed: for a night that is the five minutes of host.json."""
_RENEWAL = "AzureFunctionsJobHost__extensions__serviceBus__maxAutoLockRenewalDuration"


def keep_busy(run: Run) -> None:
    """People change one account all the time, and the ERP takes a quarter of a lock's duration for each state.

    Two hosts: whoever holds the session keeps it while its lock is renewed. That ends, counted from when the session
    was taken, whatever is being worked on: then the other host begins the same event while the first one is still at
    it. The short scenario has locks of ten seconds, the one for a night those of the topology.
    """
    lock = run.size(10, 60)
    slow = lock / 4
    renewed_for = time.strftime("%H:%M:%S", time.gmtime(_RENEWED * lock))
    settings = {_RENEWAL: renewed_for}
    with running(run.folder / "sandbox", settings, topology=_topology(run.folder, lock)) as bench:
        bench.add_workers(1)
        client, history = bench.client(), History(run.seed)
        account = client.dataverse.create("account", {"name": "North"}, silent=True)
        client.erp.add_fault("PUT /api/customers", times=None, delay_ms=int(slow * 1000))
        before = client.broker.counters()
        began, number = time.monotonic(), 0
        while (past := time.monotonic() - began) < (_LOCKS + 0.5) * lock:
            number += 1
            client.dataverse.update("account", account, {"name": f"North {number}"})
            run.show(int(past), "s busy", total=int((_LOCKS + 0.5) * lock))
            time.sleep(slow / 2)
        while waiting(client):
            run.show(int(time.monotonic() - began), "s, the last changes")
            time.sleep(0.5)
        busy = time.monotonic() - began
        calls = [datetime.fromisoformat(it["at"]).timestamp() for it in client.erp.received() if it["method"] == "PUT"]
        after = client.broker.counters()
        observe(bench, history, [f"account:{account}"], within=60)
    run.judge(history)
    renewed, lost = (after.get(it, 0) - before.get(it, 0) for it in ("session_locks_renewed", "session_locks_expired"))
    run.figure(lock_in_seconds=lock, renewed_for_seconds=_RENEWED * lock, seconds_busy=round(busy))
    run.demand(busy > _LOCKS * lock, f"the record was busy for {busy:.0f} s only")
    judge_session(run, calls, slow=slow, renewed=renewed, lost=lost)


def judge_session(run: Run, calls: list[float], *, slow: float, renewed: int, lost: int) -> None:
    """`calls` for the one record, in seconds and in order, each of which takes `slow` seconds."""
    between = [later - earlier for earlier, later in itertools.pairwise(calls)]
    beside = sum(it < slow for it in between)
    run.figure(
        session_locks_renewed=renewed,
        session_locks_lost=lost,
        calls_of_the_ERP=len(calls),
        seconds_of_each_call=slow,
        calls_beside_another_one=beside,
    )
    run.demand(renewed >= _RENEWED, f"its lock was renewed {renewed} times only")
    run.demand(lost, "its lock was never lost, so this was no test")
    run.demand(beside <= lost, f"{beside} calls were made beside another one, and {lost} locks were lost")
    run.demand(not run.figures.get("dead-lettered"), f"{run.figures.get('dead-lettered')} events were dead-lettered")


def _topology(folder: Path, lock: int) -> Path:
    document: dict[str, Any] = json.loads(TOPOLOGY.read_text(encoding="utf-8"))
    for queue in document["serviceBus"]["queues"]:
        queue["lockDuration"] = f"PT{lock}S"
    path = folder / "topology.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


SCENARIOS = [
    Scenario("busy-record", "One record is busy for longer than its lock is renewed, with two hosts.", 2, 9, keep_busy),
]

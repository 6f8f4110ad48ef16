"""Events are dropped at random, as if steps had been bypassed; a reconciliation finds each of them and heals it.

What is proved is the reconciliation: so of the accounts of which an event was brought, only a part has gone through the
worker, with all of those that are changed or deleted later. The others are copies of one that has.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from integration.composition.services import build_services
from integration.pull.window import Window
from integration.settings import Settings
from integration.transport import Request, Transport
from sandbox.client import Client, eventually
from tests.chaos.app.bench import Bench, running
from tests.chaos.app.copies import copy_account
from tests.chaos.app.observe import waiting
from tests.chaos.app.people import insist
from tests.chaos.app.rows import AT_ONCE, create_accounts, parts
from tests.chaos.scenario import Run, Scenario

_PEOPLE = 3
_KINDS = ("created", "changed", "deleted")


def reconcile_what_was_lost(run: Run) -> None:
    """Accounts are created, changed and deleted; of a part of that no step sends an event."""
    rows, lost, copies = run.size(3_000, 100_000), run.size(1_000, 10_000), run.size(1_000, 88_000)
    with running(run.folder / "sandbox") as bench:
        time.sleep(2.0)  # the rows that a sandbox begins with are older
        began = datetime.now(UTC)
        dropped, brought = _people_at_work(run, bench, rows - copies, lost)
        run.show(0, "copies", total=copies)
        copy_account(bench, brought, [str(uuid.uuid4()) for _ in range(copies)])
        calls, found, compared = _look(run, bench, began)
        ours = {row_id for rows in dropped.values() for row_id in rows}
        run.figure(
            rows_compared=compared,
            of_them_copies_of_one_row=copies,
            events_dropped=len(ours),
            of_them_found=len(found & ours),
            found_and_not_dropped=len(found - ours),
            requests_to_dataverse=calls["dataverse"],
            reads_of_the_ledger=calls["ledger"],
        )
        run.demand(found == ours, f"{len(ours - found)} dropped events are not found, {len(found - ours)} are no loss")
        run.demand(calls["ledger"] <= compared + compared // 100 + 5, f"{calls['ledger']} reads for {compared} rows")
        started = time.monotonic()
        queued = _heal(run, bench, began)
        _wait(run, bench.client(), len(ours))
        run.figure(events_queued=queued, seconds_until_all_was_healed=round(time.monotonic() - started))
        left = _look(run, bench, began)[1]
        run.figure(different_afterwards=len(left))
        run.demand(not left, f"{len(left)} rows are still different")
        wrong = _wrong_in_the_erp(bench, dropped)
        run.figure(wrong_in_the_ERP=wrong)
        run.demand(not wrong, f"the ERP has {wrong} of the healed rows in another state")


def _people_at_work(run: Run, bench: Bench, count: int, lost: int) -> tuple[dict[str, set[str]], str]:
    """Make so many accounts: those of which the last change was dropped, by kind, and one that is as it was brought."""
    rows = [str(uuid.uuid4()) for _ in range(count)]
    chosen = run.rng.sample(rows, lost)
    bounds = (0, lost * 6 // 10, lost * 9 // 10, lost)
    dropped = {kind: set(chosen[bounds[at] : bounds[at + 1]]) for at, kind in enumerate(_KINDS)}
    told = [it for it in rows if it not in dropped["created"]]

    def change(client: Client, row_id: str) -> None:
        client.dataverse.update("account", row_id, {"name": "After"}, silent=True)

    def delete(client: Client, row_id: str) -> None:
        client.dataverse.delete("account", row_id, silent=True)

    for some in parts(sorted(dropped["created"])):
        create_accounts(bench.client(), some, "Before", silent=True)
    client = bench.client()
    for number, some in enumerate(parts(told)):
        create_accounts(client, some, "Before", silent=False)
        run.show(number * AT_ONCE, "accounts", total=count)
        insist(client.dataverse.quiet)
        eventually(lambda: waiting(client) < AT_ONCE, within=600, what="a short work queue")
    _wait(run, client, AT_ONCE)
    for do, of_them in ((change, sorted(dropped["changed"])), (delete, sorted(dropped["deleted"]))):
        _all(run, bench, do, of_them)
    return dropped, next(it for it in told if not any(it in rows for rows in dropped.values()))


def _all(run: Run, bench: Bench, do: Callable[[Client, str], None], rows: Sequence[str]) -> None:
    def one(part: Sequence[str]) -> None:
        client = bench.client()
        for row_id in part:
            insist(partial(do, client, row_id))

    with ThreadPoolExecutor(_PEOPLE) as people:
        for number, _ in enumerate(people.map(one, [rows[start::_PEOPLE] for start in range(_PEOPLE)])):
            run.show(number, "people at work", total=_PEOPLE)


def _wait(run: Run, client: Client, total: int) -> None:
    """Until every change was published, and every event has ended."""

    def quiet() -> bool:
        time.sleep(1.0)
        left = waiting(client)
        run.show(total - left, "events", total=total)
        return left == 0

    insist(client.dataverse.quiet)
    eventually(quiet, within=1_800, what="an empty work queue")
    time.sleep(2.0)


def _look(run: Run, bench: Bench, began: datetime) -> tuple[Counter[str], set[str], int]:
    """What a reconciliation finds, by the app's own services in this process; the calls that it made, by system."""
    window = Window("account", began, datetime.now(UTC) + timedelta(minutes=1), deleted=True)
    found, compared = set[str](), 0

    async def look() -> None:
        nonlocal compared
        reconciliation = build_services(Settings.from_environment(bench.sandbox.app_settings)).reconciliation
        following = ""
        while True:
            page = await reconciliation.look(window, following)
            if not following.startswith("deleted"):
                compared += page.compared
            found.update(it.record_id for it in page.differences)
            run.show(compared, "rows compared", total=0)
            following = page.following
            if not following:
                return

    with _counted() as calls:
        asyncio.run(look())
    return calls, found, compared


@contextmanager
def _counted() -> Iterator[Counter[str]]:
    """Count what this process sends: to the ledger only the point reads, to Dataverse all but the token."""
    calls, send = Counter[str](), Transport.send

    async def counting(self: Transport, request: Request, **options: object) -> object:
        if request.service == "dataverse" or (request.service == "ledger" and request.operation == "read records"):
            calls[request.service] += 1
        return await send(self, request, **options)  # type: ignore[arg-type] # passed on as they came

    Transport.send = counting  # type: ignore[method-assign, assignment] # until the block ends
    try:
        yield calls
    finally:
        Transport.send = send  # type: ignore[method-assign]


def _heal(run: Run, bench: Bench, began: datetime) -> int:
    """By the route of the running app, page by page, as `run.py reconcile --heal` does; how many events are queued."""
    client, following, queued = bench.client(), "", 0
    until = datetime.now(UTC) + timedelta(minutes=1)
    while True:
        window = {"table": "account", "since": began.isoformat(), "until": until.isoformat(), "deleted": True}
        answer = client.app.act("reconcile", **window, following=following)
        if answer.status_code == 503:  # as the command does: the same page once more
            time.sleep(5.0)
            continue
        answer.raise_for_status()
        page = answer.json()
        queued += sum(it["eventId"] is not None for it in page["differences"])
        run.show(queued, "events queued", total=0)
        following = page["following"]
        if not following:
            return queued


def _wrong_in_the_erp(bench: Bench, dropped: dict[str, set[str]]) -> int:
    """Of the rows whose event was dropped, those that the ERP was last given in another state than theirs."""
    last: dict[str, dict[str, object]] = {}
    for effect in bench.client().erp.effects():
        last[effect["id"]] = effect["body"]
    wanted = dict.fromkeys(dropped["created"], ("name", "Before"))
    wanted |= dict.fromkeys(dropped["changed"], ("name", "After"))
    wanted |= dict.fromkeys(dropped["deleted"], ("status", "blocked"))
    return sum(last.get(row_id, {}).get(name) != value for row_id, (name, value) in wanted.items())


SCENARIOS = [
    Scenario(
        "lost-events", "Events are dropped at random; a reconciliation heals them.", 6, 45, reconcile_what_was_lost
    ),
]

"""Dataverse or the ERP is restored from an older copy: that is noticed, and the records can be sent again."""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sandbox.client import Client, eventually
from tests.books.history import Answer, History
from tests.chaos.app.bench import Bench, running
from tests.chaos.app.observe import observe, published, waiting
from tests.chaos.app.orders import Orders
from tests.chaos.scenario import Run, Scenario

_MOST = 500
"""Records of one request to send again."""
_FAILED = 2


class Restore:
    """A sandbox with orders, of which one system is restored from an older copy of its files."""

    def __init__(self, run: Run, bench: Bench, system: str, files: Path) -> None:
        self.run = run
        self.bench = bench
        self.client: Client = bench.client()
        self.history = History(run.seed)
        self._system = system
        self._files = files
        self._copy = run.folder / "copy"
        self._seen = 0

    def orders(self, count: int) -> list[str]:
        """So many won opportunities of new customers, all done; their records."""
        orders = Orders(self.bench, count)
        orders.start()
        records = orders.finish()
        self.settle()
        return records

    def settle(self) -> None:
        """Wait until everything is done, and write down what the intake has answered."""
        answers = list(published(self.client, self._seen))
        eventually(lambda: not waiting(self.client), within=120, what="an empty work queue")
        self.history.answers += answers
        self._seen = self.client.dataverse.last_event()

    def copy(self) -> None:
        """Keep the system as it is now."""
        self._while_stopped(lambda: _copy(self._files, self._copy))

    def restore(self) -> None:
        """Put the copy in the place of what the system knows."""
        self._while_stopped(lambda: _copy(self._copy, self._files))
        self._seen = self.client.dataverse.last_event()
        self.history.restored_at = len(self.client.erp.effects())

    def rename(self, accounts: Sequence[str], name: str) -> None:
        """Change these customers, as a person does."""
        for account in accounts:
            self.client.dataverse.update("account", account, {"name": name})
        self.settle()

    def send_again(self, table: str, row_ids: Sequence[str]) -> None:
        """Ask operations to send all these records again, and wait for what comes of it."""
        for first in range(0, len(row_ids), _MOST):
            part = list(row_ids[first : first + _MOST])
            answer = self.client.app.act("resync", table=table, recordIds=part, why="restored from an older copy")
            answer.raise_for_status()
            said = answer.json()
            self.run.demand(not said["left"], f"{len(said['left'])} records were not sent again")
            eventually(lambda: not waiting(self.client), within=300, what="an empty work queue")
            sent = self.client.app.operations(said["correlationId"])
            self.history.answers += [
                Answer(it["eventId"], f"{it['table']}:{it['recordId']}", own=False, status="accepted") for it in sent
            ]

    def _while_stopped(self, work: Callable[[], None]) -> None:
        self.bench.sandbox.processes.stop_one(self._system)
        work()
        self.bench.sandbox.processes.start(self._system)


def restore_dataverse(run: Run) -> None:
    """Customers are renamed after the copy, so the ERP is ahead; then half of them are changed in the restored rows."""
    count = run.size(20, 300)
    with running(run.folder / "sandbox") as bench:
        it = Restore(run, bench, "dataverse", bench.sandbox.state.data / "dataverse")
        run.show(0, "orders", total=5)
        records = it.orders(count)
        accounts, opportunities = ids("account", records), ids("opportunity", records)
        it.copy()
        run.show(1, "customers are renamed")
        it.rename(accounts, "South")
        run.show(2, "Dataverse is restored")
        it.restore()
        touched = accounts[::2]
        it.rename(touched, "East")
        seen = _Seen(it.client, touched)
        run.show(3, "the records are sent again")
        it.history.restored = [f"account:{row_id}" for row_id in touched]
        it.send_again("account", accounts)
        it.send_again("opportunity", opportunities)
        run.show(4, "the books are read")
        observe(bench, it.history, records, seen=it.client.dataverse.last_event(), within=60)
    run.judge(it.history)
    run.figure(records=len(records), changed_after_the_restore=len(touched))
    run.figure(reported_as_ahead=len(seen.reported), rows_marked_as_failed=len(seen.failed))
    run.figure(rows_with_a_version_that_had_grown_past_that_of_the_ERP=len(seen.agree))
    run.demand(seen.reported == seen.failed, "what is reported is not what the rows say")
    run.demand(seen.failed, "nothing was noticed")
    silent = set(touched) - seen.failed - seen.agree
    run.demand(not silent, f"{len(silent)} rows say that they are synced, and the ERP has another state")


class _Seen:
    """What is seen of customers that were changed after Dataverse was restored.

    A row counts its versions from the copy on, so one of many changes may get a version that is newer than what the ERP
    has of this record: then the ERP takes the state of the row, and nothing is wrong with it any more.
    """

    def __init__(self, client: Client, accounts: Sequence[str]) -> None:
        rows = {row_id: client.dataverse.retrieve("account", row_id) for row_id in accounts}
        books = {effect["id"]: effect["body"].get("name") for effect in client.erp.effects()}
        self.failed = {row_id for row_id, row in rows.items() if row["new_syncstatus"] == _FAILED}
        self.agree = {row_id for row_id, row in rows.items() if row["name"] == books[row_id]}
        self.reported = {it["recordId"] for it in client.app.problems("dead-lettered", reason="erp-ahead")}


def restore_erp(run: Run) -> None:
    """Customers are renamed and orders made after the copy; half of what is forgotten is changed or deleted."""
    count = run.size(20, 300)
    with running(run.folder / "sandbox") as bench:
        it = Restore(run, bench, "erp", bench.sandbox.state.data / "erp.sqlite")
        run.show(0, "orders", total=5)
        old = it.orders(count)
        it.copy()
        run.show(1, "customers are renamed, and more orders")
        it.rename(ids("account", old), "South")
        new = it.orders(count)
        run.show(2, "the ERP is restored")
        it.restore()
        renamed = ids("account", old)[::2]
        deleted = ids("opportunity", new)[::2]
        it.rename(renamed, "East")
        for row_id in deleted:
            it.client.dataverse.delete("opportunity", row_id)
        it.settle()
        problems = eventually(partial(_behind, it.client, len(renamed)), within=20, what="the list of what is behind")
        refused = {found["recordId"] for found in it.client.app.problems("dead-lettered", reason="erp-behind")}
        it.history.restored = [f"opportunity:{row_id}" for row_id in deleted]
        run.show(3, "the records are sent again")
        it.send_again("account", ids("account", [*old, *new]))
        kept = [row_id for row_id in ids("opportunity", [*old, *new]) if row_id not in set(deleted)]
        it.send_again("opportunity", kept)
        run.show(4, "the books are read")
        observe(bench, it.history, [*old, *new], seen=it.client.dataverse.last_event(), within=60)
    run.judge(it.history)
    run.figure(records=len(old) + len(new), changed_after_the_restore=len(renamed) + len(deleted))
    run.figure(reported_as_behind=len(problems), deletes_refused_as_behind=len(refused))
    run.demand(problems >= set(renamed), f"{len(problems)} of {len(renamed)} records were reported as behind")
    run.demand(refused == set(deleted), f"{len(refused)} of {len(deleted)} deletes of forgotten orders were reported")


def _behind(client: Client, count: int) -> set[str] | None:
    found = {str(it["recordId"]) for it in client.app.problems("system-behind")}
    return found if len(found) >= count else None


def ids(table: str, records: Sequence[str]) -> list[str]:
    """The rows of one table among these records."""
    return [row_id for name, _, row_id in (record.partition(":") for record in records) if name == table]


def _copy(files: Path, to: Path) -> None:
    """A file or a folder in the place of another one; SQLite's own files beside it do not exist once it has stopped."""
    if files.is_dir():
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(files, to)
        return
    for beside in ("-wal", "-shm"):
        to.with_name(to.name + beside).unlink(missing_ok=True)
    shutil.copyfile(files, to)


SCENARIOS = [
    Scenario(
        "dataverse-restored", "Dataverse is restored from a copy that is older than the ERP.", 2, 5, restore_dataverse
    ),
    Scenario("erp-restored", "The ERP is restored from a copy that is older than Dataverse.", 2, 5, restore_erp),
]

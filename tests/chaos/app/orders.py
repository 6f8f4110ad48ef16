"""Opportunities of new customers that are won, by several people at once.

Each is one event with three effects: a customer and an order in the ERP, and their numbers in the rows of Dataverse.
"""

import threading
import uuid
from collections.abc import Callable
from functools import partial

from sandbox.client import Client
from tests.chaos.app.bench import Bench
from tests.chaos.app.changes import EURO
from tests.chaos.app.people import insist

PEOPLE = 3


class Orders:
    """`count` of them; `made` says how many there are by now, `pause` is called before each.

    `make` makes one and returns its records.
    """

    def __init__(
        self,
        bench: Bench,
        count: int,
        *,
        pause: Callable[[], object] = lambda: None,
        make: Callable[[Client], list[str]] | None = None,
    ) -> None:
        self._bench = bench
        self.count = count
        self._pause = pause
        self._make = make or win_one
        self._lock = threading.Lock()
        self._begun = self.made = 0
        self.records: list[str] = []
        self._threads: list[threading.Thread] = []
        self._failure: Exception | None = None

    def start(self) -> None:
        """Have people at work until `finish`."""
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(PEOPLE)]
        for thread in self._threads:
            thread.start()

    @property
    def at_work(self) -> bool:
        """Whether some are still to be won."""
        return any(thread.is_alive() for thread in self._threads)

    def finish(self) -> list[str]:
        """Wait until all are won; their records and those of their customers."""
        for thread in self._threads:
            thread.join()
        if self._failure is not None:
            raise self._failure
        return self.records

    def _work(self) -> None:
        client = self._bench.client()
        try:
            while self._take():
                self._pause()
                records = self._make(client)
                with self._lock:
                    self.records += records
                    self.made += 1
        except Exception as failure:  # noqa: BLE001 -- raised where people are waited for
            self._failure = failure

    def _take(self) -> bool:
        with self._lock:
            self._begun += 1
            return self._begun <= self.count


def win_one(client: Client) -> list[str]:
    """A customer that the ERP does not know, and its opportunity, which is won."""
    account, opportunity = (str(uuid.uuid4()) for _ in range(2))
    columns = {
        "name": "Deal",
        "estimatedvalue": 4_200.5,
        "customerid_account@odata.bind": f"/accounts({account})",
        "transactioncurrencyid@odata.bind": f"/transactioncurrencies({EURO})",
    }
    insist(partial(client.dataverse.create, "account", {"name": "North"}, account, silent=True))
    insist(partial(client.dataverse.create, "opportunity", columns, opportunity, silent=True))
    insist(partial(client.dataverse.win, opportunity))
    return [f"account:{account}", f"opportunity:{opportunity}"]

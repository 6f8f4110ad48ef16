"""Cases in which a process is killed at a certain point of an event's way.

Which calls an event makes is observed, not listed: each journey is first made once without a kill.
"""

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
from urllib.parse import unquote

from sandbox.client import Client, StandIn, eventually
from tests.books.history import History
from tests.chaos.app.bench import WORKER, Bench
from tests.chaos.app.changes import EURO, Change
from tests.chaos.app.nemesis import PAST_THE_LOCK
from tests.chaos.app.observe import waiting
from tests.chaos.app.people import context_about, post_once

_APP = "dataverse-integration"
"""User-Agent of the app's calls."""
_LEDGER = ("/devstoreaccount1/records", "/devstoreaccount1/references")
"""Only these tables decide anything; the intake writes to the other ones, too."""


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
        """A customer that the ERP does not know; `silent`: no step reports it."""
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
        """Wait until the previous case has ended: a message whose ten deliveries are all killed is dead-lettered."""
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
        """Within the block the process is stopped; afterwards it takes what it was sent meanwhile."""
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
            if (answer := post_once(client, about.record, body)) is not None:
                self.history.answers.append(answer)

        first = threading.Thread(target=post, args=(self.bench.client(),))
        first.start()
        time.sleep(seconds)
        self.kill("host-http")
        first.join()
        for _ in range(2):
            post(self.client)


Journey = Callable[[Cases], Callable[[], object]]
"""Prepares rows, and gives the change whose event is looked at."""


def _pattern(path: str) -> str:
    """What is the same in this call of every record."""
    way, _, query = unquote(path).partition("?")
    way = re.sub(r"\((?=PartitionKey|dataAreaId).*", "", way)
    way = re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", way)
    tagged = f".*tag={_APP}" if f"tag={_APP}" in query else ""
    return re.escape(way).replace("ID", "[0-9a-f-]{36}") + tagged

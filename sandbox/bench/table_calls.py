"""Counts the calls that reach Azure Tables, at a relay between the app and Azurite.

The relay passes bytes on as they are and looks only for the first line of each request: the counts do not depend on
anything that the app reports. It runs in a thread of this process while calls are counted, not while CPU time is
measured.
"""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sandbox.machine.ports import LOOPBACK, free_ports

# A request names a path; the requests inside a transaction's body name a whole URL, and are one call together.
_REQUEST = re.compile(rb"(?:GET|PUT|POST|MERGE|PATCH|DELETE) /[^/ ]*/?([^(?/ ]*)\S* HTTP/1\.1\r\n")
_EVENTS = re.compile(r"events\d{6}")
_OF_A_MONTH = re.compile(r"[a-z]+\d{6}")
_BY_TIME = frozenset({"systems"})
"""What instances share about the systems outside: read and written every few seconds, however many events there are."""
_LONGEST_LINE = 4096


class RequestCounter:
    """Finds requests in a stream of bytes, wherever it is cut."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> list[str]:
        """The tables of the requests whose first line ends in `data`; `$batch` for a transaction."""
        text = self._tail + data
        found = list(_REQUEST.finditer(text))
        rest = text[found[-1].end() :] if found else text
        self._tail = rest[-_LONGEST_LINE:]
        return [match[1].decode() for match in found]


@dataclass(slots=True)
class Relay:
    """A running relay: its port, and the calls by table since `counted` was cleared."""

    port: int
    counted: "Counter[str]"

    @property
    def calls(self) -> int:
        """All calls."""
        return self.counted.total()

    @property
    def rows_of_events(self) -> int:
        """The calls that write an event's row, which shows people how it stands."""
        return sum(calls for table, calls in self.counted.items() if _EVENTS.fullmatch(table))

    @property
    def in_background(self) -> int:
        """The calls that decide nothing: to the tables of a month, which show people what happened, and by time.

        Transactions write only rows of a month: what decides about a record is a single entity.
        """
        return sum(
            calls
            for table, calls in self.counted.items()
            if table == "$batch" or table in _BY_TIME or _OF_A_MONTH.fullmatch(table)
        )


@contextmanager
def relay(target: int) -> Iterator[Relay]:
    """A relay to that port of this machine, in a thread, until the block ends."""
    port, *_ = free_ports(1)
    running = Relay(port, Counter())
    started, loop = threading.Event(), asyncio.new_event_loop()
    stopped = asyncio.Event()
    thread = threading.Thread(
        target=loop.run_until_complete,
        args=(_serve(running, target, started, stopped),),
        name="table-relay",
        daemon=True,
    )
    thread.start()
    started.wait()
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()


async def _serve(running: Relay, target: int, started: threading.Event, stopped: asyncio.Event) -> None:
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counter: RequestCounter | None) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if counter is not None:
                    running.counted.update(counter.feed(data))
                writer.write(data)
                await writer.drain()
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(LOOPBACK, target)
        for task in (
            asyncio.create_task(pump(reader, back, RequestCounter())),
            asyncio.create_task(pump(there, writer, None)),
        ):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, LOOPBACK, running.port)
    started.set()
    await stopped.wait()
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""What the ERP sends when a record of it changes: an event in the plain form, until it is taken in."""

import asyncio
import logging
import uuid
from dataclasses import dataclass, field

import aiohttp

from sandbox.systems.rest import now

_log = logging.getLogger("sandbox.systems.erp")
_TRIES, _PAUSE_SECONDS = 20, 0.5


@dataclass(slots=True)
class Events:
    """Sends events to `url` with `key`; with an empty `url`, none.

    With `of_writes`, what the app itself has written is reported too, as most ERPs do. `held` makes them wait for
    `release`, and `copies` is how often each is sent.
    """

    url: str
    key: str
    of_writes: bool = False
    held: bool = False
    copies: int = 1
    _waiting: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def report(self, name: str, record: str) -> None:
        """Something has happened to the record: say so, beside whatever is being answered."""
        if not self.url:
            return
        event = {"id": str(uuid.uuid4()), "record": record, "source": "sandbox-erp", "time": now()}
        if self.held:
            self._waiting.append((name, event))
            return
        self._start(name, event)

    def release(self, *, newest_first: bool = False) -> int:
        """Send what has waited; how many."""
        waiting, self._waiting = self._waiting, []
        for name, event in reversed(waiting) if newest_first else waiting:
            self._start(name, event)
        return len(waiting)

    def _start(self, name: str, event: dict[str, str]) -> None:
        for _ in range(self.copies):
            task = asyncio.get_running_loop().create_task(self._send(name, event))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, name: str, event: dict[str, str]) -> None:
        headers = {"x-functions-key": self.key}
        async with aiohttp.ClientSession() as session:
            for _ in range(_TRIES):
                try:
                    async with session.post(f"{self.url}/{name}", json=event, headers=headers) as answer:
                        if answer.status < 500:
                            _log.info("%s of %s: %d", name, event["record"], answer.status)
                            return
                except aiohttp.ClientError as error:
                    _log.warning("%s of %s: %s", name, event["record"], error)
                await asyncio.sleep(_PAUSE_SECONDS)

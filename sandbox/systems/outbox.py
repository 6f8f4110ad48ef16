"""Posts what an ERP stand-in has to say to the app, until it is taken in."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

import aiohttp

_log = logging.getLogger("sandbox.systems.outbox")
_TRIES, _PAUSE_SECONDS = 20, 0.5


@dataclass(slots=True)
class Outbox:
    """Posts to `url`, the event's name behind it, with `key`; with an empty `url`, nothing."""

    url: str
    key: str
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def post(self, name: str, event: dict[str, Any]) -> None:
        """Post the event beside whatever is being answered; 5xx and no answer are tried again."""
        if not self.url:
            return
        task = asyncio.get_running_loop().create_task(self._post(name, event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, name: str, event: dict[str, Any]) -> None:
        headers = {"x-functions-key": self.key}
        async with aiohttp.ClientSession() as session:
            for _ in range(_TRIES):
                try:
                    async with session.post(f"{self.url}/{name}", json=event, headers=headers) as answer:
                        if answer.status < 500:
                            _log.info("%s: %d", name, answer.status)
                            return
                except aiohttp.ClientError as error:
                    _log.warning("%s: %s", name, error)
                await asyncio.sleep(_PAUSE_SECONDS)

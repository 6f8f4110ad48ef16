"""The admin API under /admin/: status, the list of functions, and running a function by hand.

Sources: azure-functions-host HostController.cs, FunctionsController.cs. `/admin/stats` is this host's own.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from sandbox.azure.host.functions import Function
from sandbox.azure.host.http.front import request_key
from sandbox.azure.host.http.keys import AccessKeys

log = logging.getLogger(__name__)

ManualRun = Callable[[str], Awaitable[Any]]


class AdminApi:
    """Answers for `functions`; `runners` (by function) run one with the text given as input, `snapshot` counts."""

    def __init__(
        self,
        name: str,
        functions: Sequence[Function],
        keys: AccessKeys,
        snapshot: Callable[[], Awaitable[dict[str, Any]]],
        runners: Mapping[str, ManualRun],
    ) -> None:
        self._name = name
        self._functions = {function.name.lower(): function for function in functions}
        self._keys = keys
        self._snapshot = snapshot
        self._runners = runners
        self._started = time.monotonic()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.running = False

    async def handle(self, request: web.BaseRequest, path: str) -> web.Response:
        """Answer one request; `path` is without its query."""
        parts = path.strip("/").split("/")[1:]
        if parts == ["host", "ping"] and request.method in {"GET", "POST"}:
            return web.Response()
        query = parse_qsl(request.raw_path.partition("?")[2])
        if not self._keys.is_admin(request_key(request, query)):
            return web.Response(status=401)
        if request.method == "POST" and len(parts) == 2 and parts[0] == "functions":
            return await self._run(request, self._functions.get(parts[1].lower()))
        if request.method == "GET" and parts == ["stats"]:
            return web.json_response(await self._snapshot())
        answer = self._read(parts) if request.method == "GET" else None
        return web.Response(status=404) if answer is None else web.json_response(answer)

    def _read(self, parts: Sequence[str]) -> Any:
        """The answer to a GET; None if nothing has that name."""
        answer: Any = None
        match parts:
            case ["host", "status"]:
                answer = self._status()
            case ["functions"]:
                answer = [_description(function) for function in self._functions.values()]
            case ["functions", name] | ["functions", name, "status"] if name.lower() in self._functions:
                answer = _description(self._functions[name.lower()])
        return answer

    def _status(self) -> dict[str, Any]:
        uptime = time.monotonic() - self._started
        state = "Running" if self.running else "Starting"
        return {"id": self._name, "state": state, "version": "4", "processUptime": int(uptime * 1000)}

    async def _run(self, request: web.BaseRequest, function: Function | None) -> web.Response:
        if function is None:
            return web.Response(status=404)
        try:
            document = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400)
        runner = self._runners.get(function.name)
        if not isinstance(document, dict) or runner is None:
            return web.Response(status=400)
        given = document.get("input")
        text = given if isinstance(given, str) else "" if given is None else json.dumps(given)
        task = asyncio.ensure_future(runner(text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return web.Response(status=202)


def _description(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "language": "python",
        "isDisabled": False,
        "config": {"name": function.name, "bindings": [dict(binding) for binding in function.bindings]},
    }

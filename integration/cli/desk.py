"""Calls the operations routes of an app, for commands: of a deployed app, or of the one in a running sandbox."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from integration.clock import SystemClock
from integration.errors import ConfigurationError, IntegrationError
from integration.telemetry import quieten_libraries
from integration.transport import Host, Limits, Request, Transport

_URL: Final = "INTEGRATION_URL"
_KEY: Final = "OPERATIONS_KEY"
_SANDBOX: Final = Path(".sandbox")
_LIMITS: Final = Limits(connect=5, read=60, total=90)


class RefusedError(Exception):
    """The app refuses the request; the message has its words."""


@dataclass(frozen=True, slots=True)
class App:
    """An app by its address, and a key of its OPERATIONS_KEYS."""

    url: str
    key: str


class Desk:
    """Asks the app; raises `RefusedError` with its answer, and `Outage` if it does not answer."""

    def __init__(self, app: App, transport: Transport) -> None:
        self._app = app
        self._transport = transport

    async def look(self, *path: str, **params: str) -> dict[str, Any]:
        """What the app answers to a GET below /api/operations."""
        query = f"?{urlencode(params)}" if params else ""
        return await self._ask("GET", "/".join(quote(part, safe="") for part in path) + query)

    async def act(self, *path: str, **body: Any) -> dict[str, Any]:
        """What the app answers to a POST below /api/operations."""
        return await self._ask("POST", "/".join(quote(part, safe="") for part in path), body)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        headers = {"x-functions-key": self._app.key, "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        url = f"{self._app.url}/api/operations/{path}"
        answer = await self._transport.send(Request("app", path.partition("?")[0], method, url, headers, content))
        document: dict[str, Any] = answer.json()
        if not answer.ok:
            faults = "".join(f"\n  {it['pointer']} {it['detail']}" for it in document.get("errors", ()))
            raise RefusedError(f"{document.get('title')}. {document.get('detail')}{faults}")
        return document


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where the app is."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help=f"the app's address ({_URL}); its key is taken from {_KEY} in the environment")
    where.add_argument(
        "--sandbox", type=Path, nargs="?", const=_SANDBOX, metavar="DIR",
        help="the running sandbox whose state is in this folder (.sandbox, if no address is given)",
    )  # fmt: skip


def why_argument(parser: argparse.ArgumentParser) -> None:
    """The reason, which goes into the audit."""
    parser.add_argument(
        "--why", required=True, help="the reason, in a sentence: the audit keeps it with your key's name"
    )


def app(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> App:
    """The app that the options or the environment name, else the running sandbox; raises `ConfigurationError`."""
    url = options.url or (None if options.sandbox else environ.get(_URL))
    if url:
        key = environ.get(_KEY)
        if not key:
            raise ConfigurationError(f"The key is missing. Set {_KEY} to one of the app's OPERATIONS_KEYS.")
        return App(url.rstrip("/"), key)
    path = (options.sandbox or _SANDBOX) / "endpoints.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"No app is named, and no sandbox runs on {path.parent} ({type(error).__name__}). Start one with run.py "
            f"up, or give the address of an app with --url, and its key as {_KEY}."
        ) from error
    return App(str(found["functions"]), str(found["operations_key"]))


def run(options: argparse.Namespace, work: Callable[[Desk], Awaitable[None]]) -> int:
    """Do `work`; returns 0 when it was done, 2 when the app refused it, 1 when the app could not be asked."""
    quieten_libraries()
    try:
        asyncio.run(_run(app(options), work))
    except RefusedError as refused:
        print(refused, file=sys.stderr)
        return 2
    except IntegrationError as error:
        print(f"The app could not be asked: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(reached: App, work: Callable[[Desk], Awaitable[None]]) -> None:
    transport = Transport([Host(reached.url, limits=_LIMITS)], clock=SystemClock())
    try:
        await work(Desk(reached, transport))
    finally:
        await transport.aclose()

"""Calls the operations routes of an app, for commands: of a deployed app, or of the one in a running sandbox."""

import argparse
import asyncio
import json
import os
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from integration.cli.saying import complain
from integration.clock import SystemClock
from integration.errors import ConfigurationError, IntegrationError, Outage
from integration.telemetry import quieten_libraries
from integration.transport import Host, Limits, Request, Transport

_URL: Final = "INTEGRATION_URL"
_KEY: Final = "OPERATIONS_KEY"
_PROFILES: Final = "INTEGRATION_PROFILES"
_SANDBOX: Final = Path(".sandbox")
_REPEATED: Final = 60
_PAUSE: Final = 10.0
_LIMITS: Final = Limits(connect=5, read=60, total=90)


class RefusedError(Exception):
    """The app refuses the request; the message has its words, `status` is that of its answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


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

    async def pages(self, *path: str, **params: str) -> AsyncIterator[dict[str, Any]]:
        """The pages of a list, as each names what the next one is asked for with (`following`)."""
        following = ""
        while True:
            page = await self.look(*path, **params, following=following)
            yield page
            following = page["following"]
            if not following:
                return

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
            raise RefusedError(f"{document.get('title')}. {document.get('detail')}{faults}", answer.status)
        return document


async def patiently(
    ask: Callable[[], Awaitable[dict[str, Any]]], *, refused: Collection[int] = (503,)
) -> dict[str, Any]:
    """The answer to `ask`, which is repeated for about ten minutes while the app, or what it needs, is away.

    `refused` are the answers after which it is repeated; the last one is raised.
    """
    for _ in range(_REPEATED):
        try:
            return await ask()
        except (RefusedError, Outage) as error:
            if isinstance(error, RefusedError) and error.status not in refused:
                raise
            complain(f"{error} It is asked again in {_PAUSE:.0f} s.")
            await asyncio.sleep(_PAUSE)
    return await ask()


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where the app is."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help=f"the app's address ({_URL}); its key is taken from {_KEY} in the environment")
    where.add_argument(
        "--sandbox", type=Path, nargs="?", const=_SANDBOX, metavar="DIR",
        help="the running sandbox whose state is in this folder (.sandbox, if no address is given)",
    )  # fmt: skip
    where.add_argument("--profile", metavar="NAME", help=f"the app of this name in the file of profiles ({_PROFILES})")


def why_argument(parser: argparse.ArgumentParser) -> None:
    """The reason, which goes into the audit."""
    parser.add_argument(
        "--why", required=True, help="the reason, in a sentence: the audit keeps it with your key's name"
    )


def app(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> App:
    """The app that the options or the environment name, else the running sandbox; raises `ConfigurationError`."""
    if options.profile:
        return _of_profile(options.profile, environ)
    url = options.url or (None if options.sandbox else environ.get(_URL))
    if url:
        return _with_key(url, _KEY, environ)
    path = (options.sandbox or _SANDBOX) / "endpoints.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"No app is named, and no sandbox runs on {path.parent} ({type(error).__name__}). Start one with run.py "
            f"up, or give the address of an app with --url, and its key as {_KEY}."
        ) from error
    return App(str(found["functions"]), str(found["operations_key"]))


def _of_profile(name: str, environ: Mapping[str, str]) -> App:
    """An app of the file of profiles: its address, and the variable of the environment that has its key.

    [production]
    url = "https://func-integration-prod.azurewebsites.net"
    key-variable = "OPERATIONS_KEY_PRODUCTION"
    """
    path = Path(environ.get(_PROFILES) or Path.home() / ".dataverse-integration.toml")
    try:
        known = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The file of profiles, {path}, cannot be read ({type(error).__name__}).") from error
    found = known.get(name)
    if not isinstance(found, dict) or not isinstance(found.get("url"), str):
        raise ConfigurationError(f"{path} has no profile {name} with a url; it has {', '.join(known) or 'none'}.")
    return _with_key(found["url"], str(found.get("key-variable") or _KEY), environ)


def _with_key(url: str, variable: str, environ: Mapping[str, str]) -> App:
    """The app at this address; its key is taken from a variable of the environment."""
    key = environ.get(variable)
    if not key:
        raise ConfigurationError(f"The key is missing. Set {variable} to one of the app's OPERATIONS_KEYS.")
    return App(url.rstrip("/"), key)


def run(options: argparse.Namespace, work: Callable[[Desk], Awaitable[int | None]]) -> int:
    """Do `work`; returns its exit code (0 for None), 2 when the app refused it, 1 when the app could not be asked."""
    quieten_libraries()
    try:
        code = asyncio.run(_run(app(options), work))
    except RefusedError as refused:
        complain(refused)
        return 2
    except IntegrationError as error:
        complain(f"The app could not be asked: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return code or 0


async def _run(reached: App, work: Callable[[Desk], Awaitable[int | None]]) -> int | None:
    transport = Transport([Host(reached.url, limits=_LIMITS)], clock=SystemClock())
    try:
        return await work(Desk(reached, transport))
    finally:
        await transport.aclose()

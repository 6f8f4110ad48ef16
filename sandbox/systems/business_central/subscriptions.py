"""Webhooks of API v2.0: handshake, three days, and notifications that are late, collapsed, repeated, tried again.

    POST /control/subscriptions          {"delay": 1.5, "copies": 2, "collapse": 10}: how notifications are sent
    POST /control/subscriptions/expire   the three days are over

Kept to Microsoft Learn, "Working with webhooks in Dynamics 365 Business Central", with shorter times: notifications
wait for half a second instead of half a minute, and are tried again after half a second instead of a minute and more.
"""

import asyncio
import hashlib
import logging
import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.systems.business_central.errors import BusinessCentralError, bad_request, not_found
from sandbox.systems.business_central.rows import Change, check_etag

SCHEMA = """
CREATE TABLE IF NOT EXISTS subscriptions (
    id TEXT PRIMARY KEY, url TEXT, resource TEXT, state TEXT, expires TEXT, version INTEGER);
"""
LASTS = timedelta(days=3)
SUPPORTED = frozenset({"customers", "items", "salesOrders", "salesInvoices", "salesQuotes"})
_TRIES, _PAUSE_SECONDS = 5, 0.5
_SECONDS = aiohttp.ClientTimeout(total=10)
_log = logging.getLogger("sandbox.systems.business_central")


@dataclass(slots=True)
class Sending:
    """How notifications are sent."""

    delay: float = 0.5
    copies: int = 1
    collapse: int = 1_000


@dataclass(slots=True)
class Subscriptions:
    """The subscriptions of the one company with this id."""

    database: sqlite3.Connection
    company: str
    sending: Sending = field(default_factory=Sending)
    _waiting: dict[str, dict[str, Change]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def add_routes(self, app: web.Application, root: str) -> None:
        """Below one root address."""
        app.router.add_get(f"{root}/subscriptions", self._list)
        app.router.add_post(f"{root}/subscriptions", self._create)
        app.router.add_patch(f"{root}/subscriptions('{{id}}')", self._renew)
        app.router.add_delete(f"{root}/subscriptions('{{id}}')", self._delete)

    def add_controls(self, app: web.Application) -> None:
        """The control routes above."""
        app.router.add_post("/control/subscriptions", self._set)
        app.router.add_post("/control/subscriptions/expire", self._expire)

    def report(self, changes: Iterable[Change]) -> None:
        """Rows were changed: their subscribers hear of it after a while, of several changes of a row once."""
        for row in self._live():
            kind = row["resource"].rpartition("/")[2]
            ours = {it.row_id: it for it in changes if it.kind == kind}
            if not ours:
                continue
            waiting = self._waiting.setdefault(row["id"], {})
            if not waiting:
                self._start(self._notify(row["id"]))
            waiting |= ours

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"value": [_as_sent(row) for row in self._live()]})

    async def _create(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        url, resource = str(wanted.get("notificationUrl", "")), str(wanted.get("resource", "")).rstrip("/")
        kind = resource.rpartition("/")[2]
        if f"companies({self.company})" not in resource or kind not in SUPPORTED:
            raise bad_request(f"The resource '{resource}' does not support webhooks.")
        subscription_id = hashlib.sha256(f"{url} {resource}".encode()).hexdigest()[:32]
        if any(row["id"] == subscription_id for row in self._live()):
            raise bad_request("The record already exists.", "Internal_EntityWithSameKeyExists")
        await _shake_hands(url)
        self.database.execute(
            "INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?, ?, 1)",
            (subscription_id, url, resource, str(wanted.get("clientState", "")), _expiry()),
        )
        return web.json_response(_as_sent(self._found(subscription_id)), status=201)

    async def _renew(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        row = self._checked(request)
        url = str(wanted.get("notificationUrl", row["url"]))
        await _shake_hands(url)
        self.database.execute(
            "UPDATE subscriptions SET url = ?, state = ?, expires = ?, version = version + 1 WHERE id = ?",
            (url, str(wanted.get("clientState", row["state"])), _expiry(), row["id"]),
        )
        return web.json_response(_as_sent(self._found(row["id"])))

    async def _delete(self, request: web.Request) -> web.Response:
        self._forget(self._checked(request)["id"])
        return web.Response(status=204)

    async def _set(self, request: web.Request) -> web.Response:
        self.sending = Sending(**await request.json())
        return web.Response(status=204)

    async def _expire(self, _: web.Request) -> web.Response:
        self.database.execute("UPDATE subscriptions SET expires = ?", (datetime.now(UTC).isoformat(),))
        return web.Response(status=204)

    def _checked(self, request: web.Request) -> sqlite3.Row:
        row = self._found(request.match_info["id"])
        check_etag(_as_sent(row), request.headers.get("If-Match"))
        return row

    def _found(self, subscription_id: str) -> sqlite3.Row:
        for row in self._live():
            if row["id"] == subscription_id:
                return row
        raise not_found()

    def _live(self) -> list[sqlite3.Row]:
        now = datetime.now(UTC).isoformat()
        return self.database.execute("SELECT * FROM subscriptions WHERE expires > ?", (now,)).fetchall()

    def _forget(self, subscription_id: str) -> None:
        self.database.execute("DELETE FROM subscriptions WHERE id = ?", (subscription_id,))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self, subscription_id: str) -> None:
        await asyncio.sleep(self.sending.delay)
        changes = list(self._waiting.pop(subscription_id, {}).values())
        try:
            row = self._found(subscription_id)
        except BusinessCentralError:
            return
        body = {"value": self._entries(row, changes)}
        for _ in range(self.sending.copies):
            if not await _sent(row["url"], body):
                _log.warning("the subscription to %s is deleted", row["resource"])
                self._forget(subscription_id)
                return

    def _entries(self, row: sqlite3.Row, changes: list[Change]) -> list[dict[str, Any]]:
        common = {"subscriptionId": row["id"], "clientState": row["state"], "expirationDateTime": row["expires"]}
        if len(changes) > self.sending.collapse:
            first = min(it.at for it in changes)
            query = f"{row['resource']}?$filter=lastModifiedDateTime gt {first}"
            return [{**common, "resource": query, "changeType": "collection", "lastModifiedDateTime": first}]
        return [
            {
                **common,
                "resource": f"{row['resource']}({it.row_id})",
                "changeType": it.how,
                "lastModifiedDateTime": it.at,
            }
            for it in changes
        ]


async def _shake_hands(url: str) -> None:
    """The address has to give the token back as it is; otherwise there is no subscription."""
    token = uuid.uuid4().hex
    try:
        async with (
            aiohttp.ClientSession(timeout=_SECONDS) as session,
            session.post(url, params={"validationToken": token}) as answer,
        ):
            if (answer.status, await answer.text()) == (200, token):
                return
            said = f"it answered {answer.status}"
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        said = type(error).__name__
    raise bad_request(f"The notification URL could not be verified: {said}.", "Application_DialogException")


async def _sent(url: str, body: dict[str, Any]) -> bool:
    """Whether the subscription lives on: it is tried again for no answer, 408, 429 and 5xx, and ends for other 4xx."""
    async with aiohttp.ClientSession(timeout=_SECONDS) as session:
        for _ in range(_TRIES):
            try:
                async with session.post(url, json=body) as answer:
                    if answer.status < 300:
                        return True
                    if answer.status not in {408, 429} and answer.status < 500:
                        return False
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(_PAUSE_SECONDS)
    return True


def _expiry() -> str:
    return (datetime.now(UTC) + LASTS).isoformat()


def _as_sent(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "@odata.etag": f'W/"{row["id"][:8]};{row["version"]}"',
        "subscriptionId": row["id"],
        "notificationUrl": row["url"],
        "resource": row["resource"],
        "clientState": row["state"],
        "expirationDateTime": row["expires"],
    }

"""One webhook call as Dataverse makes it: headers, key, size limit, time limit, one more attempt on 502, 503, 504."""

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
from yarl import URL

from sandbox.systems.dataverse.change import Change
from sandbox.systems.dataverse.json_text import dumps_data_contract
from sandbox.systems.dataverse.store import Values

SIZE_LIMIT = 256 * 1024
TRIMMED = ("ParentContext", "InputParameters", "PreEntityImages", "PostEntityImages")
RETRIED = frozenset({502, 503, 504})
WEBHOOK_KEY, HTTP_HEADER, HTTP_QUERY_STRING = 4, 5, 6
REMEMBERED_ANSWER = 2_000


def message(change: Change, context: dict[str, Any], organisation_host: str) -> tuple[dict[str, str], str]:
    """Headers and body; above 256 KB the bulky parts are left out and a header says so."""
    headers = {
        "Content-Type": "application/json",
        "x-ms-dynamics-organization": organisation_host,
        "x-ms-dynamics-entity-name": change.table.name,
        "x-ms-dynamics-request-name": change.message,
        "x-ms-correlation-request-id": change.request.ids.correlation,
    }
    body = dumps_data_contract(context)
    if len(body.encode()) > SIZE_LIMIT:
        body = dumps_data_contract({name: value for name, value in context.items() if name not in TRIMMED})
        headers["x-ms-dynamics-msg-size-exceeded"] = "true"
    return headers, body


@dataclass(frozen=True)
class Outcome:
    """How a call ended; `attempts` have each answer."""

    succeeded: bool
    attempts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def message(self) -> str:
        """The last answer in words."""
        last = self.attempts[-1]
        return str(last.get("error") or f"The webhook answered {last['status']}: {last['answer']}")


class Webhooks:
    """Calls endpoints; `timeout` and `retry_delay` are seconds (Dataverse: 60; the pause is not documented)."""

    def __init__(self, *, timeout: float, retry_delay: float, tls: ssl.SSLContext) -> None:
        self._timeout, self._retry_delay, self._tls = timeout, retry_delay, tls
        self._session: aiohttp.ClientSession | None = None

    async def call(self, endpoint: Values, headers: dict[str, str], body: str) -> Outcome:
        """Send, and once more if the answer was 502, 503 or 504."""
        attempts = [await self._attempt(endpoint, headers, body)]
        if attempts[0].get("status") in RETRIED:
            await asyncio.sleep(self._retry_delay)
            attempts.append(await self._attempt(endpoint, headers, body))
        return Outcome(200 <= attempts[-1].get("status", 0) < 300, attempts)

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()

    async def _attempt(self, endpoint: Values, headers: dict[str, str], body: str) -> dict[str, Any]:
        at = datetime.now(UTC).isoformat()
        try:
            url, own_headers = _authorised(endpoint)
            async with self._open_session().post(url, data=body.encode(), headers=headers | own_headers) as answer:
                text = (await answer.text(errors="replace"))[:REMEMBERED_ANSWER]
                return {"at": at, "status": answer.status, "answer": text}
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, ET.ParseError) as failure:
            return {"at": at, "error": f"{type(failure).__name__}: {failure}"}

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                connector=aiohttp.TCPConnector(ssl=self._tls, limit=0),
                skip_auto_headers=["User-Agent"],
            )
        return self._session


def _authorised(endpoint: Values) -> tuple[URL, dict[str, str]]:
    """The URL and headers with the endpoint's key, as `authtype` says."""
    url, secret = URL(endpoint["url"]), endpoint.get("authvalue") or ""
    kind = endpoint.get("authtype")
    if kind == WEBHOOK_KEY:
        return url.update_query(code=secret), {}
    if kind == HTTP_HEADER:
        return url, _settings(secret)
    if kind == HTTP_QUERY_STRING:
        return url.update_query(_settings(secret)), {}
    return url, {}


def _settings(xml: str) -> dict[str, str]:
    """`<settings><setting name="x" value="y" /></settings>`."""
    found = ET.fromstring(xml).iter("setting")  # noqa: S314 -- written by the environment's own administrator
    return {setting.attrib["name"]: setting.attrib["value"] for setting in found}

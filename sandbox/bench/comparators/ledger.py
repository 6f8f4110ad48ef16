"""As many calls to Azure Tables for each event as the app makes, over aiohttp: what a ledger costs a worker like this.

The first call reads the record's row, the others write it. They keep no promise: what a crash leaves
undone is not looked at. Only the cost is compared, and it is the lowest that is possible.
"""

import base64
import hashlib
import hmac
import json
import os
from datetime import UTC, datetime
from email.utils import format_datetime

import aiohttp

_CONNECTIONS = 100
_TABLE = "comparator"
_HEADERS = {"x-ms-version": "2019-02-02", "Accept": "application/json;odata=nometadata", "DataServiceVersion": "3.0"}


class Ledger:
    """Rows of one table; signs as Shared Key Lite (learn.microsoft.com, "Authorize with Shared Key")."""

    def __init__(self, session: aiohttp.ClientSession, calls: int) -> None:
        self._session = session
        self._calls = calls
        self._url, self._account = os.environ["TABLES_URL"], os.environ["TABLES_ACCOUNT"]
        self._key = base64.b64decode(os.environ["TABLES_KEY"])

    @classmethod
    async def open(cls, calls: int) -> "Ledger":
        """Make the table; `calls` is how many calls each event costs, 1 or more."""
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
        ledger = cls(aiohttp.ClientSession(connector=connector), calls)
        await ledger._call("POST", "Tables", {"TableName": _TABLE}, accepted={201, 204, 409})
        return ledger

    async def recall(self, record: str) -> None:
        """The first call: read what is known of the record."""
        await self._call("GET", self._entity(record), accepted={200, 404})

    async def before_the_effect(self, record: str) -> None:
        """The second call."""
        if self._calls > 1:
            await self._write(record, "started")

    async def after_the_effect(self, record: str) -> None:
        """All other calls."""
        for number in range(self._calls - 2):
            await self._write(record, f"done {number}")

    async def _write(self, record: str, state: str) -> None:
        await self._call("MERGE", self._entity(record), {"state": state, "eventId": record})

    async def _call(
        self,
        method: str,
        path: str,
        row: dict[str, str] | None = None,
        *,
        accepted: frozenset[int] | set[int] = frozenset({204}),
    ) -> None:
        date = format_datetime(datetime.now(UTC), usegmt=True)
        # The account stands twice on an emulator: once as the account, once as the first part of the path.
        signed = f"{date}\n/{self._account}/{self._account}/{path}".encode()
        signature = base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).decode()
        headers = {**_HEADERS, "x-ms-date": date, "Authorization": f"SharedKeyLite {self._account}:{signature}"}
        body = None
        if row is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(row).encode()
        async with self._session.request(method, f"{self._url}/{path}", data=body, headers=headers) as answer:
            said = await answer.read()
            if answer.status not in accepted:
                raise RuntimeError(f"{method} {path}: {answer.status} {said[:300]!r}")

    def _entity(self, record: str) -> str:
        return f"{_TABLE}(PartitionKey='{record[:2]}',RowKey='{record}')"  # the sandbox's Azurite finds rows by row key

"""The ledger as Azure Tables has it, read with nothing of the app.

Requests are signed with Shared Key Lite (learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key).
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import requests

from sandbox.storage import connection_parts

Row = dict[str, Any]
_NEXT = ("NextPartitionKey", "NextRowKey")
_TIMEOUT = 30.0


class Tables:
    """The tables of the storage account with this connection string."""

    def __init__(self, connection_string: str) -> None:
        parts = connection_parts(connection_string)
        self._account, self._key = parts["AccountName"], base64.b64decode(parts["AccountKey"])
        self._url = parts["TableEndpoint"].rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    def events(self) -> dict[str, Row]:
        """The rows of all events, by event id."""
        months = [name for name in self._names() if name.startswith("events")]
        return {row["RowKey"]: row for name in months for row in self.rows(name)}

    def problems(self) -> dict[str, list[str]]:
        """By event id, the states under which the list of problems has an event."""
        listed: dict[str, list[str]] = {}
        for row in self.rows("problems"):
            listed.setdefault(row["RowKey"], []).append(row["PartitionKey"].partition(".")[0])
        return listed

    def rows(self, table: str) -> Iterator[Row]:
        """All rows of a table; none where the app has not made it yet."""
        return self._pages(f"{table}()") if table in self._names() else iter(())

    def _names(self) -> list[str]:
        return [row["TableName"] for row in self._pages("Tables")]

    def _pages(self, resource: str) -> Iterator[Row]:
        query: dict[str, str] | None = {}
        while query is not None:
            answer = self._session.get(
                f"{self._url}/{resource}", params=query, headers=self._signed(resource), timeout=_TIMEOUT
            )
            answer.raise_for_status()
            yield from answer.json()["value"]
            following = {name: answer.headers.get(f"x-ms-continuation-{name}") for name in _NEXT}
            query = {name: value for name, value in following.items() if value} or None

    def _signed(self, resource: str) -> dict[str, str]:
        date = formatdate(usegmt=True)
        text = f"{date}\n/{self._account}{urlsplit(self._url).path}/{resource}"
        signature = base64.b64encode(hmac.new(self._key, text.encode(), hashlib.sha256).digest()).decode()
        return {
            "Authorization": f"SharedKeyLite {self._account}:{signature}",
            "x-ms-date": date,
            "x-ms-version": "2019-02-02",
            "Accept": "application/json;odata=nometadata",
        }

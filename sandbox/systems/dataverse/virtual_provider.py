"""The OData v4 data provider: how Dataverse asks the service behind a virtual table, and what it makes of the answers.

Requests have the forms that were seen, `GET /Courses?$top=50&$select=CourseId,Name&$count=true`, then `&$skip=50`; rows
are changed with PATCH. Answers are read more strictly than a real environment is known to read them: a count that was
asked for and is missing, more rows than asked for, a column that is missing or of another type, and a text that is too
long are errors, so that a service which passes here gives a real environment no reason to complain.

Sources: "OData v4 Data Provider configuration, requirements, and best practices", the table msdyn_odatav4ds, and what
users of the provider have published.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
from yarl import URL

from sandbox.systems.dataverse.errors import ODataError
from sandbox.systems.dataverse.json_text import dumps, loads
from sandbox.systems.dataverse.schema import Column, Table
from sandbox.systems.dataverse.store import Row, Values
from sandbox.systems.dataverse.values import read
from sandbox.systems.dataverse.virtual_query import ExternalQuery

PARAMETERS: Final = 10
"""Request parameters of a data source."""
SERVER_SIDE: Final = 1
_TIMEOUT: Final = 30
"""Seconds, where the data source says nothing. The default is not published."""
_HEADERS: Final = {"Accept": "application/json;odata.metadata=minimal", "OData-MaxVersion": "4.0"}
_SAFE: Final = "$,()'/:"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1"})


class ProviderError(Exception):
    """The service could not be used; the message is what the plug-in trace log has of it."""


@dataclass(frozen=True)
class Source:
    """A row of msdyn_odatav4ds. `timeout` is in seconds; `headers` and `options` go with every request."""

    uri: str
    timeout: int
    pages_by_server: bool
    counts: bool
    headers: Mapping[str, str]
    options: Mapping[str, str]

    @classmethod
    def read(cls, values: Values) -> "Source":
        """Read a row; raises `ProviderError` for an address that a real environment would not take."""
        uri = str(values.get("msdyn_uri") or "").rstrip("/")
        parts = urlsplit(uri)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ProviderError(f"The URL '{uri}' of the data source is not one with https.")
        headers: dict[str, str] = {}
        options: dict[str, str] = {}
        for number in range(1, PARAMETERS + 1):
            name = values.get(f"msdyn_parameter{number}name")
            place = headers if values.get(f"msdyn_isparameter{number}header") else options
            if name:
                place[str(name)] = str(values.get(f"msdyn_parameter{number}value") or "")
        timeout = values.get("msdyn_timeout") or _TIMEOUT
        by_server = values.get("msdyn_paginationtype") == SERVER_SIDE
        return cls(uri, timeout, by_server, bool(values.get("msdyn_returninlinecount", True)), headers, options)


@dataclass(frozen=True)
class ExternalPage:
    """Rows, how many there are in all if that is known, and the token of the service's next page."""

    rows: list[Row]
    count: int | None
    following: str | None


class Provider:
    """Calls the services of all data sources."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()

    async def page(self, source: Source, table: Table, query: ExternalQuery, token: str | None) -> ExternalPage:
        """Rows; `token` is that of a page of the service's own."""
        answer = await self._get(source, f"{_set(table)}?{_options(source, query, token)}")
        listed = answer.get("value")
        if not isinstance(listed, list):
            raise ProviderError("The answer has no 'value' with rows.")
        count = answer.get("@odata.count")
        if source.counts and not isinstance(count, int):
            raise ProviderError("The answer does not say how many rows there are, though $count=true was asked.")
        if not source.pages_by_server and len(listed) > query.size:
            raise ProviderError(f"The answer has {len(listed)} rows, though $top={query.size} was asked.")
        return ExternalPage([_row(table, it, query.columns) for it in listed], count, _token(answer))

    async def one(self, source: Source, table: Table, row_id: str, columns: tuple[Column, ...]) -> Row:
        """One row."""
        answer = await self._get(source, f"{_set(table)}({row_id})?$select={_selected(columns)}")
        return _row(table, answer, columns)

    async def create(self, source: Source, table: Table, sent: Values) -> str:
        """The key of the new row, which the service may give."""
        answer = await self._send(source, "POST", _set(table), _body(table, sent))
        row = _row(table, answer, (table.columns[table.id_column],))
        return row.id

    async def update(self, source: Source, table: Table, row_id: str, sent: Values) -> None:
        """Change a row."""
        await self._send(source, "PATCH", f"{_set(table)}({row_id})", _body(table, sent))

    async def delete(self, source: Source, table: Table, row_id: str) -> None:
        """Delete a row."""
        await self._send(source, "DELETE", f"{_set(table)}({row_id})")

    async def _get(self, source: Source, path: str) -> dict[str, Any]:
        return await self._send(source, "GET", path)

    async def _send(self, source: Source, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        """The JSON of an answer, nothing for 204."""
        more = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in source.options.items())
        between = "" if not more else "&" if "?" in path else "?"
        url = URL(f"{source.uri}/{path}{between}{more}", encoded=True)
        headers = {**_HEADERS, **source.headers}
        if body is not None:
            headers["Content-Type"] = "application/json"
        timeout = aiohttp.ClientTimeout(total=source.timeout)
        try:
            async with self._opened().request(method, url, data=body, headers=headers, timeout=timeout) as answer:
                text = await answer.text()
                if not 200 <= answer.status < 300:
                    raise ProviderError(
                        f"The remote server returned an error: ({answer.status}) {answer.reason}. {text}"
                    )
                found = loads(text) if text else {}
        except TimeoutError:
            raise ProviderError(f"The operation has timed out after {source.timeout} seconds.") from None
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            raise ProviderError(f"{type(failure).__name__}: {failure}") from failure
        if not isinstance(found, dict):
            raise ProviderError("The answer is no JSON object.")
        return found

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
            self._session = aiohttp.ClientSession(connector=connector, skip_auto_headers=["User-Agent"])
        return self._session


def _set(table: Table) -> str:
    name = table.definition.get("ExternalCollectionName")
    if not name:
        raise ProviderError(f"The table {table.name} has no external collection name.")
    return str(name)


def _options(source: Source, query: ExternalQuery, token: str | None) -> str:
    """The options in the order in which they were seen."""
    given = {
        "$top": "" if source.pages_by_server and not query.ends else str(query.size),
        "$skip": str(query.skip) if query.skip and not source.pages_by_server else "",
        "$select": _selected(query.columns),
        "$filter": query.filter,
        "$orderby": ",".join(f"{name} {'desc' if down else 'asc'}" for name, down in query.order),
        "$count": "true" if source.counts else "",
        "$skiptoken": token or "",
    }
    return "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in given.items() if value)


def _selected(columns: tuple[Column, ...]) -> str:
    return ",".join(it.external_name for it in columns if it.external_name)


def _token(answer: Mapping[str, Any]) -> str | None:
    link = answer.get("@odata.nextLink")
    found = parse_qs(urlsplit(str(link)).query).get("$skiptoken") if link else None
    if link and not found:
        raise ProviderError(f"The link to the next page has no $skiptoken: {link}")
    return found[0] if found else None


def _row(table: Table, given: Any, columns: tuple[Column, ...]) -> Row:
    """A row with the values of the columns that were asked for."""
    if not isinstance(given, dict):
        raise ProviderError("A row is no JSON object.")
    values: Values = {}
    for column in columns:
        if not column.external_name:
            continue
        if column.external_name not in given:
            raise ProviderError(f"A row has no property '{column.external_name}' (names are case-sensitive).")
        value = given[column.external_name]
        if value is None and column.definition.get("RequiredLevel") in {"ApplicationRequired", "SystemRequired"}:
            raise ProviderError(f"The property '{column.external_name}' is null, and {column.name} is required.")
        try:
            values[column.name] = read(table.name, column, value)
        except ODataError as wrong:
            raise ProviderError(f"The property '{column.external_name}' does not fit {column.name}: {wrong}") from wrong
    key = values.get(table.id_column)
    if not key:
        raise ProviderError(f"A row has no key: {table.id_column} has no external name, or no value.")
    return Row(table.name, str(key), 0, values)


def _body(table: Table, sent: Values) -> bytes:
    body = {table.columns[name].external_name: value for name, value in sent.items()}
    if "" in body:
        raise ProviderError("A column without an external name cannot be written.")
    return dumps(body).encode()

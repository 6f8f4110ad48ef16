"""Virtual tables in the Web API: their rows are read and written through the data provider, and none are stored here.

Whatever goes wrong there, a user sees one sentence; the reason is in the plug-in trace log, if that is switched on
(column plugintracelogsetting of organization). The sentence is the one that users report; its code is not published.
"""

import re
from typing import Any, Final
from urllib.parse import quote, unquote

from aiohttp import web

from sandbox.systems.dataverse import values
from sandbox.systems.dataverse.access import Access
from sandbox.systems.dataverse.addressing import Segment, path_address
from sandbox.systems.dataverse.answers import json_answer
from sandbox.systems.dataverse.body import read_columns, read_object
from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.definitions import NAMESPACE
from sandbox.systems.dataverse.environment import Client
from sandbox.systems.dataverse.errors import ODataError, bad_request, no_such_segment, not_allowed, not_simulated
from sandbox.systems.dataverse.fetchxml import CRM
from sandbox.systems.dataverse.query import Preferences, Query
from sandbox.systems.dataverse.representation import Representation
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.selection import link_with
from sandbox.systems.dataverse.store import Row, Store
from sandbox.systems.dataverse.virtual_definitions import SOURCES
from sandbox.systems.dataverse.virtual_provider import ExternalPage, Provider, ProviderError, Source
from sandbox.systems.dataverse.virtual_query import ExternalQuery, columns_of, from_fetch, from_options, no_aggregates

_PROVIDER: Final = "OData v4 Data Provider"
_SAID: Final = "Entity could not be retrieved from data source. Please try again or contact your system administrator."
_FAILED: Final = "0x80040265"
"""IsvAborted, the code of plug-ins that refuse: a data provider is one."""
_ON_SETS: Final = {"GET": "Read", "POST": "Create"}
_ON_ROWS: Final = {"GET": "Read", "PATCH": "Write", "DELETE": "Delete"}
"""Methods, and the privileges that they take."""
_COOKIE: Final = re.compile(r' offset="(\d+)"(?: external="([^"]*)")?')


class VirtualTables:
    """Answers what is asked of virtual tables."""

    def __init__(self, store: Store, schema: Schema, access: Access, provider: Provider) -> None:
        self._store, self._schema, self._access, self._provider = store, schema, access, provider
        self._representation = Representation(store, schema)

    def find(self, call: Call) -> tuple[Table, Segment] | None:
        """The virtual table that a request is about; None for other requests, and for messages of the table."""
        if call.path in {"", "$metadata", "$batch"}:
            return None
        segment = Segment.parse(call.path)
        table = self._schema.by_set(segment.name)
        if table is None or not table.is_virtual or (segment.rest or "").startswith(NAMESPACE):
            return None
        return table, segment

    async def answer(self, call: Call, table: Table, segment: Segment, user: Client) -> web.Response:
        """The answer; `ODataError` for what is refused."""
        if segment.rest is not None:
            raise not_simulated(f"{segment.rest} of a virtual table")
        if "If-Match" in call.headers and call.headers["If-Match"] != "*":
            raise bad_request(f"Optimistic concurrency isn't enabled for entity type {table.name}.", "0x8006088d")
        possible = _ON_SETS if segment.key is None else _ON_ROWS
        if call.method not in possible:
            raise not_allowed(call.method)
        self._access.check(user, possible[call.method], table)
        try:
            if segment.key is None:
                return await (self._list(call, table) if call.method == "GET" else self._create(call, table))
            return await self._on_row(call, table, segment.key)
        except ProviderError as failed:
            self._trace(call.method, table, str(failed))
            raise ODataError(400, _FAILED, _SAID) from failed

    async def _list(self, call: Call, table: Table) -> web.Response:
        preferences = Preferences.read(call.headers)
        if "$apply" in call.query:
            raise no_aggregates()
        if "fetchXml" in call.query:
            query = from_fetch(table, call.query["fetchXml"])
            page = await self._page(table, query, None)
            answer = self._rows(call, table, query, page, preferences)
            if _more(query, page) and preferences.annotates(f"{CRM}morerecords"):
                answer |= {f"@{CRM}morerecords": True}
            return preferences.applied(json_answer(answer))
        asked, (skip, token) = Query.read(call.query), _place(call.query.get("$skiptoken"))
        query = from_options(table, asked, preferences, skip)
        page = await self._page(table, query, token)
        answer = self._rows(call, table, query, page, preferences)
        if _more(query, page):
            answer["@odata.nextLink"] = _next_link(call, query, page)
        return preferences.applied(json_answer(answer), tracked=True)

    async def _page(self, table: Table, query: ExternalQuery, token: str | None) -> ExternalPage:
        return await self._provider.page(self._source(table), table, query, token)

    def _rows(
        self, call: Call, table: Table, query: ExternalQuery, page: ExternalPage, preferences: Preferences
    ) -> dict[str, Any]:
        names = tuple(it.property_name for it in query.columns)
        answer: dict[str, Any] = {"@odata.context": f"{call.root}$metadata#{table.set_name}({','.join(names)})"}
        if query.counts:
            answer["@odata.count"] = -1 if page.count is None else page.count
        return answer | {"value": [self._shown(table, row, names, preferences) for row in page.rows]}

    def _shown(self, table: Table, row: Row, names: tuple[str, ...], preferences: Preferences) -> dict[str, Any]:
        shown = self._representation.row(table, row, Query(select=names), preferences)
        return {name: value for name, value in shown.items() if name != "@odata.etag"}

    async def _on_row(self, call: Call, table: Table, key: str) -> web.Response:
        row_id = path_address(table, key).row_id
        if row_id is None:
            raise no_such_segment(key)
        source = self._source(table)
        if call.method == "GET":
            query = Query.read(call.query)
            if query.expand:
                raise not_simulated("$expand on virtual tables")
            columns = columns_of(table, query.select)
            row = await self._provider.one(source, table, row_id, columns)
            names = tuple(it.property_name for it in columns)
            context = {"@odata.context": f"{call.root}$metadata#{table.set_name}({','.join(names)})/$entity"}
            return json_answer(context | self._shown(table, row, names, Preferences.read(call.headers)))
        if call.method == "DELETE":
            await self._provider.delete(source, table, row_id)
            return web.Response(status=204)
        await self._provider.update(source, table, row_id, self._sent(call, table))
        return web.Response(status=204, headers={"OData-EntityId": f"{call.root}{table.set_name}({row_id})"})

    async def _create(self, call: Call, table: Table) -> web.Response:
        row_id = await self._provider.create(self._source(table), table, self._sent(call, table))
        return web.Response(status=204, headers={"OData-EntityId": f"{call.root}{table.set_name}({row_id})"})

    def _sent(self, call: Call, table: Table) -> dict[str, Any]:
        columns = read_columns(table, read_object(call), self._schema, self._store)
        return {name: values.web(table.columns[name], value) for name, value in columns.items()}

    def _source(self, table: Table) -> Source:
        source_id = table.definition.get("DataSourceId")
        row = self._store.get(SOURCES, str(source_id).lower()) if source_id else None
        if row is None:
            raise ProviderError(f"The table {table.name} has no data source.")
        return Source.read(row.values)

    def _trace(self, method: str, table: Table, said: str) -> None:
        """A row of the plug-in trace log, if the organisation has one."""
        organisation = next(iter(self._store.rows("organization")), None)
        if organisation is None or not organisation.values.get("plugintracelogsetting"):
            return
        messages = {"GET": "RetrieveMultiple", "POST": "Create", "PATCH": "Update", "DELETE": "Delete"}
        row_id = values.new_guid()
        content = {"typename": _PROVIDER, "messagename": messages[method], "primaryentity": table.name}
        times = {"plugintracelogid": row_id, "createdon": values.now()}
        with self._store.transaction():
            self._store.put("plugintracelog", row_id, {**content, **times, "exceptiondetails": f"Message: {said}"})


def _more(query: ExternalQuery, page: ExternalPage) -> bool:
    """Whether there are further pages, which a real environment is seen to know by the count."""
    if query.ends:
        return False
    return page.following is not None or (page.count is not None and query.skip + len(page.rows) < page.count)


def _next_link(call: Call, query: ExternalQuery, page: ExternalPage) -> str:
    after = query.skip + query.size
    external = "" if page.following is None else f' external="{quote(page.following, safe="")}"'
    cookie = f'<cookie pagenumber="{after // query.size + 1}" offset="{after}"{external} istracking="False" />'
    return link_with(call, "$skiptoken", cookie)


def _place(token: str | None) -> tuple[int, str | None]:
    """How many rows the pages before had, and the service's own token."""
    if token is None:
        return 0, None
    found = _COOKIE.search(token)
    if found is None:
        raise bad_request("The skip token is not valid.")
    return int(found[1]), unquote(found[2]) if found[2] else None

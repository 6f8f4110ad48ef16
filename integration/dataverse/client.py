"""The Dataverse Web API, v9.2: rows read with their ETag and version, written with `If-Match` and `tag`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

from pydantic import BaseModel, Field

from integration.clock import Clock
from integration.dataverse.batched_writes import ALONE, Batched, BatchedWrites
from integration.dataverse.currencies import CurrencyCodes
from integration.dataverse.errors import SERVICE, dataverse_failure
from integration.dataverse.row import Row, read_row
from integration.errors import NotFound
from integration.odata import columns, encode, literal, name, query, record_id
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Request, Response, Sender, validated

_VERSION = "versionnumber"


class WhoAmI(BaseModel):
    """The application user that our token stands for, and its organisation."""

    user_id: str = Field(alias="UserId")
    business_unit_id: str = Field(alias="BusinessUnitId")
    organisation_id: str = Field(alias="OrganizationId")


class _Page(BaseModel):
    context: str = Field(alias="@odata.context")
    value: list[dict[str, Any]]
    next_link: str = Field(default="", alias="@odata.nextLink")


class DataverseClient:
    """Client of one environment; `base_url` is its address without a path (https://contoso.crm4.dynamics.com).

    `more_tokens` are those of further application users: events are spread over the users, and each event stays with
    one. `batched` says which writes go together. Raises what the transport raises, and for error answers the error of
    `dataverse_failure`.
    """

    def __init__(
        self,
        sender: Sender,
        tokens: Authorizer,
        base_url: str,
        *,
        clock: Clock,
        more_tokens: Sequence[Authorizer] = (),
        batched: Batched = ALONE,
    ) -> None:
        self._tokens = (tokens, *more_tokens)
        self._api = base_url.rstrip("/") + "/api/data/v9.2/"
        self._sender = BatchedWrites(sender, self._api, batched, clock)
        self._currencies = CurrencyCodes(self.retrieve, clock)

    async def retrieve(
        self,
        entity_set: str,
        row_id: str,
        *,
        select: Sequence[str],
        expand: str | None = None,
        context: CallContext = NO_CONTEXT,
    ) -> Row:
        """The row's columns `select` (a lookup as `_parentaccountid_value`), with its ETag and version.

        `expand` is an OData `$expand`; `related_rows` reads the rows of it.
        Raises `NotFound` when the row does not exist.
        """
        row_id = record_id(row_id)
        answer = await self._send(
            f"retrieve {entity_set}",
            "GET",
            _address(entity_set, row_id) + query({"$select": columns([*select, _VERSION]), "$expand": expand}),
            _READING,
            row=(entity_set, row_id),
            named=select,
            context=context,
        )
        return read_row(entity_set, row_id, answer.json())

    async def find(
        self,
        entity_set: str,
        key: tuple[str, str],
        *,
        id_column: str,
        select: Sequence[str],
        context: CallContext = NO_CONTEXT,
    ) -> Row | None:
        """The row whose alternate key, a column with text, has this value, as `retrieve` reads it; None without one."""
        try:
            answer = await self._send(
                f"find {entity_set}",
                "GET",
                _by_key(entity_set, key) + query({"$select": columns([*select, id_column, _VERSION])}),
                _READING,
                named=select,
                context=context,
            )
        except NotFound:
            return None
        return _row_with_id(entity_set, id_column, answer)

    async def create(
        self,
        entity_set: str,
        key: tuple[str, str],
        values: Mapping[str, Any],
        *,
        id_column: str,
        tag: str,
        context: CallContext = NO_CONTEXT,
    ) -> Row:
        """Create the row of an alternate key; `Permanent` (dataverse-duplicate) where there is one. `tag` as above.

        It is an upsert that may not change a row which exists (`If-None-Match: *`), so repeating it is safe.
        """
        answer = await self._send(
            f"create {entity_set}",
            "PATCH",
            _by_key(entity_set, key) + query({"$select": columns([id_column, _VERSION]), "tag": tag}),
            {"Prefer": "return=representation", "If-None-Match": "*"},
            body=encode(values).encode(),
            named=values,
            context=context,
        )
        return _row_with_id(entity_set, id_column, answer)

    async def page(
        self,
        entity_set: str,
        *,
        id_column: str,
        select: Sequence[str],
        size: int,
        where: str | None = None,
        expand: str | None = None,
        following: str = "",
        context: CallContext = NO_CONTEXT,
    ) -> tuple[list[Row], str]:
        """Up to `size` rows of a table, as `retrieve` reads them, and what the next page is asked for with.

        That is empty after the last one. `where` is an OData `$filter`, `expand` an `$expand`.
        """
        options = {
            "$select": columns([*select, id_column, _VERSION]),
            "$filter": where,
            "$expand": expand,
            "$skiptoken": following or None,
        }
        address = name(entity_set) + query(options)
        answer = await self.get(
            f"list {entity_set}", address, prefer=f"odata.maxpagesize={size}", named=select, context=context
        )
        content = validated(_Page, answer)
        shared = {"@odata.context": content.context}
        rows = [read_row(entity_set, record_id(str(it[id_column])), {**shared, **it}) for it in content.value]
        return rows, _token_of(content.next_link)

    async def get(
        self,
        operation: str,
        address: str,
        *,
        prefer: str = "",
        named: Sequence[str] = (),
        context: CallContext = NO_CONTEXT,
    ) -> Response:
        """The answer to a GET of `address`, which is below the Web API's; `prefer` are further preferences."""
        headers = {"Prefer": ",".join(filter(None, (prefer, _READING["Prefer"])))}
        return await self._send(operation, "GET", address, headers, named=named, context=context)

    async def currency_code(self, currency_id: str, *, context: CallContext = NO_CONTEXT) -> str:
        """The ISO 4217 code of a currency (`_transactioncurrencyid_value`).

        Read once an hour, because it does not change.

        Raises `NotFound` when the currency does not exist.
        """
        return await self._currencies.code_of(record_id(currency_id), context)

    async def update(
        self,
        entity_set: str,
        row_id: str,
        values: Mapping[str, Any],
        *,
        etag: str | None,
        tag: str,
        context: CallContext = NO_CONTEXT,
    ) -> Row:
        """Write `values` to a row that exists; returns its new ETag and version.

        With `etag`, writes only if nobody has changed the row since (otherwise `Conflict`); without it, writes in any
        case. Never creates a row (`NotFound`). `tag` arrives in the events of this change as the shared variable `tag`.
        A lookup is written as `"parentaccountid@odata.bind": "/accounts(<id>)"`.
        """
        row_id = record_id(row_id)
        answer = await self._send(
            f"update {entity_set}",
            "PATCH",
            _address(entity_set, row_id) + query({"$select": _VERSION, "tag": tag}),
            {"Prefer": "return=representation", "If-Match": etag or "*"},
            body=encode(values).encode(),
            row=(entity_set, row_id),
            etag=etag,
            named=values,
            context=context,
        )
        return Row(entity_set, row_id) if answer.status == 204 else read_row(entity_set, row_id, answer.json())

    async def call(
        self, custom_api: str, parameters: Mapping[str, Any], *, tag: str, context: CallContext = NO_CONTEXT
    ) -> None:
        """Call a custom API that is bound to no row, as an action; what it answers is not read.

        It may have run although its answer was lost: only the API itself can make sure that a repetition has no second
        effect. Raises what `dataverse_failure` says, `Permanent` (dataverse-plugin-refused) where its plug-in refuses.
        """
        await self._send(
            f"call {custom_api}",
            "POST",
            name(custom_api) + query({"tag": tag}),
            {},
            body=encode(parameters).encode(),
            named=parameters,
            context=context,
        )

    async def call_on(
        self, entity_set: str, message: str, parameters: Mapping[str, Any], *, context: CallContext = NO_CONTEXT
    ) -> None:
        """Call an action of Dataverse's own that is bound to an entity set; what it answers is not read.

        Raises what `dataverse_failure` says, `Permanent` where the set does not have the action.
        """
        await self._send(
            f"{message} of {entity_set}",
            "POST",
            f"{name(entity_set)}/Microsoft.Dynamics.CRM.{name(message)}",
            {},
            body=encode(parameters).encode(),
            named=parameters,
            context=context,
        )

    async def who_am_i(self, *, context: CallContext = NO_CONTEXT) -> WhoAmI:
        """The application user of our token.

        This is the cheapest call that proves that sign-in and application user work.
        """
        return validated(WhoAmI, await self._send("who am i", "GET", "WhoAmI", {}, context=context))

    async def _send(
        self,
        operation: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        context: CallContext,
        body: bytes | None = None,
        row: tuple[str, str] | None = None,
        etag: str | None = None,
        named: Sequence[str] | Mapping[str, Any] = (),
    ) -> Response:
        sent = {**_HEADERS, **headers}
        if body is not None:
            sent["Content-Type"] = "application/json; charset=utf-8"
        request = Request(SERVICE, operation, method, self._api + path, sent, body)
        answer = await self._sender.send(request, authorizer=self._tokens_for(context), context=context)
        if not answer.ok:
            raise dataverse_failure(answer, named=named, row=row, etag=etag)
        return answer

    def _tokens_for(self, context: CallContext) -> Authorizer:
        number = crc32((context.correlation_id or "").encode()) % len(self._tokens)
        return self._tokens[number]


def _token_of(link: str) -> str:
    """The `$skiptoken` of a link to the next page; the address of the link is not followed."""
    return parse_qs(urlsplit(link).query).get("$skiptoken", [""])[0]


def _row_with_id(entity_set: str, id_column: str, answer: Response) -> Row:
    """The row of an answer to a request that named it by another key."""
    row = read_row(entity_set, "", answer.json())
    return replace(row, id=record_id(str(row.values.get(id_column))))


def _by_key(entity_set: str, key: tuple[str, str]) -> str:
    column, value = key
    return f"{name(entity_set)}({name(column)}={literal(value)})"


def _address(entity_set: str, row_id: str) -> str:
    return f"{name(entity_set)}({row_id})"


_HEADERS = {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}
_READING = {
    "Prefer": 'odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"',
    "If-None-Match": "null",
}

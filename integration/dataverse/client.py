"""The Dataverse Web API, v9.2: rows read with their ETag and version, written with `If-Match` and `tag`."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from integration.dataverse.errors import dataverse_failure
from integration.dataverse.odata import columns, encode, expansion, name, query, record_id
from integration.dataverse.row import Row, read_row
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Request, Response, Transport, validated

SERVICE = "dataverse"
ROW_GONE = f"{SERVICE}-not-found"
"""The reason of `NotFound` where a row does not, or no longer, exist."""
_VERSION = "versionnumber"


class WhoAmI(BaseModel):
    """The application user that our token stands for, and where it is at home."""

    user_id: str = Field(alias="UserId")
    business_unit_id: str = Field(alias="BusinessUnitId")
    organisation_id: str = Field(alias="OrganizationId")


class DataverseClient:
    """Client of one environment; `base_url` is its address without a path (https://contoso.crm4.dynamics.com).

    Raises what the transport raises, and for error answers what `dataverse_failure` says.
    """

    def __init__(self, transport: Transport, tokens: Authorizer, base_url: str) -> None:
        self._transport = transport
        self._tokens = tokens
        self._api = base_url.rstrip("/") + "/api/data/v9.2/"

    def retrieve(
        self,
        entity_set: str,
        row_id: str,
        *,
        select: Sequence[str],
        expand: Mapping[str, Sequence[str]] | None = None,
        context: CallContext = NO_CONTEXT,
    ) -> Row:
        """The row's columns `select` (a lookup as `_parentaccountid_value`), with its ETag and version.

        `expand` has navigation properties and the columns wanted of each; they come as mappings inside `values`. Raises
        `NotFound` when the row is gone.
        """
        row_id = record_id(row_id)
        wanted = columns([*select, _VERSION])
        answer = self._send(
            f"retrieve {entity_set}",
            "GET",
            _address(entity_set, row_id) + query({"$select": wanted, "$expand": expansion(expand)}),
            {"Prefer": f'odata.include-annotations="{_ANNOTATIONS}"', "If-None-Match": "null"},
            named=select,
            context=context,
        )
        return read_row(entity_set, row_id, answer.json())

    def update(
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

        With `etag` only if nobody has changed the row since (`Conflict` otherwise), without it whatever its state;
        never creates a row (`NotFound`). `tag` arrives in the events of this change as the shared variable `tag`. A
        lookup is written as `"parentaccountid@odata.bind": "/accounts(<id>)"`.
        """
        row_id = record_id(row_id)
        answer = self._send(
            f"update {entity_set}",
            "PATCH",
            _address(entity_set, row_id) + query({"$select": _VERSION, "tag": tag}),
            {"Prefer": "return=representation", "If-Match": etag or "*"},
            body=encode(values).encode(),
            named=values,
            context=context,
        )
        return read_row(entity_set, row_id, answer.json() if answer.body else {})

    def who_am_i(self, *, context: CallContext = NO_CONTEXT) -> WhoAmI:
        """Who our token stands for; the cheapest call that proves that sign-in and the application user work."""
        return validated(WhoAmI, self._send("who am i", "GET", "WhoAmI", {}, context=context))

    def _send(
        self,
        operation: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        context: CallContext,
        body: bytes | None = None,
        named: Sequence[str] | Mapping[str, Any] = (),
    ) -> Response:
        sent = {**_HEADERS, **headers}
        if body is not None:
            sent["Content-Type"] = "application/json; charset=utf-8"
        request = Request(SERVICE, operation, method, self._api + path, sent, body)
        answer = self._transport.send(request, authorizer=self._tokens, context=context)
        if not answer.ok:
            raise dataverse_failure(answer, named=named)
        return answer


def _address(entity_set: str, row_id: str) -> str:
    return f"{name(entity_set)}({row_id})"


_HEADERS = {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}
_ANNOTATIONS = "Microsoft.Dynamics.CRM.lookuplogicalname"

"""What the client sends to Dataverse, word by word: headers and options decide what Dataverse does."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from integration.clock import SystemClock
from integration.dataverse import DataverseClient
from integration.errors import Conflict, NotFound, Outage
from integration.transport import ApiKey, Authorizer, CallContext, Request, Response

ID = "11111111-2222-3333-4444-555555555555"
CONTEXT = CallContext("c-1")
ROW = {"@odata.context": "...", "accountid": ID, "@odata.etag": 'W/"7"', "versionnumber": 7, "name": "Contoso"}
EURO = {"@odata.context": "...", "transactioncurrencyid": ID, "isocurrencycode": "EUR"}


class Wire:
    """Answers with one status and content, and remembers what was sent."""

    def __init__(self, status: int = 200, content: Any = None) -> None:
        self.status, self.content = status, content or ROW
        self.sent: list[Request] = []
        self.contexts: list[CallContext] = []

    async def send(self, request: Request, *, authorizer: Authorizer | None, context: CallContext) -> Response:
        assert authorizer is not None
        self.sent.append(request)
        self.contexts.append(context)
        body = b"" if self.status == 204 else json.dumps(self.content).encode()
        return Response(request, self.status, {"content-type": "application/json"}, body)


def client(wire: Wire) -> DataverseClient:
    return DataverseClient(wire, ApiKey("k"), "https://org.crm.dynamics.com/", clock=SystemClock())


def options(request: Request) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.url).query, keep_blank_values=True)


async def test_a_row_is_read_as_it_is_now_with_its_version_and_the_tables_of_its_lookups() -> None:
    """`If-None-Match: null` keeps caches out of it (Dataverse, "Retrieve a row")."""
    wire = Wire()
    row = await client(wire).retrieve("accounts", "{" + ID.upper() + "}", select=["name"], context=CONTEXT)

    (request,) = wire.sent
    assert (request.service, request.operation, request.method) == ("dataverse", "retrieve accounts", "GET")
    assert request.url.startswith(f"https://org.crm.dynamics.com/api/data/v9.2/accounts({ID})?")
    assert options(request) == {"$select": ["name,versionnumber"]}
    assert request.headers == {
        "OData-Version": "4.0",
        "OData-MaxVersion": "4.0",
        "Prefer": 'odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"',
        "If-None-Match": "null",
    }
    assert wire.contexts == [CONTEXT]
    assert (row.id, row.etag, row.version, row.values["name"]) == (ID, 'W/"7"', 7, "Contoso")


@pytest.mark.parametrize(("etag", "condition"), [('W/"6"', 'W/"6"'), (None, "*")])
async def test_a_write_never_creates_a_row_and_says_whose_it_is(etag: str | None, condition: str) -> None:
    """With the ETag that was read only where nobody has changed the row since; the tag comes back in its event."""
    wire = Wire()
    values = {"new_total": Decimal("10.50"), "new_on": datetime(2026, 1, 1, tzinfo=UTC)}
    row = await client(wire).update("accounts", ID, values, etag=etag, tag="ours", context=CONTEXT)

    (request,) = wire.sent
    assert (request.operation, request.method) == ("update accounts", "PATCH")
    assert request.url.startswith(f"https://org.crm.dynamics.com/api/data/v9.2/accounts({ID})?")
    assert options(request) == {"$select": ["versionnumber"], "tag": ["ours"]}
    assert request.headers == {
        "OData-Version": "4.0",
        "OData-MaxVersion": "4.0",
        "Prefer": "return=representation",
        "If-Match": condition,
        "Content-Type": "application/json; charset=utf-8",
    }
    assert request.body == b'{"new_total":10.50,"new_on":"2026-01-01T00:00:00.000Z"}'
    assert wire.contexts == [CONTEXT]
    assert (row.etag, row.version) == ('W/"7"', 7)


async def test_a_changed_row_and_a_row_that_does_not_exist_are_told_apart() -> None:
    changed = Wire(412, {"error": {"code": "0x80060882", "message": "..."}})
    with pytest.raises(Conflict):
        await client(changed).update("accounts", ID, {}, etag='W/"1"', tag="ours")
    unknown = Wire(412, {"error": {"code": "0x80040000", "message": "..."}})
    with pytest.raises(Conflict):
        await client(unknown).update("accounts", ID, {}, etag='W/"1"', tag="ours")
    missing = Wire(404, {"error": {"code": "0x80040217", "message": f"account With Id = {ID} Does Not Exist"}})
    for call in (
        client(missing).update("accounts", ID, {}, etag=None, tag="ours"),
        client(missing).retrieve("accounts", ID, select=["name"]),
    ):
        with pytest.raises(NotFound) as raised:
            await call
        assert (raised.value.table, raised.value.record_id) == ("accounts", ID)


async def test_a_refusal_names_the_columns_that_we_named() -> None:
    """Dataverse's own text may quote values."""
    refusing = Wire(
        400, {"error": {"code": "0x80044331", "message": "'Jane' is too long for new_name, not telephone1"}}
    )
    with pytest.raises(Exception, match="new_name") as written:
        await client(refusing).update("accounts", ID, {"new_name": "Jane"}, etag=None, tag="ours")
    with pytest.raises(Exception, match="telephone1") as read:
        await client(refusing).retrieve("accounts", ID, select=["telephone1"])
    assert "Jane" not in f"{written.value}{read.value}"


async def test_who_we_are_is_the_cheapest_proof_that_we_may_come_in() -> None:
    wire = Wire(content={"UserId": "u", "BusinessUnitId": "b", "OrganizationId": "o"})
    who = await client(wire).who_am_i(context=CONTEXT)

    (request,) = wire.sent
    assert (request.operation, request.method) == ("who am i", "GET")
    assert request.url == "https://org.crm.dynamics.com/api/data/v9.2/WhoAmI"
    assert (who.user_id, who.business_unit_id, who.organisation_id) == ("u", "b", "o")
    assert wire.contexts == [CONTEXT]
    with pytest.raises(Outage):
        await client(Wire(content={"UserId": "u"})).who_am_i()


async def test_a_currency_is_read_by_its_iso_code_for_the_event_that_needs_it() -> None:
    wire = Wire(content=EURO)
    assert await client(wire).currency_code(ID, context=CONTEXT) == "EUR"

    (request,) = wire.sent
    assert f"/transactioncurrencies({ID})?" in request.url
    assert options(request) == {"$select": ["isocurrencycode,versionnumber"]}
    assert wire.contexts == [CONTEXT]


async def test_a_currency_that_many_ask_for_at_once_is_read_once() -> None:
    wire = Wire(content=EURO)
    dataverse = client(wire)
    assert await asyncio.gather(*[dataverse.currency_code(ID) for _ in range(5)]) == ["EUR"] * 5
    assert len(wire.sent) == 1

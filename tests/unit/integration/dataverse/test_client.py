"""What the client decides by itself; what it says to Dataverse is a matter of the contract's tests."""

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from integration.clock import SystemClock
from integration.dataverse import DataverseClient
from integration.errors import Outage, Permanent
from integration.transport import ApiKey, Authorizer, CallContext, Request, Response
from tests.unit.integration.transport.parts import ManualClock

ID = "11111111-2222-3333-4444-555555555555"
EURO = {"@odata.context": "...", "transactioncurrencyid": ID, "isocurrencycode": "EUR"}


class Wire:
    """Answers with one status and body, and remembers with whose headers it was asked."""

    def __init__(self, status: int = 200, content: object = None) -> None:
        self.status, self.content = status, EURO if content is None else content
        self.asked: list[Mapping[str, str]] = []
        self.urls: list[str] = []
        self.bodies: list[bytes | None] = []

    async def send(self, request: Request, *, authorizer: Authorizer | None, context: CallContext) -> Response:
        self.urls.append(request.url)
        self.bodies.append(request.body)
        self.asked.append(await authorizer.headers() if authorizer else {})
        await asyncio.sleep(0)
        body = b"" if self.content == "" else json.dumps(self.content).encode()
        return Response(request, self.status, {"content-type": "application/json"}, body)


def client(wire: Wire, clock: ManualClock | None = None, users: int = 1) -> DataverseClient:
    first, *more = [ApiKey(str(number), header="user") for number in range(users)]
    return DataverseClient(wire, first, "https://org.crm.dynamics.com/", clock=clock or SystemClock(), more_tokens=more)


async def test_events_take_turns_between_the_application_users_and_each_stays_with_one() -> None:
    wire = Wire()
    dataverse = client(wire, users=3)
    for number in range(60):
        for _ in range(2):
            await dataverse.retrieve("accounts", ID, select=["name"], context=CallContext(f"event-{number}"))
    users = [headers["user"] for headers in wire.asked]
    assert users[::2] == users[1::2]
    assert all(users.count(str(user)) > 20 for user in range(3))


async def test_a_currency_is_read_again_after_an_hour(clock: ManualClock) -> None:
    wire = Wire()
    dataverse = client(wire, clock)
    for clock.elapsed in (0, 3599, 3601, 3700):
        assert await dataverse.currency_code("{" + ID.upper() + "}") == "EUR"
    assert len(wire.asked) == 2


async def test_a_currency_that_could_not_be_read_is_asked_for_again() -> None:
    wire = Wire(503, {})
    dataverse = client(wire)
    results = await asyncio.gather(*[dataverse.currency_code(ID) for _ in range(3)], return_exceptions=True)
    assert [type(result) for result in results] == [Outage] * 3
    wire.status, wire.content = 200, EURO
    assert await dataverse.currency_code(ID) == "EUR"


async def test_a_currency_without_a_code_is_somebodys_to_mend() -> None:
    with pytest.raises(Permanent) as raised:
        await client(Wire(content={**EURO, "isocurrencycode": None})).currency_code(ID)
    assert raised.value.reason == "currency-without-code"


async def test_a_success_without_the_row_is_no_success() -> None:
    """204 says that Dataverse kept the row to itself; an empty 200 was said by something else."""
    row = await client(Wire(204, "")).update("accounts", ID, {"name": "x"}, etag=None, tag="t")
    assert (row.id, row.version) == (ID, None)
    with pytest.raises(Outage):
        await client(Wire(200, "")).update("accounts", ID, {"name": "x"}, etag=None, tag="t")


async def test_related_rows_are_read_with_the_row() -> None:
    wire = Wire()
    await client(wire).retrieve("orders", ID, select=["name"], expand="lines($select=quantity)")
    (url,) = wire.urls
    assert parse_qs(urlsplit(url).query) == {"$select": ["name,versionnumber"], "$expand": ["lines($select=quantity)"]}


async def test_a_custom_api_is_called_as_an_action_with_its_parameters_and_our_tag() -> None:
    wire = Wire(status=204, content="")
    await client(wire).call("new_ReportShipment", {"OrderNumber": "SO-1"}, tag="ours")
    assert [urlsplit(url).path for url in wire.urls] == ["/api/data/v9.2/new_ReportShipment"]
    assert parse_qs(urlsplit(wire.urls[0]).query) == {"tag": ["ours"]}
    assert [json.loads(body or b"") for body in wire.bodies] == [{"OrderNumber": "SO-1"}]

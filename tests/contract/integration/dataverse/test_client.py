"""The Dataverse client and the Web API (with its token endpoint) keep their contract."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from integration.clock import SystemClock
from integration.dataverse import Batched, DataverseClient, Row, client_secret_tokens
from integration.errors import Conflict, NotFound, Outage, Permanent, Throttled, Transient
from integration.events.values import Lookup
from integration.transport import CallContext, Host, Request, Transport
from tests.contract.integration.sign_in import tokens_of
from tests.contract.sandbox.systems.stand_in import StandIn

API = "/api/data/v9.2"


class Person:
    """Somebody at work in the app, whose changes are not ours; talks to the Web API without our client."""

    def __init__(self, system: StandIn) -> None:
        self._system = system
        who = system.control("GET", "environment").json()
        form = {
            "grant_type": "client_credentials",
            "client_id": who["human"]["client_id"],
            "client_secret": who["human"]["secret"],
            "scope": f"{system.url}/.default",
        }
        answer = system.http.post(f"{system.url}/{who['tenant_id']}/oauth2/v2.0/token", data=form, timeout=5)
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def create(self, entity_set: str, values: Mapping[str, Any]) -> str:
        answer = self._send("POST", entity_set, values)
        return str(answer.headers["OData-EntityId"]).rpartition("(")[2].rstrip(")")

    def change(self, entity_set: str, row_id: str, values: Mapping[str, Any]) -> None:
        self._send("PATCH", f"{entity_set}({row_id})", values)

    def delete(self, entity_set: str, row_id: str) -> None:
        self._send("DELETE", f"{entity_set}({row_id})", None)

    def _send(self, method: str, path: str, values: Mapping[str, Any] | None) -> Any:
        answer = self._system.http.request(
            method, f"{self._system.url}{API}/{path}", json=values, headers=self._headers, timeout=5
        )
        assert answer.ok, answer.text
        return answer


@pytest.fixture
def person(dataverse_system: StandIn) -> Person:
    return Person(dataverse_system)


@pytest.fixture
def new_number() -> str:
    """The ERP number is an alternate key: no two rows may have the same."""
    return f"C-{uuid4().hex}"


def api_calls(system: StandIn) -> list[dict[str, Any]]:
    return [one for one in system.control("GET", "requests").json() if one["path"].startswith(API)]


def token_calls(system: StandIn) -> list[dict[str, Any]]:
    return [one for one in system.control("GET", "requests").json() if one["path"].endswith("/token")]


async def test_who_am_i_is_the_application_user(dataverse: DataverseClient, dataverse_system: StandIn) -> None:
    who = await dataverse.who_am_i()
    environment = dataverse_system.control("GET", "environment").json()
    assert who.user_id == environment["application"]["user_id"]
    assert who.organisation_id == environment["organisation_id"]


async def test_a_token_serves_many_calls(dataverse: DataverseClient, dataverse_system: StandIn) -> None:
    for _ in range(3):
        await dataverse.who_am_i()
    assert len(token_calls(dataverse_system)) == 1


async def test_a_row_comes_with_etag_version_exact_money_and_lookup_tables(
    dataverse: DataverseClient, person: Person
) -> None:
    """Customerid may be an account or a contact: the annotation says which."""
    contact = person.create("contacts", {"firstname": "Jane", "lastname": "Doe"})
    opportunity = person.create(
        "opportunities",
        {"name": "Chairs", "estimatedvalue": 1234.5, "customerid_contact@odata.bind": f"/contacts({contact})"},
    )
    row = await dataverse.retrieve("opportunities", opportunity, select=["name", "estimatedvalue", "_customerid_value"])
    assert (row.id, row.values["name"]) == (opportunity, "Chairs")
    assert row.values["estimatedvalue"] == Decimal("1234.5")
    assert isinstance(row.values["estimatedvalue"], Decimal)
    assert row.lookups["customerid"] == Lookup("contact", contact)
    assert row.etag
    assert row.version


async def test_a_currencys_code_is_read_once(
    dataverse: DataverseClient, dataverse_system: StandIn, person: Person
) -> None:
    """However many events ask for it, also at once."""
    opportunity = person.create("opportunities", {"name": "Chairs", "estimatedvalue": 1})
    row = await dataverse.retrieve("opportunities", opportunity, select=["_transactioncurrencyid_value"])
    currency = row.values["_transactioncurrencyid_value"]
    assert await asyncio.gather(*[dataverse.currency_code(currency) for _ in range(5)]) == ["EUR"] * 5
    assert await dataverse.currency_code(currency.upper()) == "EUR"
    assert len([one for one in api_calls(dataverse_system) if "transactioncurrencies" in one["path"]]) == 1


async def test_a_currency_that_does_not_exist_is_not_taken_for_the_row(dataverse: DataverseClient) -> None:
    missing = str(uuid4())
    with pytest.raises(NotFound) as raised:
        await dataverse.currency_code(missing)
    assert (raised.value.table, raised.value.record_id) == ("transactioncurrencies", missing)


GATEWAY_ANSWERS = [
    ({"status": 302, "headers": {"Location": "/sorry"}}, "dataverse-redirected"),
    ({"status": 302, "gateway": True}, "dataverse-redirected"),
    ({"status": 404, "headers": {"Content-Type": "text/html"}}, "dataverse-answer-unreadable"),
    ({"status": 404, "gateway": True}, "dataverse-answer-unreadable"),
    ({"status": 404}, "dataverse-answer-unreadable"),
    ({"status": 405}, "dataverse-answer-unreadable"),
    ({"status": 410, "gateway": True}, "dataverse-answer-unreadable"),
    ({"status": 403, "gateway": True}, "dataverse-answer-unreadable"),
    ({"status": 412, "gateway": True}, "dataverse-answer-unreadable"),
    ({"status": 200, "gateway": True}, "dataverse-answer-unreadable"),
    ({"status": 500, "gateway": True}, "dataverse-unavailable"),
    ({"status": 501}, "dataverse-answer-unreadable"),
    ({"status": 502}, "dataverse-unavailable"),
    (
        {"status": 200, "headers": {"Content-Type": "application/json"}, "body": '{"message":"Under maintenance"}'},
        "dataverse-answer-invalid",
    ),
]


@pytest.mark.parametrize(("fault", "reason"), GATEWAY_ANSWERS, ids=str)
async def test_what_answers_in_dataverses_place_is_an_outage(
    dataverse: DataverseClient, dataverse_system: StandIn, person: Person, fault: dict[str, Any], reason: str
) -> None:
    """A page, a redirect, a method that is not allowed: reading and writing wait; the row exists."""
    account = person.create("accounts", {"name": "Contoso"})
    dataverse_system.fault(f"* {API}/accounts", times=2, **fault)
    with pytest.raises(Outage) as reading:
        await dataverse.retrieve("accounts", account, select=["name"])
    with pytest.raises(Outage) as writing:
        await dataverse.update("accounts", account, {"new_erpnumber": "C-1"}, etag='W/"1"', tag="t")
    for raised in (reading, writing):
        assert (type(raised.value), raised.value.reason) == (Outage, reason)


async def test_a_table_is_read_page_by_page(dataverse: DataverseClient, person: Person) -> None:
    """Every row once, with its id, its columns and its version."""
    made = {person.create("contacts", {"lastname": f"Page {number}"}) for number in range(5)}
    read: list[Row] = []
    following = ""
    while not read or following:
        rows, following = await dataverse.page(
            "contacts", id_column="contactid", select=["lastname"], size=2, following=following
        )
        assert 0 < len(rows) <= 2
        read += rows
    assert made <= {row.id for row in read}
    assert len({row.id for row in read}) == len(read)
    assert all(row.version and "lastname" in row.values for row in read)


async def test_an_update_returns_the_new_version_and_etag(
    dataverse: DataverseClient, person: Person, new_number: str
) -> None:
    account = person.create("accounts", {"name": "Contoso"})
    before = await dataverse.retrieve("accounts", account, select=["name"])
    after = await dataverse.update("accounts", account, {"new_erpnumber": new_number}, etag=before.etag, tag="t")
    again = await dataverse.retrieve("accounts", account, select=["name", "new_erpnumber"])
    assert before.version is not None
    assert after.version is not None
    assert after.version > before.version
    assert (again.etag, again.version, again.values["new_erpnumber"]) == (after.etag, after.version, new_number)


async def test_a_row_that_somebody_changed_is_a_conflict(
    dataverse: DataverseClient, person: Person, new_number: str
) -> None:
    account = person.create("accounts", {"name": "Contoso"})
    row = await dataverse.retrieve("accounts", account, select=["name"])
    person.change("accounts", account, {"name": "Contoso plc"})
    with pytest.raises(Conflict):
        await dataverse.update("accounts", account, {"new_erpnumber": new_number}, etag=row.etag, tag="t")
    assert (await dataverse.retrieve("accounts", account, select=["new_erpnumber"])).values["new_erpnumber"] is None


async def test_without_an_etag_the_update_goes_through_but_never_creates(
    dataverse: DataverseClient, person: Person, new_number: str
) -> None:
    """A plain PATCH would bring a deleted row back to life."""
    account = person.create("accounts", {"name": "Contoso"})
    await dataverse.update("accounts", account, {"new_erpnumber": new_number}, etag=None, tag="t")
    person.delete("accounts", account)
    with pytest.raises(NotFound) as writing:
        await dataverse.update("accounts", account, {"new_erpnumber": new_number + "2"}, etag=None, tag="t")
    with pytest.raises(NotFound) as reading:
        await dataverse.retrieve("accounts", account, select=["name"])
    for raised in (writing, reading):
        assert (raised.value.table, raised.value.record_id) == ("accounts", account)


async def test_the_tag_travels_with_the_write(
    dataverse: DataverseClient, dataverse_system: StandIn, person: Person, new_number: str
) -> None:
    account = person.create("accounts", {"name": "Contoso"})
    await dataverse.update("accounts", account, {"new_erpnumber": new_number}, etag=None, tag="our own, äh & more")
    (call,) = [one for one in api_calls(dataverse_system) if one["method"] == "PATCH" and account in one["path"]]
    assert parse_qs(urlsplit(call["path"]).query)["tag"] == ["our own, äh & more"]


async def test_a_value_that_another_row_has_is_permanent_not_a_conflict(
    dataverse: DataverseClient, person: Person, new_number: str
) -> None:
    """Both are 412; but reading the row again would not help against a duplicate alternate key."""
    first, second = (person.create("accounts", {"name": name}) for name in ("Contoso", "Fabrikam"))
    await dataverse.update("accounts", first, {"new_erpnumber": new_number}, etag=None, tag="t")
    with pytest.raises(Permanent) as raised:
        await dataverse.update("accounts", second, {"new_erpnumber": new_number}, etag=None, tag="t")
    assert raised.value.reason == "dataverse-duplicate"
    assert new_number not in str(raised.value)


async def test_a_missing_column_is_permanent_and_named(dataverse: DataverseClient, person: Person) -> None:
    account = person.create("accounts", {"name": "Contoso"})
    with pytest.raises(Permanent, match="new_nonsense") as raised:
        await dataverse.update("accounts", account, {"new_nonsense": "a secret"}, etag=None, tag="t")
    assert "a secret" not in str(raised.value)
    with pytest.raises(Permanent, match="new_nonsense"):
        await dataverse.retrieve("accounts", account, select=["new_nonsense"])


async def test_a_wrong_entity_set_does_not_pass_for_a_deleted_row(dataverse: DataverseClient) -> None:
    with pytest.raises(Permanent) as raised:
        await dataverse.retrieve("accountses", str(uuid4()), select=["name"])
    assert not isinstance(raised.value, NotFound)


async def test_an_expired_token_is_replaced_unnoticed(dataverse: DataverseClient, dataverse_system: StandIn) -> None:
    """Msal's own cache must not give the refused token again."""
    await dataverse.who_am_i()
    dataverse_system.control("DELETE", "tokens")
    await dataverse.who_am_i()
    assert len(token_calls(dataverse_system)) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"client_secret": "nonsense"}, {"client_id": str(uuid4())}, {"tenant_id": str(uuid4())}],
    ids=["secret", "client", "tenant"],
)
async def test_a_refused_sign_in_lets_events_wait_and_shows_no_secret(
    transport: Transport, dataverse_system: StandIn, wrong: dict[str, str]
) -> None:
    who = dataverse_system.control("GET", "environment").json()
    given = {
        "tenant_id": who["tenant_id"],
        "client_id": who["application"]["client_id"],
        "client_secret": who["application"]["secret"],
    } | wrong
    tokens = client_secret_tokens(
        transport,
        authority=dataverse_system.url,
        dataverse_url=dataverse_system.url,
        instance_discovery=False,
        clock=SystemClock(),
        **given,
    )
    with pytest.raises(Transient) as raised:
        await DataverseClient(transport, tokens, dataverse_system.url, clock=SystemClock()).who_am_i()
    assert raised.value.reason == "dataverse-sign-in-refused"
    assert given["client_secret"] not in str(raised.value)


async def test_a_token_endpoint_in_trouble_is_transient(dataverse: DataverseClient, dataverse_system: StandIn) -> None:
    """And the next call, once the trouble is over, gets its token."""
    dataverse_system.fault("POST .*/token", status=503, times=1)
    with pytest.raises(Transient):
        await dataverse.who_am_i()
    await dataverse.who_am_i()


async def test_service_protection_is_obeyed(dataverse: DataverseClient, dataverse_system: StandIn) -> None:
    """429 with Retry-After: the next call is not even sent."""
    await dataverse.who_am_i()
    dataverse_system.control("POST", "limits", json={"requests": 1, "window_seconds": 60})
    try:
        await dataverse.who_am_i()
        for _ in range(2):
            with pytest.raises(Throttled) as raised:
                await dataverse.who_am_i()
            assert raised.value.retry_after
    finally:
        dataverse_system.control("DELETE", "limits")
    assert [one["status"] for one in api_calls(dataverse_system)] == [200, 200, 429]


async def test_a_certificate_of_an_unknown_authority_is_refused(dataverse_system: StandIn) -> None:
    """Without the CA file of the settings nothing is sent, and the reason says that it is about TLS."""
    transport = Transport([Host(dataverse_system.url)], clock=SystemClock())
    with pytest.raises(Transient) as raised:
        await transport.send(Request("dataverse", "look", "GET", dataverse_system.url))
    assert raised.value.reason == "dataverse-tls"


async def test_the_trace_of_the_event_arrives(dataverse: DataverseClient, dataverse_system: StandIn) -> None:
    context = CallContext("corr-1", f"00-{'a' * 32}-{'b' * 16}-01")
    await dataverse.who_am_i(context=context)
    (call,) = api_calls(dataverse_system)
    sent = {name.lower(): value for name, value in call["headers"].items()}
    assert (sent["traceparent"], sent["x-correlation-id"]) == (context.traceparent, "corr-1")


async def test_a_row_is_found_by_its_alternate_key(dataverse: DataverseClient, person: Person, new_number: str) -> None:
    """With the ETag that a write needs; a quotation mark in the key is only a character of it."""
    key = ("new_erpnumber", f"{new_number[:20]}'{new_number[20:30]}")
    assert await dataverse.find("accounts", key, id_column="accountid", select=["name"]) is None
    row_id = person.create("accounts", {"name": "Contoso", key[0]: key[1]})
    found = await dataverse.find("accounts", key, id_column="accountid", select=["name"])
    assert found is not None
    assert (found.id, found.values["name"]) == (row_id, "Contoso")
    written = await dataverse.update("accounts", found.id, {"name": "Fabrikam"}, etag=found.etag, tag="t")
    with pytest.raises(Conflict):
        await dataverse.update("accounts", found.id, {"name": "Adatum"}, etag=found.etag, tag="t")
    assert written.version is not None
    assert found.version is not None
    assert written.version > found.version


async def test_a_row_is_created_by_its_alternate_key_and_only_once(dataverse: DataverseClient, new_number: str) -> None:
    """A second attempt is refused, and changes nothing of what is there."""
    key = ("new_erpnumber", new_number)
    created = await dataverse.create("accounts", key, {"name": "Contoso"}, id_column="accountid", tag="t")
    with pytest.raises(Permanent) as refused:
        await dataverse.create("accounts", key, {"name": "Other"}, id_column="accountid", tag="t")
    assert refused.value.reason == "dataverse-duplicate"
    found = await dataverse.find("accounts", key, id_column="accountid", select=["name"])
    assert found is not None
    assert (found.id, found.values["name"]) == (created.id, "Contoso")


async def test_writes_that_wait_go_in_batches_and_exactly_those_fail_that_are_refused(
    transport: Transport, dataverse_system: StandIn, person: Person, new_number: str
) -> None:
    """Each with its own If-Match, and its new version; three calls in place of twelve."""
    batched = Batched(at_once=1, size=6)
    tokens = tokens_of(dataverse_system, transport)
    client = DataverseClient(transport, tokens, dataverse_system.url, clock=SystemClock(), batched=batched)
    ids = [person.create("accounts", {"name": f"Contoso {number}"}) for number in range(12)]
    rows = [await client.retrieve("accounts", it, select=["name"]) for it in ids]
    person.change("accounts", ids[3], {"name": "changed"})
    person.delete("accounts", ids[5])
    numbers = [f"{new_number}-{number}" for number in range(12)]
    numbers[8] = numbers[7]
    dataverse_system.control("DELETE", "requests")

    async def write(number: int) -> Row:
        values = {"new_erpnumber": numbers[number]}
        return await client.update("accounts", ids[number], values, etag=rows[number].etag, tag="t")

    found = await asyncio.gather(*map(write, range(12)), return_exceptions=True)
    failed = {number: type(it) for number, it in enumerate(found) if isinstance(it, Exception)}
    assert failed == {3: Conflict, 5: NotFound, 8: Permanent}
    assert getattr(found[8], "reason", "") == "dataverse-duplicate"
    for number, it in enumerate(found):
        if isinstance(it, Row):
            row = await client.retrieve("accounts", ids[number], select=["new_erpnumber"])
            assert (row.etag, row.version, row.values["new_erpnumber"]) == (it.etag, it.version, numbers[number])
    writes = [it["method"] for it in api_calls(dataverse_system) if it["method"] != "GET"]
    assert writes == ["PATCH", "POST", "POST"]


async def test_a_batch_that_is_carried_out_although_its_answer_is_lost_shows_when_the_rows_are_read(
    transport: Transport, dataverse_system: StandIn, person: Person, new_number: str
) -> None:
    """Each writer gets an error from which it goes on, as after a write alone; nothing was written twice."""
    client = DataverseClient(
        transport,
        tokens_of(dataverse_system, transport),
        dataverse_system.url,
        clock=SystemClock(),
        batched=Batched(at_once=1, size=6),
    )
    ids = [person.create("accounts", {"name": f"Contoso {number}"}) for number in range(3)]
    rows = [await client.retrieve("accounts", it, select=["name"]) for it in ids]
    dataverse_system.fault(r"POST .*\$batch", times=1, drop=True, after=True)

    async def write(number: int) -> Row:
        values = {"new_erpnumber": f"{new_number}-{number}"}
        return await client.update("accounts", ids[number], values, etag=rows[number].etag, tag="t")

    found = await asyncio.gather(*map(write, range(3)), return_exceptions=True)
    assert isinstance(found[0], Row)
    assert {type(it) for it in found[1:]} <= {Outage, Conflict}
    for number, row_id in enumerate(ids):
        row = await client.retrieve("accounts", row_id, select=["new_erpnumber"])
        assert row.values["new_erpnumber"] == f"{new_number}-{number}"

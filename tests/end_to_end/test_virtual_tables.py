"""A virtual table of Dataverse reads what the ERP has, over HTTP, with the key of its data source."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from sandbox.client import Client, eventually
from sandbox.running.endpoints import Endpoints
from tests.end_to_end.journeys import Person


def ask(endpoints: Endpoints, path: str, key: str | None = None) -> requests.Response:
    headers = {"x-functions-key": endpoints.virtual_tables_key if key is None else key}
    return requests.get(f"{endpoints.functions}/api/odata/{path}", headers=headers, timeout=30)


def test_the_balance_of_a_customer_is_read_from_the_erp(client: Client, endpoints: Endpoints) -> None:
    """An account becomes a customer; what the customer owes is never copied, and yet there to be seen and filtered."""
    account = Person(client).account(name="Virtual O'Neill")
    number = client.dataverse.retrieve("account", account)["new_erpnumber"]
    requests.post(
        f"{endpoints.erp}/control/customers/{account}", json={"balance": "1234.50"}, timeout=10
    ).raise_for_status()

    row = ask(endpoints, f"erpcustomers({account})?$select=number,name,balance").json()
    assert {name: row[name] for name in ("number", "name", "balance")} == {
        "number": number, "name": "Virtual O'Neill", "balance": 1234.5,
    }  # fmt: skip
    owing = ask(endpoints, "erpcustomers?$filter=name eq 'Virtual O''Neill' and balance gt 1000&$count=true&$top=5")
    assert (owing.json()["@odata.count"], owing.json()["value"][0]["erpcustomerid"]) == (1, account)
    assert ask(endpoints, "").json()["@odata.context"] == f"{endpoints.functions}/api/odata/$metadata"


def test_a_person_sees_the_balance_in_dataverse_where_nothing_of_it_is_stored(client: Client) -> None:
    """What is delivered is owed, and seen at once; the registration of the sandbox has made table and data source."""
    person = Person(client)
    account = person.account(name="Seen in Dataverse")
    opportunity, _ = person.opportunity(account, 48_000)
    person.win(opportunity)
    client.erp.ship(opportunity)
    row = client.dataverse.ask("GET", f"new_erpcustomers({account})").json()
    assert (row["new_name"], row["new_balance"]) == ("Seen in Dataverse", 48_000)
    owing = client.dataverse.matching("new_erpcustomers", "startswith(new_name,'Seen in') and new_balance gt 47000.5")
    assert [it["new_erpcustomerid"] for it in owing] == [account]
    fetch = (
        "<fetch count='1'><entity name='new_erporder'><attribute name='new_amount'/>"
        "<order attribute='new_number' descending='true'/></entity></fetch>"
    )
    newest = client.dataverse.ask("GET", "new_erporders", params={"fetchXml": fetch}).json()["value"]
    assert len(newest) == 1


def test_what_goes_wrong_is_said_in_the_trace_log_of_dataverse(client: Client) -> None:
    """The user sees one sentence, the administrator ours, with the reference under which the app has logged it."""
    organisation = next(client.dataverse.rows("organization"))["organizationid"]
    client.dataverse.update("organization", organisation, {"plugintracelogsetting": 1})
    client.erp.add_fault("GET /api/customers", status=503, times=5)
    with pytest.raises(requests.HTTPError, match="Entity could not be retrieved from data source"):
        client.dataverse.matching("new_erpcustomers", "new_name eq 'nobody at all'")
    traced = client.dataverse.matching("plugintracelogs", "primaryentity eq 'new_erpcustomer'")
    assert "not available now" in traced[-1]["exceptiondetails"]
    assert "Reference: " in traced[-1]["exceptiondetails"]


def test_an_erp_that_is_away_is_said_to_be_away(client: Client, endpoints: Endpoints) -> None:
    client.erp.add_fault("GET /api/customers", status=503, times=5)
    away = ask(endpoints, "erpcustomers?$filter=name eq 'nobody'")
    assert away.status_code == 503
    assert "not available" in away.json()["error"]["message"]


def test_nobody_reads_without_the_key_of_the_data_source(endpoints: Endpoints) -> None:
    """Keys of the intake and of support open nothing here."""
    for key in ("", endpoints.operations_key, endpoints.plugin_key):
        refused = ask(endpoints, "erpcustomers", key)
        assert refused.status_code == 401
        assert refused.json()["error"]["code"] == "key-refused"
        assert refused.headers["OData-Version"] == "4.0"


@pytest.fixture
def step(client: Client) -> Iterator[None]:
    """A step on changes of the virtual table, which Dataverse sends to the app as any other event."""

    def one(entity_set: str, condition: str) -> dict[str, Any]:
        return client.dataverse.matching(entity_set, condition)[0]

    endpoint = one("serviceendpoints", "name eq 'integration webhook'")["serviceendpointid"]
    message = one("sdkmessages", "name eq 'OnExternalUpdated'")["sdkmessageid"]
    of_table = one(
        "sdkmessagefilters", f"primaryobjecttypecode eq 'new_erpcustomer' and _sdkmessageid_value eq {message}"
    )
    step_id = str(uuid.uuid4())
    body = {
        "sdkmessageprocessingstepid": step_id, "name": "external", "stage": 40, "mode": 1, "rank": 1,
        "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({endpoint})",
        "sdkmessageid@odata.bind": f"/sdkmessages({message})",
        "sdkmessagefilterid@odata.bind": f"/sdkmessagefilters({of_table['sdkmessagefilterid']})",
    }  # fmt: skip
    client.dataverse.ask("POST", "sdkmessageprocessingsteps", json=body)
    yield
    client.dataverse.ask("DELETE", f"sdkmessageprocessingsteps({step_id})")


def test_a_change_in_the_erp_runs_steps_on_the_virtual_table_and_comes_back_as_an_event(
    client: Client, step: None
) -> None:
    """Once for each state: the ERP says the same three times, which runs nothing a second time."""
    account, began = Person(client).account(name="Runs steps"), datetime.now(UTC)
    client.erp.set_events(copies=2)
    try:
        client.erp.set_customer(account, balance="77.25")
        client.erp.set_customer(account, balance="77.25")
        event_id = eventually(
            lambda: client.app.newest_event("new_erpcustomer", account, since=began), within=20, what="its event"
        )
    finally:
        client.erp.set_events()
    assert client.app.wait_for(str(event_id))["state"] == "no-handler"
    own = eventually(
        lambda: ended(client, "erp.customer", account, 2), within=20, what="the events of the ERP"
    )  # of two changes, each sent twice
    assert any("OnExternalUpdated" in str(it["detail"]) for it in own or [])
    client.dataverse.quiet()
    assert (
        len([it for it in client.dataverse.events() if it["id"] == account and it["message"] == "OnExternalUpdated"])
        == 1
    )


def ended(client: Client, table: str, record: str, number: int) -> list[dict[str, Any]] | None:
    """The events of a record, once there are so many and all have ended."""
    found: list[dict[str, Any]] = client.app.listed("events", table=table, record_id=record)["events"]
    done = [it for it in found if it["state"] not in {"accepted", "processing", "waiting"}]
    return done if len(done) == len(found) >= number else None

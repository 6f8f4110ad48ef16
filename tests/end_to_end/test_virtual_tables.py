"""A virtual table of Dataverse reads what the ERP has, over HTTP, with the key of its data source."""

import pytest
import requests

from sandbox.client import Client
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

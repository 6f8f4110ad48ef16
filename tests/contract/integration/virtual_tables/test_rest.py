"""An ERP that keeps the REST contract filters nothing: the provider does, over a stated number of rows."""

import json
from collections.abc import Iterator

import pytest

from tests.contract.integration.systems.subjects import Rest
from tests.contract.integration.virtual_tables.provider import Provider
from tests.contract.sandbox.systems.stand_in import Start

IDS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 6)]


@pytest.fixture(scope="module")
def rest_provider(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Five customers, of which the last two owe something."""
    system = start("erp", "--db", tmp_path_factory.mktemp("rest-rows") / "erp.db")
    subject = Rest(system)
    with Provider(subject) as provider:
        for number, row_id in enumerate(IDS):
            body = {"name": f"Customer {number % 2}", "kind": "organisation", "status": "active", "sourceVersion": 1,
                    "address": {"city": "Graz" if number else None}}  # fmt: skip
            system.http.put(
                f"{system.url}/api/customers/{row_id}", json=body, timeout=5,
                headers={"X-Api-Key": "erp-sandbox-key", "Idempotency-Key": row_id},
            ).raise_for_status()  # fmt: skip
            if number > 2:
                system.control("POST", f"customers/{row_id}", json={"balance": f"{number}.50"})
        yield provider


def test_its_rows_are_filtered_sorted_paged_and_counted_here(rest_provider: Provider) -> None:
    owing = rest_provider.rows("erpcustomers", {"$filter": "balance gt 0", "$orderby": "balance desc"})
    assert [(row["balance"], row["erpcustomerid"]) for row in owing] == [(4.5, IDS[4]), (3.5, IDS[3])]
    page = json.loads(rest_provider.ask("erpcustomers", {"$top": 2, "$skip": 1, "$count": "true"}).body)
    assert ([row["erpcustomerid"] for row in page["value"]], page["@odata.count"]) == (IDS[1:3], 5)
    assert rest_provider.rows("erpcustomers", {"$filter": "city eq null"})[0]["erpcustomerid"] == IDS[0]
    assert json.loads(rest_provider.ask(f"erpcustomers({IDS[3]})").body)["balance"] == 3.5


def test_a_row_is_read_by_its_key_alone(rest_provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are."""
    monkeypatch.setattr("integration.virtual_tables.reading.MOST_READ", 1)
    assert rest_provider.ask(f"erpcustomers({IDS[2]})").status == 200
    assert rest_provider.ask("erpcustomers", {"$filter": "name eq 'x'"}).status == 501


def test_nothing_is_written_but_by_the_flows(rest_provider: Provider) -> None:
    assert rest_provider.error("erpcustomers", method="POST", body={"name": "x"}) == (405, "not-allowed")
    refused = rest_provider.error(f"erpcustomers({IDS[0]})", method="PATCH", body={"name": "x"})
    assert refused == (400, "row-invalid")

"""Who may do what, how often, and what is answered when the ERP takes too long."""

import asyncio
import json
from typing import Any

import azure.functions as func
import pytest
from pydantic import SecretStr

from integration.operations.audit import Audit
from integration.public_address import PublicAddress
from integration.systems.odata.calls import Row
from integration.systems.odata.listing import Listed, Listing
from integration.transport import CallContext
from integration.virtual_tables import service
from integration.virtual_tables.service import Served, Service
from integration.virtual_tables.sets import erp_customers
from integration.virtual_tables.site import Site
from tests.memory_table import ManualClock, MemoryLedger
from tests.unit.integration.virtual_tables.test_reporting import CUSTOMER, KEY, OneRow

READER, WRITER = "a-key-of-the-reader-1", "a-key-of-the-writer-1"


class Slow(OneRow):
    """An ERP that answers after a while."""

    async def listed(self, kind: str, listing: Listing, *, context: CallContext) -> Listed:  # type: ignore[override]
        await asyncio.sleep(5)
        return await super().listed(kind, listing, context=context)


def site(tables: OneRow, *, most: int = 100, kind: str = "rest-erp") -> Site:
    clock = ManualClock()
    served = erp_customers.entity_set.of(kind)
    assert served is not None
    made = Service([Served.of(served, kind, tables, None)], clock, Audit(MemoryLedger(clock), clock))
    keys = {"reader": [SecretStr(READER)], "writer": [SecretStr(WRITER)]}
    return Site(made, keys, ["writer"], most, PublicAddress(None), clock)


def ask(it: Site, path: str, key: str = READER, *, method: str = "GET", body: bytes = b"", **headers: str) -> Any:
    named = {"x-functions-key": key, **{name.replace("_", "-"): value for name, value in headers.items()}}
    named = {name: value for name, value in named.items() if value}
    url = f"https://app.example/api/odata/{path}"
    params = dict(part.split("=", 1) for part in url.partition("?")[2].split("&") if "=" in part)
    request = func.HttpRequest(method, url, headers=named, params=params, route_params={}, body=body)
    return asyncio.run(it.answer(request))


def code(answer: func.HttpResponse) -> str:
    return str(json.loads(answer.get_body())["error"]["code"])


@pytest.fixture
def one() -> Site:
    return site(OneRow(**CUSTOMER))


def test_a_key_in_the_query_is_taken_and_is_no_option(one: Site) -> None:
    """A data source may send its parameters either way."""
    answer = ask(one, f"erpcustomers({KEY})?code={READER}", "")
    assert answer.status_code == 200
    assert ask(one, "erpcustomers", "").status_code == 401
    assert ask(one, "erpcustomers", "another-key-altogether").status_code == 401


def test_one_request_too_many_in_a_minute_waits_and_others_do_not() -> None:
    it = site(OneRow(**CUSTOMER), most=2)
    statuses = [ask(it, "").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = ask(it, "")
    assert int(refused.headers["Retry-After"]) >= 1
    assert ask(it, "", WRITER).status_code == 200


def test_a_method_may_stand_in_a_header_and_needs_the_same_right(one: Site) -> None:
    """MERGE and PATCH as POST with X-HTTP-Method, which older OData clients send."""
    path = f"erpcustomers({KEY})"
    for method in ("MERGE", "PATCH", "PUT", "DELETE"):
        refused = ask(one, path, method="POST", body=b"{}", X_HTTP_Method=method)
        assert (refused.status_code, code(refused)) == (403, "not-allowed")
    there = ask(one, path, WRITER, method="POST", body=b"{}", X_HTTP_Method="MERGE")
    assert there.status_code == 204
    assert ask(one, path, WRITER, method="PUT", body=b"{}").status_code == 204


def test_an_erp_that_takes_too_long_is_a_504_before_dataverse_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """25 s of the 30 that Dataverse waits."""
    assert service.ANSWERS_WITHIN == 25
    monkeypatch.setattr(service, "ANSWERS_WITHIN", 0.05)
    answer = ask(site(Slow(**CUSTOMER)), f"erpcustomers({KEY})")
    assert (answer.status_code, code(answer)) == (504, "too-slow")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_text_is_never_longer_than_the_metadata_say_and_only_declared_columns_leave() -> None:
    """More than that, Dataverse would refuse to show; what the ERP says besides stays here."""
    long = {**CUSTOMER, "name": "x" * 300, "internalNote": "not for others"}
    row = json.loads(ask(site(OneRow(**long)), f"erpcustomers({KEY})").get_body())
    assert len(row["name"]) == 100
    assert {name for name in row if "@" not in name} == {
        "erpcustomerid", "number", "name", "email", "phone", "city", "currency", "balance", "blocked",
    }  # fmt: skip


@pytest.mark.parametrize("option", ["$count=true", "$inlinecount=allpages"])
def test_the_number_of_rows_comes_by_either_name(option: str) -> None:
    class Many(OneRow):
        async def listed(self, kind: str, listing: Listing, *, context: CallContext) -> Listed:  # type: ignore[override]
            rows: list[Row] = [self.row] if self.row else []
            return Listed(rows, 1 if listing.count else None)

    found = json.loads(ask(site(Many(**CUSTOMER)), f"erpcustomers?$top=5&{option}").get_body())
    assert (found["@odata.count"], len(found["value"])) == (1, 1)

"""Every known difference of the stand-in is on its page, and every one on the page is still there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.sandbox.differences import listed
from tests.contract.sandbox.systems.business_central.test_api import Caller
from tests.contract.sandbox.systems.stand_in import StandIn, Start


@pytest.fixture(scope="module")
def bc(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Caller:
    system: StandIn = start("business_central", "--db", tmp_path_factory.mktemp("differences") / "bc.db")
    return Caller(system)


def no_batch(bc: Caller) -> None:
    answer = bc.system.http.post(f"{bc.root}/$batch", headers={"Authorization": f"Bearer {bc.token}"}, timeout=5)
    assert answer.status_code == 404


def few_options(bc: Caller) -> None:
    for option in ("$search=x", "$apply=x", "$deltatoken=x"):
        assert bc("GET", f"customers?{option}").status_code == 501, option


def few_entities(bc: Caller) -> None:
    for name in ("employees", "vendors", "dimensions", "currencies", "salesQuotes"):
        assert bc("GET", name).status_code == 404, name


def prices_are_the_clients(bc: Caller) -> None:
    assert bc.order()["totalAmountExcludingTax"] == bc.order()["totalAmountExcludingTax"]
    assert "totalAmountIncludingTax" not in bc.order()


def all_is_posted(bc: Caller) -> None:
    order = bc.order()
    assert bc("POST", f"salesOrders({order['id']})/Microsoft.NAV.shipAndInvoice").status_code == 204
    assert bc("GET", f"salesOrders({order['id']})").status_code == 404
    assert bc("POST", f"salesOrders({order['id']})/Microsoft.NAV.ship").status_code == 404


def many_at_once(bc: Caller) -> None:
    """A system that is slow gets ten requests of one user at once."""
    bc.system.fault("GET customers", times=None, delay_ms=100)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: bc("GET", "customers?$top=1").status_code, range(10)))
    bc.system.control("DELETE", "faults")
    assert answers == [200] * 10


def one_company(bc: Caller) -> None:
    answer = bc.system.http.get(f"{bc.root}/companies", headers={"Authorization": f"Bearer {bc.token}"}, timeout=5)
    assert len(answer.json()["value"]) == 1


def everybody_may_do_everything(bc: Caller) -> None:
    assert bc("POST", "customers", {"displayName": "Anybody's"}).status_code == 201


DIFFERENCES: dict[str, Callable[[Caller], None]] = {
    "`$batch`": no_batch,
    "`$search`, `$apply`, delta links": few_options,
    "entities beyond customers, sales orders, items, posted documents and countries": few_entities,
    "prices, discounts and taxes": prices_are_the_clients,
    "partial shipment, shipment without an invoice": all_is_posted,
    "five requests of one user at a time, others wait and are refused in the end": many_at_once,
    "several companies": one_company,
    "permission sets": everybody_may_do_everything,
}


def test_the_page_lists_the_differences_that_are_tried_here() -> None:
    assert listed("sandbox.md", "### Known differences of Business Central") == list(DIFFERENCES)


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_listed_difference_is_there(bc: Caller, difference: str) -> None:
    """When this fails because the stand-in now does it: take the row off the page and out of this list."""
    DIFFERENCES[difference](bc)


def test_an_option_with_a_mistake_is_refused(bc: Caller) -> None:
    """Nothing that a request says is passed over."""
    for option in ("$select=other", "$expand=other", "$top=x", "$filter=other eq 1"):
        assert bc("GET", f"customers?{option}").status_code == 400, option
    order = bc.order()
    assert bc("GET", f"salesOrders({order['id']})?$filter=number eq 'x'").status_code == 501

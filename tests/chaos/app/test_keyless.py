"""The books of an ERP without keys, read for the checker: drafts have no effect, a second order or line is seen."""

from typing import Any
from uuid import UUID

import pytest

from integration.systems.odata.keys import number_of, reference_of
from tests.books.history import History
from tests.books.keyless import drafts, translated
from tests.chaos.app.checker import violations

ACCOUNT, WON = "a0000000-0000-4000-8000-000000000000", "f0000000-0000-4000-8000-000000000000"
NUMBER = number_of(ACCOUNT, "CRM-")


def effect(kind: str, row_id: str, number: str, /, **body: Any) -> dict[str, Any]:
    return {"kind": kind, "id": row_id, "number": number, "body": body}


def order(kind: str, number: str) -> dict[str, Any]:
    header = {"externalDocumentNumber": reference_of(WON), "customerNumber": NUMBER, "currencyCode": ""}
    return effect(kind, number, number, **header, orderDate="2026-11-27")


def line(number: str, line_id: str, quantity: int = 1) -> dict[str, Any]:
    return effect("order-line-created", line_id, number, description="Deal", unitPrice=4200.5, quantity=quantity)


def history(*effects: dict[str, Any]) -> History:
    customer = {"number": NUMBER, "displayName": "North", "phoneNumber": "", "currencyCode": "", "blocked": "_x0020_"}
    made = History(1)
    made.rows = {f"account:{ACCOUNT}": None}
    made.effects = [effect("customer-created", "c", NUMBER, **customer), *effects]
    return made


def broken(it: History) -> set[str]:
    return {found.promise for found in violations(it)} & {"done twice"}


def test_a_customer_and_an_order_have_the_ids_of_their_rows() -> None:
    found = translated("business-central", history(order("order-created", "S-1"), line("S-1", "l1"))).effects
    assert [(it["kind"], it["id"]) for it in found] == [
        ("customer-created", ACCOUNT),
        ("order-created", str(UUID(WON))),
    ]
    body = found[1]["body"]
    assert (body["amount"], body["status"], body["customerId"], body["currency"]) == (
        "4200.5",
        "confirmed",
        ACCOUNT,
        "EUR",
    )


def test_a_draft_that_was_removed_has_no_effect() -> None:
    surplus = [order("order-created", "S-1"), order("order-created", "S-2"), order("order-deleted", "S-2")]
    it = history(*surplus, line("S-1", "l1"))
    assert drafts(it.effects) == (2, 0)
    assert broken(translated("business-central", it)) == set()


@pytest.mark.parametrize(
    "twice",
    [
        [order("order-created", "S-1"), line("S-1", "l1"), order("order-created", "S-2"), line("S-2", "l2")],
        [order("order-created", "S-1"), line("S-1", "l1"), line("S-1", "l2")],
    ],
    ids=["two orders", "two lines"],
)
def test_what_counts_an_amount_twice_is_done_twice(twice: list[dict[str, Any]]) -> None:
    assert broken(translated("business-central", history(*twice))) == {"done twice"}


def test_the_books_of_the_rest_contract_are_read_as_they_are() -> None:
    it = history()
    before = list(it.effects)
    assert translated("rest", it).effects == before

"""The rules of one company: numbers, blocked customers, released orders, and posting, which removes an order."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from sandbox.systems.business_central.errors import bad_request, dialog, not_found
from sandbox.systems.business_central.fields import BLANK, CUSTOMERS, LINES, ORDERS, ZERO_ID
from sandbox.systems.business_central.rows import Rows, check_etag

_COUNTRIES = {"AT": "Austria", "CH": "Switzerland", "DE": "Germany", "GB": "Great Britain", "US": "USA"}
_CURRENCIES = {"USD", "GBP", "CHF", "SEK"}
_LINE_TYPES = {"Comment", "Account", "Item", "Resource", "Fixed Asset", "Charge"}
_STEP = 10_000


@dataclass(slots=True)
class Setup:
    """What people set up: whether customers take numbers of their own ("Manual Nos."), and the local currency."""

    manual_numbers: bool = True
    local_currency: str = "EUR"


class Company:
    """Customers, sales orders, and their posted documents; callers hold the transaction."""

    def __init__(self, database: sqlite3.Connection, setup: Setup) -> None:
        self.rows = Rows(database)
        self.setup = setup

    def countries(self) -> list[dict[str, Any]]:
        """The countries that a customer may be in."""
        return [{"code": code, "displayName": name} for code, name in _COUNTRIES.items()]

    def create_customer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Create a customer, with the number that was sent where the series allows it, else with the next one."""
        given = CUSTOMERS.taken(body)
        if not given.get("displayName"):
            raise bad_request("The field displayName must be filled in.", "Application_FieldValidationException")
        self._check_customer(given)
        if given.get("number") and not self.setup.manual_numbers:
            raise dialog(
                "You may not enter numbers manually. If you want to enter numbers manually, please activate Manual "
                "Nos. in No. Series CUST."
            )
        number = given.get("number") or self.rows.next_number("customers")
        return self.rows.insert("customers", CUSTOMERS.defaults | given | {"number": number})

    def update_customer(self, row_id: str, body: dict[str, Any], if_match: str | None) -> dict[str, Any]:
        """Change a customer; another number renames it."""
        given = CUSTOMERS.taken(body)
        self._check_customer(given)
        return self.rows.update("customers", row_id, given, if_match=if_match)

    def create_order(self, body: dict[str, Any]) -> dict[str, Any]:
        """A draft; `salesOrderLines` in the body are inserted with it. Neither id nor number is the client's."""
        lines = body.pop("salesOrderLines", [])
        given = ORDERS.taken(body)
        header = ORDERS.defaults | given | self._customer_of(given) | {"number": self.rows.next_number("salesOrders")}
        self._check_currency(header)
        created = self.rows.insert("salesOrders", header)
        for line in lines:
            self.create_line(created["id"], line)
        return self.rows.get("salesOrders", created["id"])

    def update_order(self, row_id: str, body: dict[str, Any], if_match: str | None) -> dict[str, Any]:
        """Change a header while it is a draft."""
        given = ORDERS.taken(body)
        check_etag(self.rows.get("salesOrders", row_id), if_match)
        self._draft(row_id)
        if "customerNumber" in given or "customerId" in given:
            given |= self._customer_of(given)
        self._check_currency(given)
        return self.rows.update("salesOrders", row_id, given, if_match=if_match)

    def delete_order(self, row_id: str, if_match: str | None) -> None:
        """Delete a draft with its lines."""
        check_etag(self.rows.get("salesOrders", row_id), if_match)
        self._draft(row_id)
        for line in self.lines(row_id):
            self.rows.delete("salesOrderLines", line["id"], if_match="*")
        self.rows.delete("salesOrders", row_id, if_match="*")

    def lines(self, order_id: str) -> list[dict[str, Any]]:
        """The lines of an order."""
        return sorted(self.rows.all("salesOrderLines", order_id), key=lambda line: line["sequence"])

    def create_line(self, order_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create a line with the sequence that was sent, which must be free, or after the last one."""
        self._draft(order_id)
        given = LINES.taken(body)
        taken = [line["sequence"] for line in self.lines(order_id)]
        sequence = given.get("sequence") or max(taken, default=0) + _STEP
        if sequence in taken:
            raise dialog(f"You cannot use the sequence {sequence}, because a line already exists.")
        _check_line(given)
        line = LINES.defaults | given | {"documentId": order_id, "sequence": sequence}
        created = self.rows.insert("salesOrderLines", _with_amount(line), parent=order_id)
        self._sum(order_id)
        return created

    def update_line(self, line_id: str, body: dict[str, Any], if_match: str | None) -> dict[str, Any]:
        """Change a line while its order is a draft; its order and its sequence stay."""
        line = self.rows.get("salesOrderLines", line_id)
        check_etag(line, if_match)
        self._draft(line["documentId"])
        given = LINES.taken(body)
        if {"documentId", "sequence"} & given.keys():
            raise dialog("You cannot change the document or the sequence of a line.")
        _check_line(line | given)
        changed = _with_amount(line | given)
        changes = {name: value for name, value in changed.items() if name in LINES.defaults}
        updated = self.rows.update("salesOrderLines", line_id, changes, if_match=if_match)
        self._sum(line["documentId"])
        return updated

    def release(self, order_id: str) -> None:
        """A person releases an order (API v2.0 cannot); refused where no line has a quantity."""
        if not any(line["quantity"] for line in self.lines(order_id) if line["lineType"] != "Comment"):
            number = self.rows.get("salesOrders", order_id)["number"]
            raise dialog(f"There is nothing to release for the document of type Order with the number {number}.")
        self.rows.update("salesOrders", order_id, {"status": "Open"}, if_match="*")

    def reopen(self, order_id: str) -> None:
        """A person takes the release back."""
        self.rows.update("salesOrders", order_id, {"status": "Draft"}, if_match="*")

    def post(self, order_id: str) -> None:
        """Ship and invoice all of an order: shipment and invoice stay, the order is deleted."""
        order = self.rows.get("salesOrders", order_id)
        if order["status"] == "Draft":
            self.release(order_id)
        posted = {name: order[name] for name in ("externalDocumentNumber", "customerNumber", "currencyCode")}
        posted |= {name: order[name] for name in ("totalAmountExcludingTax",)}
        posted |= {"orderId": order_id, "orderNumber": order["number"]}
        for kind in ("salesShipments", "salesInvoices"):
            self.rows.insert(kind, posted | {"number": self.rows.next_number(kind)})
        for line in self.lines(order_id):
            self.rows.delete("salesOrderLines", line["id"], if_match="*")
        self.rows.delete("salesOrders", order_id, if_match="*")

    def _draft(self, order_id: str) -> None:
        order = self.rows.get("salesOrders", order_id)
        if order["status"] != "Draft":
            said = f"Status must be equal to 'Open' in Sales Header: Document Type=Order, No.={order['number']}. "
            raise dialog(said + "Current value is 'Released'.")

    def _customer_of(self, given: dict[str, Any]) -> dict[str, Any]:
        number = given.get("customerNumber")
        if number:
            found = self.rows.by_number("customers", number)
        elif given.get("customerId", ZERO_ID) != ZERO_ID:
            found = self.rows.get("customers", given["customerId"])
        else:
            raise dialog('The "customerNumber" or the "customerId" must be provided.')
        if found is None:
            raise dialog('The "customerNumber" does not match to a Customer.')
        if found["blocked"] != BLANK:
            said = f"You cannot create this type of document when Customer {found['number']} is blocked with type "
            raise dialog(said + found["blocked"])
        return {"customerId": found["id"], "customerNumber": found["number"], "customerName": found["displayName"]}

    def _sum(self, order_id: str) -> None:
        total = sum(line["amountExcludingTax"] for line in self.lines(order_id))
        self.rows.update("salesOrders", order_id, {"totalAmountExcludingTax": total}, if_match="*")

    def _check_customer(self, given: dict[str, Any]) -> None:
        if given.get("country") and given["country"] not in _COUNTRIES:
            said = "The field Country/Region Code contains a value that cannot be found in the related table."
            raise bad_request(said, "Internal_InvalidTableRelation")
        if given.get("blocked", BLANK) not in {BLANK, "Ship", "Invoice", "All"}:
            raise bad_request("The value of 'blocked' is not a member of the enumeration.")
        self._check_currency(given)

    def _check_currency(self, given: dict[str, Any]) -> None:
        """The local currency is stored blank."""
        code = given.get("currencyCode")
        if code == self.setup.local_currency:
            given["currencyCode"] = ""
        elif code and code not in _CURRENCIES:
            raise dialog('The "currencyCode" does not match to a Currency.')


def _check_line(given: dict[str, Any]) -> None:
    if given.get("lineType", "Item") not in _LINE_TYPES:
        raise bad_request("The value of 'lineType' is not a member of the enumeration.")
    if given.get("lineType") != "Comment" and not given.get("lineObjectNumber"):
        raise dialog("The line has no item and no account.")


def _with_amount(line: dict[str, Any]) -> dict[str, Any]:
    return line | {"amountExcludingTax": round(line["quantity"] * line["unitPrice"], 2)}


def order_by_number(company: Company, number: str) -> str:
    """The id of the order with this number; 404 where there is none."""
    found = company.rows.by_number("salesOrders", number)
    if found is None:
        raise not_found()
    return str(found["id"])


def order_of(company: Company, opportunity_id: str) -> dict[str, Any]:
    """The order that carries an opportunity's id as its external document number; 404 where there is none."""
    reference = opportunity_id.replace("-", "").upper()
    for order in company.rows.all("salesOrders"):
        if order["externalDocumentNumber"] == reference:
            return order
    raise not_found()

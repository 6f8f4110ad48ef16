"""The rules of a company: number sequences, customers on hold, closed periods, orders that people have gone on with."""

import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.systems.finance_operations.errors import FinanceOperationsError, refused, unknown_value
from sandbox.systems.finance_operations.fields import CUSTOMERS, INVOICES, LINES, ORDERS, Entity
from sandbox.systems.finance_operations.rows import Rows, check

COMPANIES = ("usmf", "demf")
"""The legal entities; the first is the default company of the app's user."""
_GROUPS = {"10", "20", "30"}
_CURRENCIES = {"EUR", "USD", "GBP", "CHF", "SEK"}
_ITEMS = {"S0001", "S0002"}
"""Service items, which need neither site nor warehouse."""
_STOCKED = {"D0001"}
_COUNTRIES = {"AUT": ("AT", "Austria"), "CHE": ("CH", "Switzerland"), "DEU": ("DE", "Germany"),
              "GBR": ("GB", "United Kingdom"), "USA": ("US", "United States")}  # fmt: skip

Numbers = Literal["automatic", "manual"]


@dataclass(slots=True)
class Setup:
    """What people set up: number sequences that allow manual numbers or not, and up to which day periods are closed."""

    customer_numbers: Numbers = "manual"
    order_numbers: Numbers = "automatic"
    closed_until: str = ""


class Company:
    """Customers and sales orders of all companies; callers hold the transaction."""

    def __init__(self, database: sqlite3.Connection, setup: Setup) -> None:
        self.rows = Rows(database)
        self.setup = setup

    def shared(self, kind: str) -> list[dict[str, Any]]:
        """The rows of an entity that belong to no company."""
        if kind == "AddressCountryRegions":
            return [{"CountryRegion": code, "ISOcode": iso} for code, (iso, _) in _COUNTRIES.items()]
        return [
            {"CountryRegionId": code, "LanguageId": "en-US", "ShortName": name, "LongName": name}
            for code, (_, name) in _COUNTRIES.items()
        ]

    def create_customer(self, company: str, body: dict[str, Any]) -> dict[str, Any]:
        """The account number is mandatory; where the number sequence does not allow manual ones, none is good."""
        given = CUSTOMERS.taken(body)
        for name in ("CustomerAccount", "CustomerGroupId", "SalesCurrencyCode"):
            if not given.get(name):
                raise refused(CUSTOMERS.name, f"Warning: Field '{name}' must be filled in.")
        if not given.get("OrganizationName" if given.get("PartyType") != "Person" else "PersonLastName"):
            raise refused(CUSTOMERS.name, "Warning: Field 'Name' must be filled in.")
        if self.setup.customer_numbers == "automatic":
            raise _not_manual(CUSTOMERS, "Customer account")
        self._check_customer(given)
        party = self.rows.next_of("parties", "{:09d}")
        return self.rows.insert("CustomersV3", company, CUSTOMERS.defaults | given | {"PartyNumber": party})

    def update_customer(self, company: str, key: str, body: dict[str, Any], if_match: str | None) -> None:
        """Change a customer; its account number and the type of its party stay."""
        given = CUSTOMERS.taken(body)
        if {"CustomerAccount", "PartyType"} & given.keys():
            raise refused(CUSTOMERS.name, "Error: The field cannot be edited.")
        self._check_customer(given)
        self.rows.update("CustomersV3", company, key, given, if_match=if_match)

    def create_order(self, company: str, body: dict[str, Any]) -> dict[str, Any]:
        """A header; its number is the client's where the sequence is manual, else the sequence gives one."""
        given = ORDERS.taken(body)
        manual = self.setup.order_numbers == "manual"
        if given.get("SalesOrderNumber") and not manual:
            raise _not_manual(ORDERS, "Sales order")
        if manual and not given.get("SalesOrderNumber"):
            raise refused(ORDERS.name, "Warning: Field 'Sales order' must be filled in.")
        if not given.get("RequestedShippingDate"):
            raise refused(ORDERS.name, "Warning: Field 'Requested ship date' must be filled in.")
        self._check_order(company, given)
        number = given.get("SalesOrderNumber") or self.rows.next_of(f"orders {company}", "SO-{:06d}")
        return self.rows.insert("SalesOrderHeadersV2", company, ORDERS.defaults | given | {"SalesOrderNumber": number})

    def update_order(self, company: str, key: str, body: dict[str, Any], if_match: str | None) -> None:
        """Change a header while the order is open."""
        given = ORDERS.taken(body)
        check(self.rows.get("SalesOrderHeadersV2", company, key), if_match)
        self._open(company, key, ORDERS)
        if given.get("SalesOrderNumber", key) != key:
            raise refused(ORDERS.name, "Error: The field Sales order cannot be edited.")
        self._check_order(company, given)
        self.rows.update("SalesOrderHeadersV2", company, key, given, if_match=if_match)

    def delete_order(self, company: str, key: str, if_match: str | None) -> None:
        """Delete an order with its lines, while it is open."""
        check(self.rows.get("SalesOrderHeadersV2", company, key), if_match)
        self._open(company, key, ORDERS)
        for line in self.lines(company, key):
            self.rows.delete("SalesOrderLines", company, line["InventoryLotId"], if_match=None)
        self.rows.delete("SalesOrderHeadersV2", company, key, if_match=None)

    def lines(self, company: str, number: str) -> list[dict[str, Any]]:
        """The lines of an order."""
        return [line for line in self.rows.all("SalesOrderLines", company) if line["SalesOrderNumber"] == number]

    def create_line(self, company: str, body: dict[str, Any]) -> dict[str, Any]:
        """A line under a lot id of the number sequence; nothing else about it is unique."""
        given = LINES.taken(body)
        number = str(given.get("SalesOrderNumber", ""))
        if self.rows.look("SalesOrderHeadersV2", company, number) is None:
            raise unknown_value(LINES.name, number, "Sales order", "Sales orders")
        if given.get("InventoryLotId"):
            raise _not_manual(LINES, "Lot ID")
        self._open(company, number, LINES)
        _check_line(LINES.defaults | given)
        lot = self.rows.next_of("lots", "{:06d}")
        line = LINES.defaults | given | {"InventoryLotId": lot}
        return self.rows.insert("SalesOrderLines", company, _with_amount(line))

    def update_line(self, company: str, key: str, body: dict[str, Any], if_match: str | None) -> None:
        """Change a line while its order is open; its order stays."""
        row = self.rows.get("SalesOrderLines", company, key)
        check(row, if_match)
        self._open(company, row["SalesOrderNumber"], LINES)
        given = LINES.taken(body)
        if {"SalesOrderNumber", "InventoryLotId"} & given.keys():
            raise refused(LINES.name, "Error: The field cannot be edited.")
        changed = {name: row[name] for name in LINES.defaults} | given
        _check_line(changed)
        self.rows.update("SalesOrderLines", company, key, _with_amount(changed), if_match=if_match)

    def orders_of(self, reference: str, company: str) -> list[dict[str, Any]]:
        """The orders that carry this reference of the customer's."""
        rows = self.rows.all("SalesOrderHeadersV2", company)
        return [row for row in rows if row["CustomersOrderReference"] == reference]

    def advance(self, company: str, number: str, act: str) -> None:
        """What people do: confirm, deliver, invoice or cancel an order, or delete the header of an invoiced one."""
        row = self.rows.get("SalesOrderHeadersV2", company, number)
        if act == "purge":
            for line in self.lines(company, number):
                self.rows.delete("SalesOrderLines", company, line["InventoryLotId"], if_match=None)
            self.rows.delete("SalesOrderHeadersV2", company, number, if_match=None)
            return
        if row["IsSalesProcessingStopped"] == "Yes" and act != "cancel":
            raise refused(ORDERS.name, f"Error: Processing of sales order {number} is stopped.")
        if not self.lines(company, number):
            raise refused(ORDERS.name, f"Error: Sales order {number} has no lines.")
        changes = {
            "confirm": {"SalesOrderProcessingStatus": "Confirmed"},
            "deliver": {"SalesOrderStatus": "Delivered", "SalesOrderProcessingStatus": "Delivered"},
            "invoice": {"SalesOrderStatus": "Invoiced", "SalesOrderProcessingStatus": "Invoiced"},
            "cancel": {"SalesOrderStatus": "Canceled", "SalesOrderProcessingStatus": "Cancelled"},
            "reopen": {"SalesOrderStatus": "Backorder", "SalesOrderProcessingStatus": "Active"},
        }[act]
        if act == "invoice":
            self._invoice(company, row)
        self.rows.update("SalesOrderHeadersV2", company, number, changes, if_match=None)

    def _invoice(self, company: str, order: dict[str, Any]) -> None:
        number = str(order["SalesOrderNumber"])
        invoice = {
            "InvoiceNumber": self.rows.next_of(f"invoices {company}", "CIV-{:06d}"),
            "SalesOrderNumber": number,
            "CustomersOrderReference": order["CustomersOrderReference"],
            "TotalInvoiceAmount": sum(line["LineAmount"] for line in self.lines(company, number)),
        }
        self.rows.insert("SalesInvoiceHeadersV2", company, INVOICES.defaults | invoice)

    def _open(self, company: str, number: str, entity: Entity) -> None:
        order = self.rows.get("SalesOrderHeadersV2", company, number)
        if order["SalesOrderProcessingStatus"] != "Active":
            state = order["SalesOrderProcessingStatus"]
            raise refused(entity.name, f"Error: Sales order {number} cannot be edited: its status is {state}.")

    def _check_customer(self, given: dict[str, Any]) -> None:
        if given.get("CustomerGroupId", "10") not in _GROUPS:
            raise unknown_value(CUSTOMERS.name, given["CustomerGroupId"], "Customer group", "Customer groups")
        if given.get("SalesCurrencyCode", "EUR") not in _CURRENCIES:
            raise unknown_value(CUSTOMERS.name, given["SalesCurrencyCode"], "Currency", "Currencies")
        country = given.get("AddressCountryRegionId")
        if country and country not in _COUNTRIES:
            raise unknown_value(CUSTOMERS.name, country, "Country/region", "Address country/region")

    def _check_order(self, company: str, given: dict[str, Any]) -> None:
        for name, label in (
            ("OrderingCustomerAccountNumber", "Customer account"),
            ("InvoiceCustomerAccountNumber", "Invoice account"),
        ):
            if name in given:
                self._check_account(company, given[name], label)
        if given.get("CurrencyCode", "EUR") not in _CURRENCIES:
            raise unknown_value(ORDERS.name, given["CurrencyCode"], "Currency", "Currencies")
        day = given.get("RequestedShippingDate", "")[:10]
        if day and day <= self.setup.closed_until:
            raise refused(ORDERS.name, f"Error: The fiscal period for {day} is not open.")

    def _check_account(self, company: str, account: str, label: str) -> None:
        found = self.rows.look("CustomersV3", company, account)
        if found is None:
            raise unknown_value(ORDERS.name, account, label, "Customers")
        if found["OnHoldStatus"] == "All":
            raise refused(ORDERS.name, f"Error: Customer {account} is on hold for 'All'.")


def _not_manual(entity: Entity, what: str) -> FinanceOperationsError:
    return refused(entity.name, f"Error: The number sequence for {what} does not allow manual numbers.")


def _check_line(line: dict[str, Any]) -> None:
    if line["ItemNumber"] not in _ITEMS | _STOCKED:
        raise unknown_value(LINES.name, line["ItemNumber"], "Item number", "Released products")
    if line["ItemNumber"] in _STOCKED and not line["ShippingSiteId"]:
        said = "Warning: Inventory dimension Site is mandatory and must consequently be specified."
        raise refused(LINES.name, said, "Error: Update has been canceled.")


def _with_amount(line: dict[str, Any]) -> dict[str, Any]:
    return line | {"LineAmount": round(line["OrderedSalesQuantity"] * line["SalesPrice"], 2)}

"""Which Dataverse column becomes which ERP field. The one place to look, and to change.

Left: what the ERP wants. Right: where it stands in the row. `COLUMNS` are what is read of each table.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from integration.dataverse import Row
from integration.errors import Permanent
from integration.events import Lookup
from integration.systems import Address, Customer, Order

ENTITY_SETS = {
    "account": "accounts",
    "contact": "contacts",
    "opportunity": "opportunities",
}

_CUSTOMER = (
    "emailaddress1",
    "telephone1",
    "address1_line1",
    "address1_postalcode",
    "address1_city",
    "address1_country",
    "statecode",
)
COLUMNS = {
    "account": ("name", *_CUSTOMER),
    "contact": ("fullname", *_CUSTOMER),
    "opportunity": (
        "name",
        "estimatedvalue",
        "actualvalue",
        "actualclosedate",
        "_customerid_value",
        "statecode",
    ),
}

_SYNC_RESULTS = ("erpnumber", "syncstatus", "syncedon", "syncmessage")
RESULTS = {
    "account": _SYNC_RESULTS,
    "contact": _SYNC_RESULTS,
    "opportunity": (*_SYNC_RESULTS, "creditscore", "creditdecision", "creditscoredon"),
}
"""What is written back to each table, without the publisher's prefix (docs/how-to/connect-dataverse.md)."""

OPEN, WON = 0, 1
_CENT = Decimal("0.01")
ACTIVE = 0


def result_columns(prefix: str) -> dict[str, frozenset[str]]:
    """The columns that this app writes, by table."""
    return {table: frozenset(f"{prefix}_{name}" for name in names) for table, names in RESULTS.items()}


def customer(table: str, row: Row) -> Customer:
    """An account or contact as ERP customer; a deactivated one is blocked there, as its postings must stay."""
    return Customer(
        name=_text(row, "name" if table == "account" else "fullname") or "(no name)",
        kind="organisation" if table == "account" else "person",
        email=_text(row, "emailaddress1"),
        phone=_text(row, "telephone1"),
        currency=row.currency,
        address=Address(
            line1=_text(row, "address1_line1"),
            postal_code=_text(row, "address1_postalcode"),
            city=_text(row, "address1_city"),
            country=_text(row, "address1_country"),
        ),
        status="active" if _integer(row, "statecode") == ACTIVE else "blocked",
        source_version=version_of(row),
    )


@dataclass(frozen=True, slots=True)
class Opportunity:
    """What is decided on; `amount` is the estimated value, once closed the actual one."""

    title: str
    amount: Decimal | None
    currency: str | None
    customer: Lookup | None
    state: int
    closed_on: date | None
    version: int


def opportunity(row: Row) -> Opportunity:
    """Read an opportunity."""
    state = _integer(row, "statecode")
    estimated, actual = _amount(row, "estimatedvalue"), _amount(row, "actualvalue")
    return Opportunity(
        title=_text(row, "name") or "(no name)",
        amount=actual if state == WON and actual is not None else estimated,
        currency=row.currency,
        customer=row.lookups.get("customerid"),
        state=OPEN if state is None else state,
        closed_on=_date(_text(row, "actualclosedate")),
        version=version_of(row),
    )


def order(it: Opportunity) -> tuple[Order, Lookup]:
    """A won opportunity as ERP order, and the customer it is for. Raises `Permanent` as `complete` does."""
    customer, amount, currency = complete(it)
    wanted = Order(
        customer_id=customer.id,
        title=it.title,
        amount=amount,
        currency=currency,
        closed_on=it.closed_on,
        status="confirmed",
        source_version=it.version,
    )
    return wanted, customer


def complete(it: Opportunity) -> tuple[Lookup, Decimal, str]:
    """Customer, amount and currency; raises `Permanent` (row-incomplete) that names what is missing."""
    if it.customer is None or it.amount is None or it.currency is None:
        parts = {"customerid": it.customer, "estimatedvalue": it.amount, "transactioncurrencyid": it.currency}
        missing = ", ".join(name for name, value in parts.items() if value is None)
        raise Permanent(f"the opportunity lacks {missing}: fill in, then resubmit", reason="row-incomplete")
    return it.customer, it.amount, it.currency


def version_of(row: Row) -> int:
    """The row's version; raises `Permanent` where Dataverse gives none, as order could not be kept without it."""
    if row.version is None:
        raise Permanent(f"rows of {row.entity_set} come without versionnumber", reason="row-without-version")
    return row.version


def _text(row: Row, column: str) -> str | None:
    value = row.values.get(column)
    return value if isinstance(value, str) and value else None


def _integer(row: Row, column: str) -> int | None:
    value = row.values.get(column)
    return value if isinstance(value, int) else None


def _amount(row: Row, column: str) -> Decimal | None:
    """An amount with two decimals, or as many as it needs: 100, 100.0 and 100.0000 are the same."""
    value = row.values.get(column)
    if not isinstance(value, int | Decimal):
        return None
    amount = Decimal(value).normalize()
    return amount.quantize(_CENT) if int(amount.as_tuple().exponent) > -2 else amount


def _date(value: str | None) -> date | None:
    return None if value is None else datetime.fromisoformat(value).date()

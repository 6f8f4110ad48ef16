"""Columns that the platform computes: full names, and amounts in the organisation's currency."""

from decimal import Decimal

from sandbox.systems.dataverse.schema import Table
from sandbox.systems.dataverse.store import Store, Values

BASE_DIGITS = Decimal("0.0001")


def derived_columns(table: Table, whole: Values, sent: Values, store: Store) -> Values:
    """What follows from the columns in `sent`; `whole` is the row with them applied."""
    derived: Values = {}
    if "fullname" in table.columns and {"firstname", "lastname"} & sent.keys():
        names = [whole.get("firstname"), whole.get("lastname")]
        derived["fullname"] = " ".join(name for name in names if name) or None
    if table.name == "serviceendpoint":
        derived |= {
            f"is{secret}set": bool(sent[secret]) for secret in ("authvalue", "saskey", "sastoken") if secret in sent
        }
    if table.name == "transactioncurrency":  # its own id is no lookup
        return derived
    amounts = [name for name in sent if f"{name}_base" in table.columns]
    if "transactioncurrencyid" in sent:
        amounts = [name for name in table.columns if f"{name}_base" in table.columns and whole.get(name) is not None]
    if amounts or "transactioncurrencyid" in sent:
        derived |= _in_base_currency(whole, amounts, store)
    return derived


def _in_base_currency(whole: Values, amounts: list[str], store: Store) -> Values:
    currency = whole.get("transactioncurrencyid") or _base_currency(store)
    if currency is None:
        return {}
    row = store.get("transactioncurrency", currency["id"])
    if row is None:
        return {}
    rate = row.values["exchangerate"]
    derived: Values = {"transactioncurrencyid": currency, "exchangerate": rate}
    for name in amounts:
        amount = whole[name]
        base = None if amount is None else format((Decimal(amount) / Decimal(rate)).quantize(BASE_DIGITS), "f")
        derived[f"{name}_base"] = base
    return derived


def _base_currency(store: Store) -> dict[str, str] | None:
    for organisation in store.rows("organization"):
        currency: dict[str, str] | None = organisation.values.get("basecurrencyid")
        return currency
    return None

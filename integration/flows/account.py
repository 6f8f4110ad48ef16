"""Accounts: the ERP has each as a customer, an organisation."""

from integration.flow import Flow, lookup, text
from integration.flows._erp_customers import ERP_NUMBER, CustomerColumns, keep_in_erp
from integration.systems import Customer


class Account(CustomerColumns):
    """What is read of an account."""

    name = text("name", default="(no name)")
    account_number = text("accountnumber")
    master = lookup("masterid", to=("account",))


flow = Flow(
    Account,
    table="account",
    entity_set="accounts",
    messages=("Create", "Update", "Delete", "Merge"),
    results=(ERP_NUMBER,),
    also_fired_by=("statuscode",),
    change_tracking=True,
)


def customer(row: Account) -> Customer:
    """An account as ERP customer."""
    return row.as_customer(row.name, "organisation")


keep_in_erp(flow, customer)

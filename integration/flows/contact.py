"""Contacts: the ERP has each as a customer, a person."""

from integration.flow import Flow, lookup, text
from integration.flows._erp_customers import ERP_NUMBER, CustomerColumns, keep_in_erp
from integration.systems import Customer


class Contact(CustomerColumns):
    """What is read of a contact."""

    name = text("fullname", default="(no name)").also_fired_by("firstname", "lastname")
    master = lookup("masterid", to=("contact",))


flow = Flow(
    Contact,
    table="contact",
    entity_set="contacts",
    messages=("Create", "Update", "Delete", "Merge"),
    results=(ERP_NUMBER,),
    also_fired_by=("statuscode",),
    change_tracking=True,
)


def customer(row: Contact) -> Customer:
    """A contact as ERP customer."""
    return row.as_customer(row.name, "person")


keep_in_erp(flow, customer)

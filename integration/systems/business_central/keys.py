"""The keys that are made of Dataverse ids: what a client may set in Business Central, and finds again."""

import base64
import hashlib
from uuid import UUID

from integration.errors import Permanent

_NUMBER_LENGTH = 20
"""Characters of a customer's number, a Code[20]; code fields are stored in upper case."""


def customer_number(customer_id: str, prefix: str) -> str:
    """The number of the customer of an account or contact: the prefix, and 80 bits of a hash of the id.

    An id does not fit into twenty characters. Among a million customers, two have the same number with a chance of
    one in 10^12.
    """
    digest = hashlib.sha256(_id(customer_id).bytes).digest()
    return (prefix.upper() + base64.b32encode(digest[:10]).decode())[:_NUMBER_LENGTH]


def order_reference(order_id: str) -> str:
    """What an order carries as its external document number (a Code[35]): the id without dashes, in upper case."""
    return _id(order_id).hex.upper()


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Permanent("The record id is not a GUID", reason="record-id-invalid") from None

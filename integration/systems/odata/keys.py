"""The keys that are made of Dataverse ids: what a client may set in a system, and finds again."""

import base64
import hashlib
from uuid import UUID

from integration.errors import Permanent

_NUMBER_LENGTH = 20
"""Characters of a number: a Code[20] in Business Central, an account number or order number in Finance & Operations."""


def number_of(record_id: str, prefix: str) -> str:
    """A number for a record: the prefix, and 80 bits of a hash of the id, in upper case.

    An id does not fit into twenty characters. Among a million records, two have the same number with a chance of one
    in 10^12.
    """
    digest = hashlib.sha256(_id(record_id).bytes).digest()
    return (prefix.upper() + base64.b32encode(digest[:10]).decode())[:_NUMBER_LENGTH]


def reference_of(record_id: str) -> str:
    """What a row carries as a reference to a record: the id without dashes, in upper case."""
    return _id(record_id).hex.upper()


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Permanent("The record id is not a GUID", reason="record-id-invalid") from None

"""What differs from one company in Business Central to the next."""

from dataclasses import dataclass
from typing import Literal

from integration.systems.messages import MatchKey


@dataclass(frozen=True, slots=True)
class Options:
    """How customers and orders are made in one company.

    `local_currency` is the company's own (ISO 4217), which Business Central stores blank. `line_type` and `line_number`
    name what the one line of an order sells: a G/L account or an item. `number_prefix` begins the numbers of customers
    that come from Dataverse, so that they clash with no others. A request may still be at work for `unknown_seconds`
    after its answer was lost: Business Central ends operations after 8 minutes ("Operational limits", 408).
    `match_by` are the keys by which a customer is looked for that may have been there before.
    """

    local_currency: str
    line_number: str
    line_type: Literal["Account", "Item"] = "Account"
    number_prefix: str = "CRM-"
    unknown_seconds: float = 600.0
    match_by: tuple[MatchKey, ...] = ()

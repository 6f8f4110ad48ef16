"""What differs from one legal entity in Finance & Operations to the next."""

from dataclasses import dataclass
from typing import Literal

from integration.systems.messages import MatchKey


@dataclass(frozen=True, slots=True)
class Options:
    """How customers and orders are made in one legal entity.

    `customer_group` and `local_currency` (ISO 4217) are what a new customer gets. `item_number` is what the one line of
    an order sells, from `site` and `warehouse` where these are not empty. `order_numbers` says who numbers orders: the
    app (`manual`: the number sequence has to allow it) or the number sequence (`automatic`). `number_prefix` begins the
    numbers that the app sets, so that they clash with no others. A request may still be at work for `unknown_seconds`
    after its answer was lost.
    `match_by` are the keys by which a customer is looked for that may have been there before.
    """

    customer_group: str
    local_currency: str
    item_number: str
    site: str = ""
    warehouse: str = ""
    order_numbers: Literal["automatic", "manual"] = "automatic"
    number_prefix: str = "CRM-"
    unknown_seconds: float = 600.0
    match_by: tuple[MatchKey, ...] = ()

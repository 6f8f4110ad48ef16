"""Result columns in the words of the pages."""

from functools import partial

from integration.flow import Result
from integration.registration import result_columns
from integration.registration.result_columns import options

PREFIX = "new"
"""The publisher's prefix on the pages and in the sandbox."""

result_attribute = partial(result_columns.result_attribute, prefix=PREFIX)
key = partial(result_columns.key, prefix=PREFIX)


def holds(result: Result) -> str:
    """What stands in a result column, with the values of a choice."""
    words = ", ".join(f"{it['Value']} {it['Label']}" for it in options(result.words))
    return result.holds + (f": {words}" if words else "") + ("; alternate key" if result.key else "")

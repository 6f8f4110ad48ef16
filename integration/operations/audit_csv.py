"""The audit as a file for spreadsheets (CSV): its columns, and what stands in them."""

from typing import Final

COLUMNS: Final = ("time", "who", "what", "why", "outcome", "eventId", "reason", "table", "system", "bulkId", "count")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text

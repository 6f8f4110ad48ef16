"""The audit as a file for spreadsheets (CSV): its columns, and what stands in them."""

from typing import Final

from integration.visible import visible

COLUMNS: Final = (
    *("time", "who", "what", "why", "outcome"),
    *("eventId", "correlationId", "reason", "table", "system", "bulkId", "count"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t")


def cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula, and that steers no terminal."""
    text = "" if value is None else visible(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text

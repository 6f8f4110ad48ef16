"""Moments, as the ledger writes them."""

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """UTC with milliseconds: `2026-11-20T19:05:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

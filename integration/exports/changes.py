"""The port of exports: what has happened to the rows of a table, as files say it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Change:
    """A row as it was exported: `version` is its version number (0 where the file does not say it), `at` when.

    `deleted`: it did not exist any more.
    """

    row_id: str
    version: int
    deleted: bool
    at: datetime | None


class Export(Protocol):
    """Files of one environment. Raises `ConfigurationError` for a table that they do not have."""

    def changes(self, table: str, since: datetime) -> Iterator[Change]:
        """What was exported of a table since then, oldest first; it may begin earlier, and name a row several times."""
        ...


def newest(changes: Iterable[Change], since: datetime, until: datetime) -> list[Change]:
    """The last change of each row that was changed in this window of time; one without a time is in it.

    Exports are at least once: the same change may come again, and an older one after a newer one.
    """
    found: dict[str, Change] = {}
    for it in changes:
        known = found.get(it.row_id)
        if known is None or it.deleted or it.version >= known.version:
            found[it.row_id] = it
    return [it for it in found.values() if it.at is None or since <= it.at < until]

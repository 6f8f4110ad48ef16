"""The port of exports: what has happened to the rows of a table, as files say it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from integration.errors import ConfigurationError

BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before there was any row."""


@dataclass(frozen=True, slots=True)
class Change:
    """A row as it was exported: `version` is its version number (0 where the file does not say it), `at` when.

    `deleted`: it did not exist any more.
    """

    row_id: str
    version: int = 0
    deleted: bool = False
    at: datetime | None = None


class UnknownTable(ConfigurationError):
    """The export does not have the table."""


class Export(Protocol):
    """Files of one environment. Raises `UnknownTable` for a table that they do not have."""

    def changes(self, table: str, since: datetime) -> Iterator[Change]:
        """What was exported of a table since then, oldest first; it may begin earlier, and name a row several times."""
        ...


def current(changes: Iterable[Change]) -> list[Change]:
    """The last change of each row.

    Exports are at least once: the same change may come again, and an older one after a newer one. So a row that was
    deleted is there again only with a higher version than it had before.
    """
    found: dict[str, Change] = {}
    highest: dict[str, int] = {}
    for it in changes:
        known, version = found.get(it.row_id), highest.get(it.row_id, 0)
        if known is None or it.deleted or _is_newer(it, known, version):
            found[it.row_id] = it
        highest[it.row_id] = max(version, it.version)
    return list(found.values())


def _is_newer(it: Change, known: Change, version: int) -> bool:
    """Whether it came after what is known of the row, `version` being the highest so far; times decide without one."""
    if it.version != version:
        return it.version > version
    at, before = it.at or BEGINNING, known.at or BEGINNING
    return (version == 0 and at > before) if known.deleted else at >= before


def newest(changes: Iterable[Change], since: datetime, until: datetime) -> list[Change]:
    """The last change of each row that was changed in this window of time; one without a time is in it."""
    return [it for it in current(changes) if it.at is None or since <= it.at < until]

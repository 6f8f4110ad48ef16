"""Which rows are compared, and how the pages of a comparison follow each other."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from integration.clock import iso
from integration.errors import Fault, Rejected
from integration.pull.events import MODIFIED

IN_FLIGHT: Final = timedelta(minutes=5)
"""By default a window ends so long ago: events of later changes may still be under way."""
_ROWS, _DELETED = "rows", "deleted"


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of `table` that were last changed from `since` on and before `until`.

    With `systems`, each row is also compared with what the other systems have. With `deleted`, rows that the ledger
    knows and Dataverse does not follow after them, whenever they were deleted: Dataverse does not say when.
    """

    table: str
    since: datetime
    until: datetime
    systems: bool = False
    deleted: bool = False

    @property
    def where(self) -> str:
        """The OData filter of the rows."""
        return f"{MODIFIED} ge {iso(self.since)} and {MODIFIED} lt {iso(self.until)}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next page begins: among the rows, or the records of the ledger (`deleted`)."""

    deleted: bool = False
    following: str = ""

    @classmethod
    def read(cls, text: str) -> "Place":
        """From what a page has named; raises `Rejected` (400) for anything else."""
        kind, _, following = text.partition(":")
        if text and kind not in {_ROWS, _DELETED}:
            raise _unreadable()
        if kind == _DELETED and following:
            try:
                known = json.loads(following)
            except ValueError:
                known = None
            if not isinstance(known, dict) or not all(isinstance(it, str) for it in known.values()):
                raise _unreadable()
        return cls(kind == _DELETED, following)

    def __str__(self) -> str:
        return f"{_DELETED if self.deleted else _ROWS}:{self.following}"


def _unreadable() -> Rejected:
    fault = Fault("following", "is not what an earlier page has named")
    return Rejected(400, "This page cannot be given", "Ask without it, from the beginning.", faults=(fault,))

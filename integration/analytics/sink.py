"""The port of all sinks. What every sink has to do is in its contract tests (tests/contract/integration/analytics)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from integration.analytics.row import Row
from integration.errors import Transient

UNREADABLE = "unreadable"
"""Why a row is refused: it is no settled event."""
NOT_SETTLED = "It is no settled event: it has no id, or does not say how the event ended."
"""The detail of that."""
TOO_LARGE = "too-large"
"""Why a row is refused: it does not fit even when it is cut."""
REFUSED = "refused"
"""Why a row is refused: what the sink writes to does not take it alone either."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that will never be taken, and why: `reason` is one of the words above, `detail` the target's own words."""

    row: Row
    reason: str
    detail: str = ""


def unreadable(rows: Iterable[Row]) -> tuple[Refused, ...]:
    """Those of the rows that are no settled events, as every sink refuses them."""
    return tuple(Refused(row, UNREADABLE, NOT_SETTLED) for row in rows if not row.is_settled)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the rows that a sink was given; a row that is not named here was taken whole.

    `cut` rows were taken without what made them too large. `waiting` rows were not taken, and may be later: `error`
    says why, and is there whenever rows wait.
    """

    refused: tuple[Refused, ...] = ()
    cut: tuple[Row, ...] = ()
    waiting: tuple[Row, ...] = ()
    error: Transient | None = None


class Sink(Protocol):
    """Copies settled events to one place."""

    @property
    def name(self) -> str:
        """A short name for logs, alerts and folders: `archive`."""
        ...

    async def write(self, rows: Sequence[Row]) -> Receipt:
        """Write a batch of one partition, in the order of the hub; writing it again changes nothing for readers.

        What fails is in the receipt, row by row. An exception is a defect of the sink.
        """
        ...

"""What the last nightly comparison of the environment with its declaration has found, as it is kept for people.

One document of the table `systems` has it. A column there holds 32,000 characters, so a report that would be larger
says how many differences it has left out.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from integration.errors import Conflict
from integration.protection import SharedState

_KEY: Final = "drift"
_MOST_CHARACTERS: Final = 30_000
_LONGEST_LINE: Final = 400


class Drift(StrEnum):
    """How the environment stands to the declaration."""

    NONE = "as-declared"
    FOUND = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Difference:
    """`address` as a plan has it, such as `step.account.Update`; `kind` is its first word.

    `lines` are what `run.py dataverse drift` prints about it. `since` is when a report named it first (ISO 8601).
    """

    address: str
    kind: str
    lines: Sequence[str]
    since: str = ""


@dataclass(frozen=True, slots=True)
class DriftReport:
    """`at` is when it was made (ISO 8601), `unchanged` how many things are as declared.

    `left_out` differences had no room. `why` is set where the environment could not be compared, and says what to do;
    the differences are then those that were known before.
    """

    at: str
    drift: Drift
    unchanged: int = 0
    differences: Sequence[Difference] = ()
    left_out: int = 0
    why: str = ""

    @property
    def count(self) -> int:
        """How many things differ."""
        return len(self.differences) + self.left_out

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "DriftReport":
        """What was kept."""
        known = tuple(Difference(**{**it, "lines": tuple(it["lines"])}) for it in document["differences"])
        return cls(**{**document, "drift": Drift(document["drift"]), "differences": known})


class DriftReports:
    """The last report, which all instances share. Raises what the store raises."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared

    async def last(self) -> DriftReport | None:
        """None before the first one."""
        document, _ = await self._shared.read(_KEY)
        return None if document is None else DriftReport.from_document(document)

    async def keep(self, report: DriftReport) -> DriftReport:
        """Keep it in place of the last one; returns it as it is kept.

        Of two that are made at the same time one is kept, as they say the same.
        """
        document, etag = await self._shared.read(_KEY)
        known = () if document is None else DriftReport.from_document(document).differences
        since = {it.address: it.since for it in known}
        found = known if report.drift is Drift.UNKNOWN else report.differences
        dated = [replace(_short(it), since=since.get(it.address) or report.at) for it in found]
        kept = _fitting(replace(report, differences=tuple(dated)))
        with suppress(Conflict):
            await self._shared.write(_KEY, asdict(kept), etag)
        return kept


def _short(it: Difference) -> Difference:
    return replace(it, lines=tuple(line[:_LONGEST_LINE] for line in it.lines))


def _fitting(report: DriftReport) -> DriftReport:
    """As much of it as a column holds."""
    room, fit = _MOST_CHARACTERS, 0
    for it in report.differences:
        room -= len(json.dumps(asdict(it)))
        if room < 0:
            break
        fit += 1
    return replace(report, differences=report.differences[:fit], left_out=report.count - fit)

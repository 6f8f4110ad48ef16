"""A handler of records of the ERP that also reports what virtual tables show of them; see reporting.py."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from integration.worker.handler import InboundHandler, Outcome
from integration.worker.work import Work

EFFECT: Final = "virtual-table"


class Changes(Protocol):
    """What reports changes of rows; reporting.py does."""

    async def report(self, records: str, work: Work) -> str:
        """Report what is new of the event's record, of this kind; in words what was reported, empty for nothing."""
        ...


class ReportingHandler(InboundHandler):
    """Reports a record's row to Dataverse before the flow of the record does its work.

    `open_changes` is called with the first event: what virtual tables are made of is imported then.
    """

    def __init__(self, inner: InboundHandler, open_changes: Callable[[], Changes]) -> None:
        self._inner, self._open_changes = inner, open_changes
        self.table, self.messages, self.ignored = inner.table, inner.messages, inner.ignored
        self.answers = {**inner.answers, EFFECT: ("message", "table")}

    async def bring(self, work: Work) -> Outcome:
        """The report is not repeated where the rest is tried again."""
        said = await self._open_changes().report(self.table, work)
        outcome = await self._inner.bring(work)
        return outcome if not said else replace(Outcome.completed(f"{said}; {outcome.detail}"), agrees=outcome.agrees)

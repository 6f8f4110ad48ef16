"""Customers that a system had before Dataverse knew them: found by what they are known by, never made a second time.

A customer is matched once, when it has no reference yet. Who it belongs to is written down before anything of it is
changed, so that two accounts with the same tax number do not both take it.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from integration.errors import Permanent
from integration.systems.messages import CustomerKeys, CustomerMatch, MatchKey
from integration.systems.odata.calls import Row
from integration.systems.odata.refusals import match_ambiguous, match_taken, number_unknown
from integration.systems.references import References
from integration.transport import CallContext

NUMBER: Final = "customerNumber"
"""The number that stands in Dataverse: people, an import or the app has written it there."""
_OWNER: Final = "customer-of"
_SPACING = re.compile(r"[\s.\-/]")

FindAll = Callable[[str, str, CallContext], Awaitable[list[Row]]]
"""The customers whose field has this value."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: how it ends, and the customer where there is a single one."""

    match: CustomerMatch
    row: Row | None = None


class Matching:
    """Finds the customer that an account or contact already is.

    `fields` has the system's field for the number (`customerNumber`) and for each key; `match_by` are the keys that are
    looked for, in this order; numbers that begin with `prefix` were given by the app. `identity` is the field that
    stays when people give a customer another number.
    """

    def __init__(
        self,
        service: str,
        references: References,
        find: FindAll,
        *,
        fields: Mapping[str, str],
        identity: str,
        prefix: str,
        match_by: Sequence[MatchKey],
    ) -> None:
        self._service = service
        self._references = references
        self._find = find
        self._fields = fields
        self._identity = identity
        self._prefix = prefix
        self._match_by = match_by

    async def look(
        self, customer_id: str, known_by: CustomerKeys, own_number: str, context: CallContext, *, force: bool = False
    ) -> Found:
        """Look by the number in Dataverse, then by each key; `own_number` is that of a customer of its own.

        Support chooses by writing a number into the row, which may be `own_number`: then nothing else is looked for.
        Where that number is not there, only a forced event looks further.
        """
        if known_by.customer_number == own_number:
            return self._ended("new", own_number)
        if known_by.customer_number:
            rows = await self._find(self._fields[NUMBER], known_by.customer_number, context)
            if rows:
                return self._ended("matched", own_number, by=NUMBER, rows=rows[:1])
            if not force:
                return self._ended("number-unknown", own_number, by=NUMBER)
        for key in self._match_by:
            if rows := await self._with(key, known_by, context):
                return await self._one_of(rows, key, customer_id, own_number)
        return self._ended("new", own_number)

    async def own(self, row: Row, customer_id: str, *, chosen: bool) -> None:
        """Write down that this customer belongs to `customer_id`; raises `Permanent` where it is another one's.

        `chosen`: people have written its number into the row, which counts more than what was written down.
        """
        entry = await self._references.entry(_OWNER, str(row[self._identity]))
        if not chosen and entry.value.id not in {"", customer_id.lower()}:
            raise match_taken(self._service, [str(row[self._fields[NUMBER]])], None)
        await entry.save(id=customer_id.lower(), number=str(row[self._fields[NUMBER]]))

    async def own_new(self, row: Row, customer_id: str) -> None:
        """Write down whose a new customer is, where another record might be matched with it."""
        if self._match_by:
            await self.own(row, customer_id, chosen=True)

    def refusal(self, match: CustomerMatch) -> Permanent:
        """Why a customer cannot be put before people have chosen."""
        if match.outcome == "number-unknown":
            return number_unknown(self._service)
        refused = match_ambiguous if match.outcome == "ambiguous" else match_taken
        return refused(self._service, match.numbers, match.own_number)

    async def _one_of(self, rows: Sequence[Row], key: MatchKey, customer_id: str, own_number: str) -> Found:
        if len(rows) > 1:
            return self._ended("ambiguous", own_number, by=key, rows=rows)
        [row] = rows
        owner = (await self._references.entry(_OWNER, str(row[self._identity]))).value.id
        ours = str(row[self._fields[NUMBER]]).startswith(self._prefix) and not owner
        if ours or owner not in {"", customer_id.lower()}:
            return self._ended("taken", own_number, by=key, rows=rows)
        return self._ended("matched", own_number, by=key, rows=rows)

    async def _with(self, key: MatchKey, known_by: CustomerKeys, context: CallContext) -> list[Row]:
        """The customers that have the key as people write it, with or without spaces and dots, each once."""
        value = known_by.account_number if key == "accountNumber" else known_by.tax_number
        found: dict[str, Row] = {}
        for spelling in _spellings(value or ""):
            for row in await self._find(self._fields[key], spelling, context):
                found.setdefault(str(row[self._identity]), row)
        return [*found.values()]

    def _ended(self, outcome: str, own_number: str, *, by: str | None = None, rows: Iterable[Row] = ()) -> Found:
        rows = [*rows]
        numbers = tuple(sorted(str(row[self._fields[NUMBER]]) for row in rows))
        match = CustomerMatch.model_validate(
            {"outcome": outcome, "by": by, "numbers": numbers, "own_number": own_number or None}
        )
        return Found(match, rows[0] if outcome == "matched" else None)


def _spellings(value: str) -> list[str]:
    """As it is written, and without what people put between the characters: `DE 123.456.789` is `DE123456789`."""
    written = value.strip()
    return [it for it in dict.fromkeys((written, _SPACING.sub("", written).upper())) if it]

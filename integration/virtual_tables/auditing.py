"""Writes down who has changed which row of the ERP through a virtual table, with what was there before and after.

An entry is written before the row is, and its outcome after it, as for what people do in the console. Personal columns
show a fingerprint of their values, because the audit outlives all else.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from integration.operations.audit import Audit, Entry, Subject
from integration.virtual_tables.edm import Value, to_json
from integration.virtual_tables.entity_set import ServedSet

CREATED: Final = "row-created"
CHANGED: Final = "row-changed"
DELETED: Final = "row-deleted"
_LONGEST: Final = 200


class WriteAudit:
    """The audit of one caller's request; `reference` is that of its answer and of the log."""

    def __init__(self, audit: Audit, caller: str, reference: str) -> None:
        self._audit, self._caller, self._reference = audit, caller, reference

    @asynccontextmanager
    async def write(
        self, what: str, entity_set: ServedSet, row: object, changes: Mapping[str, tuple[Value, Value]]
    ) -> AsyncIterator[Entry]:
        """A write of a row (its key, or nothing before it has one); `changes` are values before and after by column.

        Raises `Outage` where the audit is away: what cannot be written down is not done.
        """
        personal = {it.name for it in entity_set.columns if it.personal}
        said = [
            {"name": name, "before": _said(before, name in personal), "after": _said(after, name in personal)}
            for name, (before, after) in changes.items()
        ]
        about = Subject(
            table=entity_set.name,
            system=entity_set.declared.system,
            changes=json.dumps(said, separators=(",", ":")),
        )
        which = f"row {row}" if row else "a new row"
        why = f"Virtual table of Dataverse: {which}, reference {self._reference}."
        async with self._audit.action(what, about, by=self._caller, why=why) as entry:
            yield entry


def _said(value: Value, personal: bool) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else to_json(value).strip('"')
    return hashlib.sha256(text.encode()).hexdigest()[:12] if personal else text[:_LONGEST]

"""What people write down about a cause: a note, and who takes care of it.

They belong to the cause and not to its events: they are there again when it comes back. Only the newest is kept, with
the name of who has written it; the audit has all of them.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from integration.clock import Clock, iso
from integration.errors import Fault, Rejected
from integration.ledger import Ledger, keys, rows
from integration.operations.audit import Audit, Subject
from integration.tables import Entity

NOBODY: Final = "-"
"""What is asked for where causes without an assignee are meant."""
LONGEST_TEXT, LONGEST_NAME = 500, 100
_PARTITION: Final = "cause"


@dataclass(frozen=True, slots=True)
class CauseKey:
    """What makes a cause: the reason, and where there are any, the system and the table."""

    reason: str
    system: str = ""
    table: str = ""


@dataclass(frozen=True, slots=True)
class CauseNote:
    """The note about a cause, and its assignee; either may be empty. `by` has written it, at `at`."""

    text: str
    assignee: str
    by: str
    at: datetime


class CauseNotes:
    """Reads and writes them. Raises `Rejected` (400), and `Outage` where the tables are away."""

    def __init__(self, ledger: Ledger, audit: Audit, clock: Clock) -> None:
        self._table = ledger.table(keys.CAUSES)
        self._audit = audit
        self._clock = clock

    async def all(self) -> dict[CauseKey, CauseNote]:
        """All of them, by their cause."""
        found = [it async for it in self._table.query(f"PartitionKey eq '{_PARTITION}'")]
        return {CauseKey(str(it["reason"]), str(it["system"]), str(it["table"])): _note(it) for it in found}

    async def write(self, key: CauseKey, *, text: str, assignee: str, by: str) -> CauseNote | None:
        """Write what is known of a cause now; where both are empty, what was known is removed.

        The audit gets both as they were and as they are.
        """
        text, assignee = _checked(text, assignee)
        before = (await self.all()).get(key)
        note = CauseNote(text, assignee, by, self._clock.now()) if text or assignee else None
        why = text or (f"assigned to {assignee}" if assignee else "the note is removed")
        about = Subject(reason=key.reason, system=key.system, table=key.table, changes=_changes(before, note))
        async with self._audit.action("note", about, by=by, why=why):
            row = keys.hashed(f"{key.reason}\n{key.system}\n{key.table}", 32)
            if note is None:
                await self._table.delete(_PARTITION, row)
            else:
                await self._table.replace(cause_note_row(row, key, note), etag=None)
        return note


def _checked(text: str, assignee: str) -> tuple[str, str]:
    text, assignee = text.strip(), assignee.strip()
    faults = [
        Fault(f"/{name}", f"is longer than {longest} characters")
        for name, value, longest in (("note", text, LONGEST_TEXT), ("assignee", assignee, LONGEST_NAME))
        if len(value) > longest
    ]
    if assignee == NOBODY:
        faults.append(Fault("/assignee", "is nobody's name: leave it empty"))
    if faults:
        raise Rejected(400, "This cannot be noted", "Correct what is named.", faults=tuple(faults))
    return text, assignee


def _changes(before: CauseNote | None, after: CauseNote | None) -> str:
    """What has changed, as the audit has it: `[{"name", "before", "after"}]`."""
    pairs = {
        "note": (before.text if before else "", after.text if after else ""),
        "assignee": (before.assignee if before else "", after.assignee if after else ""),
    }
    changed = [{"name": name, "before": old, "after": new} for name, (old, new) in pairs.items() if old != new]
    return json.dumps(changed, separators=(",", ":"))


def cause_note_row(row: str, key: CauseKey, note: CauseNote) -> Entity:
    """The row of a note, under this row key."""
    return {
        "PartitionKey": _PARTITION,
        "RowKey": row,
        "schema": rows.SCHEMA,
        "reason": key.reason,
        "system": key.system,
        "table": key.table,
        "note": note.text,
        "assignee": note.assignee,
        "by": note.by,
        "at": iso(note.at),
    }


def _note(row: Entity) -> CauseNote:
    return CauseNote(str(row["note"]), str(row["assignee"]), str(row["by"]), datetime.fromisoformat(str(row["at"])))

"""Sending a dead-lettered event again with other values than it carried.

Most handlers go by the row as it is now: what is wrong there is put right in Dataverse, and an edit of the event would
change nothing. Where a handler declares that it goes by values which its events carry (columns of the change,
parameters of a custom API), those, and no others, can be edited.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from integration.errors import Fault, Rejected
from integration.events import IntegrationEvent
from integration.events.fields import pointer
from integration.events.value_codec import decode_values, encode_values
from integration.events.values import Value
from integration.ledger import EventStatus
from integration.operations.audit import Audit, Subject
from integration.operations.carried import Carried
from integration.operations.originals import Originals, check
from integration.operations.replays import Replays

_TITLE: Final = "The event cannot be edited"


@dataclass(frozen=True, slots=True)
class Edit:
    """New values by name, as JSON in the form of envelopes (docs/reference/events.md)."""

    values: Mapping[str, Any]
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Carrying:
    """What an event carries that can be edited: the names that its handler declares, and what it has under them."""

    names: frozenset[str]
    values: Mapping[str, Any]
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changed:
    """One value before and after an edit, as JSON in the form of envelopes; None where there was none."""

    pointer: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class _Checked:
    """An edit that can be sent: the original, what it carried with the new values, and what was changed."""

    original: EventStatus
    edited: IntegrationEvent
    changed: Sequence[Changed]

    @property
    def changes(self) -> str:
        """What was changed, as JSON, without the values: `[{"name", "before", "after"}]`."""
        said = [
            {
                "name": it.pointer,
                "before": None if it.before is None else _fingerprint(it.before),
                "after": _fingerprint(it.after),
            }
            for it in self.changed
        ]
        return json.dumps(said, separators=(",", ":"))


class EditedRetry:
    """Checks an edit against what the handler declares. Raises `Rejected` (400, 404, 409) and `Transient`."""

    def __init__(self, originals: Originals, carried: Carried, replays: Replays, audit: Audit) -> None:
        self._originals = originals
        self._carried = carried
        self._replays = replays
        self._audit = audit

    async def carrying(self, event_id: str) -> Carrying:
        """What can be edited of the event, for whoever has the right to see it."""
        original = await self._originals.known(event_id)
        check(original, "edit")
        names = self._names(original)
        event = await self._carried.event(original)
        return Carrying(
            names,
            {name: it for name, it in encode_values(event.values).items() if name in names},
            {name: it for name, it in encode_values(event.parameters).items() if name in names},
        )

    async def check(self, event_id: str, edit: Edit) -> Sequence[Changed]:
        """What an edit would change; nothing is sent and nothing written. Raises as `retry` does."""
        found = await self._checked(event_id, edit, "")
        if isinstance(found, Rejected):
            raise found
        return found.changed if isinstance(found, _Checked) else ()

    async def retry(self, event_id: str, edit: Edit, *, by: str, why: str, request: str = "") -> str:
        """Send the event again, edited; the new event's id. The original becomes `resubmitted`.

        The audit gets the names of what was changed, with a fingerprint of each value before and after it. Asking twice
        for the same edit is one request, as with a `request` of one's own.
        """
        found = await self._checked(event_id, edit, request)
        changes = found.changes if isinstance(found, _Checked) else ""
        async with self._audit.action("edit", Subject(event_id, changes=changes), by=by, why=why) as entry:
            if isinstance(found, Rejected):
                raise found
            if isinstance(found, EventStatus):
                again_id = self._replays.id_of(found, request)
                entry.outcome = f"was done before: {again_id}"
                return again_id
            failed = found.original.changed_time or found.original.accepted_time
            token = request or f"{failed.isoformat()} {changes}"
            again = self._replays.of(found.original, token, carried=found.edited)
            return await self._replays.send(found.original, again, entry)

    async def _checked(self, event_id: str, edit: Edit, request: str) -> _Checked | EventStatus | Rejected:
        """The checked edit, or why there is none; the original where this request was carried out before."""
        try:
            original = await self._originals.known(event_id)
            if self._replays.is_done(original, request):
                return original
            check(original, "edit")
            given = self._given(original, edit)
            before = await self._carried.event(original)
            edited = _applied(before, given)
            return _Checked(original, edited, tuple(_changed(before, edited)))
        except Rejected as refused:
            return refused

    def _names(self, original: EventStatus) -> frozenset[str]:
        names = self._carried.names(original)
        if not names:
            detail = (
                f"What handles {original.message} of {original.table} goes by the row as it is now, and by nothing "
                "that the event carries. Put the row right in Dataverse: its change is an event of its own, or send "
                "this one again as it is (retry)."
            )
            raise Rejected(409, _TITLE, detail)
        return names

    def _given(self, original: EventStatus, edit: Edit) -> dict[str, dict[str, Value]]:
        names = self._names(original)
        faults: list[Fault] = []
        given: dict[str, dict[str, Value]] = {"values": {}, "parameters": {}}
        for part, raw in (("values", edit.values), ("parameters", edit.parameters)):
            for name, value in raw.items():
                if name not in names:
                    faults.append(Fault(pointer(part, name), "is not carried by events of this table and message"))
                    continue
                try:
                    given[part] |= decode_values({name: value})
                except (ValueError, TypeError, LookupError, ArithmeticError):
                    faults.append(Fault(pointer(part, name), "is not a value in the form of envelopes"))
        if faults:
            raise Rejected(400, _TITLE, f"Events of it carry {', '.join(sorted(names))}.", faults=tuple(faults[:20]))
        return given


def _applied(before: IntegrationEvent, given: Mapping[str, Mapping[str, Value]]) -> IntegrationEvent:
    """The event with the new values; of the kind that the old ones have, where there are any."""
    faults = [
        Fault(pointer(part, name), f"was {type(old).__name__} and is to become {type(new).__name__}")
        for part, values in given.items()
        for name, new in values.items()
        if (old := getattr(before, part).get(name)) is not None and new is not None and type(old) is not type(new)
    ]
    if faults:
        raise Rejected(400, _TITLE, "Give each value in the form that it had.", faults=tuple(faults[:20]))
    columns = before.changed_columns
    if columns is not None:
        columns = tuple(dict.fromkeys((*columns, *given["values"])))
    edited = replace(
        before,
        values={**before.values, **given["values"]},
        parameters={**before.parameters, **given["parameters"]},
        changed_columns=columns,
    )
    if (edited.values, edited.parameters) == (before.values, before.parameters):
        raise Rejected(400, _TITLE, "These are the values that it had. To send it again as it is, use retry.")
    return edited


def _changed(before: IntegrationEvent, edited: IntegrationEvent) -> Iterator[Changed]:
    for part in ("values", "parameters"):
        old, new = encode_values(getattr(before, part)), encode_values(getattr(edited, part))
        for name, value in new.items():
            if name not in old or old[name] != value:
                yield Changed(pointer(part, name), old.get(name), value)


def _fingerprint(value: Any) -> str:
    """Enough to recognise a value that somebody names, and not to read one."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]

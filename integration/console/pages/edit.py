"""Edit and retry: what the event carries, the check against its flow, the difference, and sending it again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from integration.console.asking import Answer, Ask, Page, Redirect, Route, address
from integration.console.parts import Parts
from integration.errors import Fault, Rejected
from integration.operations.edit import Carrying, Changed, Edit
from integration.operations.rights import Right


@dataclass(frozen=True, slots=True)
class Field:
    """A value in the form: its place (`values` or `parameters`), as JSON, and what is wrong with it."""

    part: str
    name: str
    text: str
    fault: str = ""

    @property
    def key(self) -> str:
        """Its name in the form."""
        return f"{self.part}.{self.name}"


async def form(parts: Parts, ask: Ask) -> Answer:
    """The form, with what the event carries now."""
    ask.person.check(Right.PAYLOADS)
    event_id = ask.place["event_id"]
    carrying = await parts.desk.edit.carrying(event_id)
    return _form(event_id, _fields(carrying, {}), ask.why)


async def check(parts: Parts, ask: Ask) -> Answer:
    """The form again where something is wrong with it; else the difference, to be confirmed or corrected."""
    ask.person.check(Right.PAYLOADS)
    event_id = ask.place["event_id"]
    carrying = await parts.desk.edit.carrying(event_id)
    try:
        edit = _edit(carrying, ask.form)
        changed = await parts.desk.edit.check(event_id, edit)
        if ask.form.get("step") == "send":
            sent = await parts.desk.edit.retry(event_id, edit, by=ask.person.name, why=ask.why)
            parts.desk.causes.forget()
            return Redirect(address("events", sent, said="edited"))
    except Rejected as refused:
        if refused.status == 404:
            raise
        return _form(event_id, _fields(carrying, ask.form, refused.faults), ask.why, refused)
    if ask.form.get("step") == "correct":
        return _form(event_id, _fields(carrying, ask.form), ask.why)
    lines = [(it.pointer, _lines(it)) for it in changed]
    given = {name: text for name, text in ask.form.items() if name.partition(".")[0] in ("values", "parameters")}
    return Page("edit_check.html", {"event_id": event_id, "changes": lines, "given": given, "reason": ask.why})


def _form(event_id: str, fields: Sequence[Field], reason: str, refused: Rejected | None = None) -> Page:
    return Page.after(refused, "edit.html", {"event_id": event_id, "fields": fields, "reason": reason})


def _fields(carrying: Carrying, given: Mapping[str, str], faults: Sequence[Fault] = ()) -> list[Field]:
    wrong = {it.pointer.strip("/").replace("/", "."): it.detail for it in faults}
    found = []
    for part, name, value in _carried(carrying):
        key = f"{part}.{name}"
        text = given.get(key, "" if value is _ABSENT else json.dumps(value, ensure_ascii=False, indent=1))
        found.append(Field(part, name, text, wrong.get(key, "")))
    return found


def _edit(carrying: Carrying, given: Mapping[str, str]) -> Edit:
    """What differs from what the event carries. Raises `Rejected` (400), which names what is not JSON."""
    wanted: dict[str, dict[str, Any]] = {"values": {}, "parameters": {}}
    faults = []
    for part, name, value in _carried(carrying):
        text = given.get(f"{part}.{name}", "").strip()
        if not text and value is _ABSENT:
            continue
        try:
            new = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError):
            faults.append(Fault(f"/{part}/{name}", 'is not JSON: a text stands in quotation marks, such as "Miller"'))
            continue
        if value is _ABSENT or new != value or type(new) is not type(value):
            wanted[part][name] = new
    if faults:
        raise Rejected(400, "The event cannot be edited", "Correct what is named.", faults=tuple(faults))
    return Edit(wanted["values"], wanted["parameters"])


def _refuse(word: str) -> None:
    raise ValueError(word)


_ABSENT: Final = object()


def _carried(carrying: Carrying) -> Sequence[tuple[str, str, Any]]:
    """Each name with its value; one that the event does not carry is offered as a value."""
    found: list[tuple[str, str, Any]] = []
    for name in sorted(carrying.names):
        if name in carrying.parameters:
            found.append(("parameters", name, carrying.parameters[name]))
        if name in carrying.values or name not in carrying.parameters:
            found.append(("values", name, carrying.values.get(name, _ABSENT)))
    return found


def _lines(changed: Changed) -> list[tuple[str, str]]:
    """Lines of the difference: `-` what was, `+` what is to be."""
    before = [] if changed.before is None else json.dumps(changed.before, ensure_ascii=False, indent=1).splitlines()
    after = json.dumps(changed.after, ensure_ascii=False, indent=1).splitlines()
    return [("-", it) for it in before] + [("+", it) for it in after]


ROUTES: Final = (
    Route("GET", "events/{event_id}/edit", Right.REPAIR, form),
    Route("POST", "events/{event_id}/edit", Right.REPAIR, check),
)

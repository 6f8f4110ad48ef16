"""Routes of what is wrong, in groups: the causes, what people have written down about them, and the overview."""

import asyncio
from collections.abc import Mapping
from typing import Any

import azure.functions as func

from integration.ledger import State
from integration.operations import explained
from integration.operations.answers import as_json
from integration.operations.cause_notes import CauseKey, CauseNote, CauseNotes
from integration.operations.causes import Causes
from integration.operations.figures import Figures
from integration.operations.masking import masked
from integration.operations.requests import NoteAsked, read_body, read_problem_state
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.operations.status import iso_or_none


def blueprint(operators: Operators, figures: Figures, notes: CauseNotes) -> func.Blueprint:
    """The functions of these routes."""
    bp = func.Blueprint()

    @bp.route(route="operations/causes", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_causes(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        state, assignee = read_problem_state(req.params), req.params.get("assignee", "")
        found, known = await figures.causes(await figures.series(), state), await notes.all()
        return as_json(_causes(found.of(assignee, known), known, by), 200)

    @bp.route(route="operations/causes/note", methods=["POST"], auth_level=ANONYMOUS)
    @operators.only(Right.REPAIR)
    async def operations_cause_note(req: func.HttpRequest, by: Person) -> func.HttpResponse:
        asked = read_body(NoteAsked, req.get_body())
        key = CauseKey(asked.reason, asked.system, asked.table)
        note = await notes.write(key, text=asked.note, assignee=asked.assignee, by=by.name)
        return as_json({"reason": key.reason, "system": key.system, "table": key.table, "note": _note(note)}, 200)

    @bp.route(route="operations/overview", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_overview(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- asks for all
        series = await figures.series()
        dead, waiting, known = await asyncio.gather(
            figures.causes(series), figures.causes(series, State.WAITING.value), notes.all()
        )
        body = {
            "deadLettered": _causes(dead, known, by),
            "waiting": _causes(waiting, known, by),
            "changes": {"lastHour": series.last_hour, "lastDay": series.day, "tenMinutes": series.changes},
            "takenAt": iso_or_none(series.at),
        }
        return as_json(body, 200)

    return bp


def _causes(found: Causes, notes: Mapping[CauseKey, CauseNote], person: Person) -> dict[str, Any]:
    """Groups of failing events as of `at`; `trend` has those that failed in each of the last 24 hours.

    `others` are events of further groups; `means` and `advice` are empty for a reason that no list has.
    """
    groups = [
        {
            "reason": it.reason,
            "system": it.system,
            "table": it.table,
            "count": it.count,
            "oldest": iso_or_none(it.oldest),
            "newest": iso_or_none(it.newest),
            "trend": it.trend,
            "example": it.example,
            "detail": masked(it.detail, person.may(Right.PAYLOADS)),
            "note": _note(notes.get(it.key)),
            **_meaning(it.reason),
        }
        for it in found.causes
    ]
    return {
        "total": found.total,
        "others": found.others,
        "oldest": iso_or_none(found.oldest),
        "causes": groups,
        "at": iso_or_none(found.at),
    }


def _meaning(word: str) -> dict[str, str]:
    """What a reason means, and what to do about it."""
    known = explained.reason(word)
    return {"means": known.means if known else "", "advice": known.do if known else ""}


def _note(note: CauseNote | None) -> dict[str, Any] | None:
    """What people have written down about a cause; null where nobody has."""
    if note is None:
        return None
    return {"text": note.text, "assignee": note.assignee or None, "by": note.by, "at": iso_or_none(note.at)}

"""One message about several rows as one context for each row: CreateMultiple, UpdateMultiple, DeleteMultiple, Merge.

Each row has its own session in the queue and its own state in the ledger, so it needs an event of its own, whose id
must be the same at every delivery. What is made here of the first three is what a step on Create, Update or Delete
would have sent for the row. Of a Merge, both rows get one: the one that is kept, and the one that is deactivated.
Microsoft documents Targets for plug-ins ("Write plug-ins for CreateMultiple and UpdateMultiple"); no capture is public.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from integration.errors import Fault, Rejected
from integration.events.tag import tag_of
from integration.events.value_reader import ValueReader, is_row

_SINGLE: Final = {"CreateMultiple": "Create", "UpdateMultiple": "Update", "DeleteMultiple": "Delete"}


def contexts_in(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The contexts in `document`, a RemoteExecutionContext: itself, if it is about one row or none.

    Raises `Rejected` (400, rows-unknown) where the rows are not in it: above its limit of size Dataverse leaves them
    out, and only CreateMultiple still has their ids, in its output.
    """
    message = document.get("MessageName")
    if isinstance(message, str) and message in _SINGLE:
        return [*_rows(document, _SINGLE[message])]
    if message == "Merge":
        return [*_merged(document)]
    return [document]


def _rows(document: dict[str, Any], message: str) -> Iterator[dict[str, Any]]:
    parameters = _pairs(document, "InputParameters")
    targets, table = _targets(parameters.pop("Targets", None))
    ids = _pairs(document, "OutputParameters").get("Ids")
    ids = ids if isinstance(ids, list) else []
    if not targets and not ids:
        raise Rejected(
            400,
            "The rows are not known",
            f"A step on {document['MessageName']} sent no Targets: above its limit of size, Dataverse leaves them out. "
            f"Register the step on {message}, which is sent for each row, and save the rows once more.",
            faults=(Fault("/InputParameters", "must have Targets"),),
            reason="rows-unknown",
        )
    frame = _frame(document, message)
    for number in range(max(len(targets), len(ids))):
        target = targets[number] if number < len(targets) else None
        stated = None if target is None else target.get("Id")
        yield {
            **frame,
            "PrimaryEntityId": _id_or(stated, ids[number] if number < len(ids) else None),
            "PrimaryEntityName": (target or {}).get("LogicalName") or table or document.get("PrimaryEntityName"),
            "InputParameters": None if target is None else {**parameters, "Target": target},
        }


def _merged(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield document
    subordinate = _pairs(document, "InputParameters").get("SubordinateId")
    if isinstance(subordinate, dict):  # boxed: {"__type": "Guid:#System", "__value": ..}
        subordinate = subordinate.get("__value")
    if subordinate:
        reference = {"Id": subordinate, "LogicalName": document.get("PrimaryEntityName")}
        yield {
            **_frame(document, "Merge"),
            "PrimaryEntityId": subordinate,
            "InputParameters": {"Target": reference},
            "PreEntityImages": document.get("PreEntityImages"),
            "PostEntityImages": document.get("PostEntityImages"),
        }


def _frame(document: dict[str, Any], message: str) -> dict[str, Any]:
    """What all rows have in common. The tag is taken out of the outer pipelines, which are about the whole message."""
    tag = tag_of(document)
    return {
        **document,
        "MessageName": message,
        "PreEntityImages": None,
        "PostEntityImages": None,
        "OutputParameters": None,
        "ParentContext": None,
        "SharedVariables": {"tag": tag} if tag is not None else None,
    }


def _targets(raw: object) -> tuple[list[dict[str, Any]], object]:
    """The rows of an EntityCollection or of a list of references, and the table that the collection names."""
    entities, table = (raw.get("Entities"), raw.get("EntityName")) if isinstance(raw, dict) else (raw, None)
    return [it for it in entities if is_row(it)] if isinstance(entities, list) else [], table


def _pairs(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """In whichever spelling; what cannot be read is named when the event is."""
    return dict(ValueReader(iso_dates=False, repair=False).pairs(document.get(name), None) or {})


def _id_or(stated: object, given: object) -> object:
    """The id in the row, or that in the output where the platform gave the row its id only then."""
    zero = isinstance(stated, str) and not stated.strip("{}0-")
    return given if stated is None or zero else stated

"""What somebody has typed or pasted into the search: an event, a record, an address of Dataverse, an id."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from integration.events.fields import record_id
from integration.operations.status import EVENT_ID

_GUID: Final = re.compile(r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.IGNORECASE)
_RECORD: Final = re.compile(r"(?P<table>[a-z][a-z0-9_.]{0,89})[:/ ](?P<id>[^\s/]{1,128})")
_OF_WEB_API: Final = re.compile(r"/api/data/v[\d.]+/(?P<set>\w+)\((?P<id>[0-9a-fA-F-]{36})\)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; what is empty is not known. `any_id` may be a record's id, or a correlation id."""

    event_id: str = ""
    table: str = ""
    record: str = ""
    any_id: str = ""


def read(text: str) -> Wanted:
    """What the text names. Anything else is taken for an id, or for another system's number."""
    text = text.strip()
    if EVENT_ID.fullmatch(text):
        return Wanted(event_id=text)
    if text.lower().startswith(("http://", "https://")):
        return _address(text)
    if _GUID.fullmatch(text):
        return Wanted(any_id=record_id(text))
    if found := _RECORD.fullmatch(text):
        return Wanted(table=found["table"], record=record_id(found["id"]))
    return Wanted(any_id=text)


def is_guid(text: str) -> bool:
    """Whether it is the id of a row, and no number of another system."""
    return _GUID.fullmatch(text) is not None


def _address(text: str) -> Wanted:
    """The address of a form in a model-driven app (`etn`, `id`), of a row in the Web API, or of an event here."""
    parts = urlsplit(text)
    asked = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
    table, row = asked.get("etn", ""), record_id(asked.get("id", ""))
    if row and _GUID.fullmatch(row):
        return Wanted(table=table.lower(), record=row) if table else Wanted(any_id=row)
    if found := _OF_WEB_API.search(unquote(parts.path)):
        return Wanted(any_id=record_id(found["id"]))
    last = parts.path.rstrip("/").rpartition("/")[2]
    return Wanted(event_id=last) if EVENT_ID.fullmatch(last) else Wanted(any_id=last or text)

"""Fields that all payloads have in common: GUIDs, names, correlation ids, trace context; and models made of them."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ValidationError, WithJsonSchema

from integration.errors import Fault, Rejected

_GUID = re.compile(r"\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?", re.IGNORECASE | re.ASCII)
_NO_GUID = "00000000-0000-0000-0000-000000000000"
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,89}", re.ASCII)
_COLUMN = re.compile(r"[a-z_][a-z0-9_]{0,127}", re.ASCII)
_MESSAGE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,127}", re.ASCII)
_CORRELATION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:|=-]{0,127}", re.ASCII)
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)

_MAX_FAULTS = 50

AnyModel = TypeVar("AnyModel", bound=BaseModel)


def to_guid(raw: object) -> str | None:
    """A GUID in lower case without braces; None for null, empty text and the zero GUID. Otherwise `ValueError`."""
    if raw is None or raw == "":
        return None
    match = _GUID.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        raise ValueError("must be a GUID")
    guid = match[1].lower()
    return None if guid == _NO_GUID else guid


def guid_or_none(raw: object) -> str | None:
    """As `to_guid`, and None for everything that is no GUID."""
    try:
        return to_guid(raw)
    except ValueError:
        return None


def record_id(text: str) -> str:
    """A record's id as events have it: a GUID in lower case without braces, the key of another system as it is."""
    match = _GUID.fullmatch(text)
    return match[1].lower() if match else text


def to_table(raw: object) -> str:
    """A table's logical name; at most 90 characters, so that a session id (table:record) stays within 128."""
    return _matching(_TABLE, raw.lower() if isinstance(raw, str) else raw, "must be a table's logical name")


def to_column(raw: object) -> str:
    """A column's logical name."""
    return _matching(_COLUMN, raw.lower() if isinstance(raw, str) else raw, "must be a column's logical name")


def is_column(name: str) -> bool:
    """Whether `name` is a column's logical name as Dataverse writes it."""
    return _COLUMN.fullmatch(name) is not None


def to_message(raw: object) -> str:
    """A message's name: `Update`, or the unique name of a custom API."""
    return _matching(_MESSAGE, raw, "must be a message's name")


def _matching(pattern: re.Pattern[str], raw: object, otherwise: str) -> str:
    if not isinstance(raw, str) or pattern.fullmatch(raw) is None:
        raise ValueError(otherwise)
    return raw


def _table_or_none(raw: object) -> str:
    return "none" if raw is None or raw == "" else to_table(raw)


Guid = Annotated[str | None, BeforeValidator(to_guid), WithJsonSchema({"type": ["string", "null"], "format": "uuid"})]
TableName = Annotated[str, BeforeValidator(_table_or_none)]
MessageName = Annotated[str, BeforeValidator(to_message)]


def validated(model: type[AnyModel], document: Mapping[str, Any], shape: str) -> AnyModel:
    """`document` as `model`; `Rejected` (400) names every field that is wrong.

    `shape` says in a word what the body should be.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        faults = faults_of(error)
    raise not_a(shape, faults)


def faults_of(error: ValidationError, *at: str | int) -> list[Fault]:
    """What pydantic found wrong in the part of a body that is at `at`, without its values."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [Fault(pointer(*at, *it["loc"]), it["msg"].removeprefix("Value error, ")) for it in found]


def not_a(shape: str, faults: list[Fault]) -> Rejected:
    """The refusal of a body that is JSON, but not of the expected shape."""
    first = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:3])
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    return Rejected(400, f"The body is not a {shape}", f"{first}{more}.", faults=tuple(faults[:_MAX_FAULTS]))


def pointer(*path: str | int) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def correlation_id(headers: Mapping[str, str], in_body: object, event_id: str) -> str:
    """The correlation id: from Dataverse's header, else from the body, else made from the event id.

    Only ids of letters, digits and `. _ : | = -` are accepted, because an id becomes a table key and a message
    property.
    """
    for raw in (headers.get("x-ms-correlation-request-id"), headers.get("x-correlation-id"), in_body):
        found = kept_correlation_id(raw)
        if found is not None and found != _NO_GUID:
            return found
    return str(UUID(hex=event_id.rpartition("-")[2]))


def kept_correlation_id(raw: object) -> str | None:
    """A correlation id in its stored form: GUIDs in lower case without braces; None for text that cannot be one."""
    found = raw.strip().strip("{}") if isinstance(raw, str) else ""
    if _GUID.fullmatch(found):
        return found.lower()
    return found if _CORRELATION_ID.fullmatch(found) else None


def traceparent(headers: Mapping[str, str]) -> str | None:
    """The caller's W3C trace context, if it is valid."""
    raw = headers.get("traceparent", "").strip()
    return raw if _TRACEPARENT.fullmatch(raw) else None

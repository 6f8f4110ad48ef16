"""Turns Dataverse's error answers into errors of this package.

The codes are in "Web service error codes" of the Dataverse developer reference, and in "Service protection API limits".
Messages of Dataverse quote column values, so none of their text is passed on. Our message has the code, its name if it
is known, and those columns of our request that the text mentions.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from integration.errors import Conflict, IntegrationError, NotFound, Outage, Permanent, Throttled
from integration.transport import Response, failure

SERVICE = "dataverse"


@dataclass(frozen=True, slots=True)
class ODataError:
    """`{"error": {"code", "message"}}` with a code of Dataverse's, written as eight lower-case hex digits with `0x`."""

    code: str
    message: str


def error_of(response: Response) -> ODataError | None:
    """The error that Dataverse reports; None if the answer did not come from Dataverse (a gateway's page or JSON)."""
    try:
        content = response.json()
    except Outage:
        return None
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict):
        return None
    code = normal_code(str(error.get("code", "")))
    return ODataError(code, str(error.get("message", ""))) if code else None


def normal_code(code: str) -> str:
    """The code as `0x80072322`, also if it was written as `-2147015902`; empty text for anything else.

    Codes of Dataverse are Windows failures (HRESULT), in which the highest of 32 bits is set, so `404` is not one.
    """
    try:
        number = int(code, 0) & 0xFFFFFFFF
    except ValueError:
        return ""
    return f"0x{number:08x}" if number & 0x80000000 or code.lower() == "0x0" else ""


def dataverse_failure(
    response: Response, *, named: Iterable[str] = (), row: tuple[str, str] | None = None, etag: str | None = None
) -> IntegrationError:
    """The error for an answer that is not 2xx.

    `named` are the columns that the request named, `row` is the entity set and id of the row that it addressed, and
    `etag` is the ETag that it sent. The code decides if it says more than the status; `failure` decides the rest. A 412
    is a `Conflict` for an ETag, and `Permanent` for duplicates, since reading the row again would change nothing. The
    error is `NotFound` only if Dataverse says that this row does not exist: a wrong entity set, a gateway's 404, or
    another row that a plug-in did not find must not be mistaken for a deleted row.
    """
    error = error_of(response)
    if error is None:
        return failure(response, own=False)
    known = _MEANINGS.get(error.code) or _Meaning("")
    detail = " ".join(part for part in (error.code, known.name, _mentioned(error.message, named)) if part)
    message = f"dataverse answered {response.status} to '{response.request.operation}': {detail}"
    if known.error is NotFound:
        return _not_found(message, error.message, row)
    if known.error is not None:
        found = known.error(message, reason=known.reason, service=SERVICE)
        if isinstance(found, Throttled):
            found.retry_after = response.retry_after
        return found
    if response.status in {404, 410}:  # a code that we do not know: what does not exist need not be the row
        return Outage(message, reason=_UNREADABLE, service=SERVICE)
    if response.status == 412 and etag is not None:
        return Conflict(message, service=SERVICE)
    return failure(response, own=True, detail=detail)


def _not_found(message: str, said: str, row: tuple[str, str] | None) -> IntegrationError:
    """`NotFound` for the addressed row, unless Dataverse names another row that a plug-in or a lookup did not find."""
    others = {found.lower() for found in _GUID.findall(said)}
    if row is not None and others and row[1] not in others:
        return Permanent(
            f"{message} (another row than the one addressed)", reason="dataverse-rejected", service=SERVICE
        )
    table, record_id = row or (None, None)
    return NotFound(message, reason=ROW_NOT_FOUND, service=SERVICE, table=table, record_id=record_id)


def _mentioned(message: str, named: Iterable[str]) -> str:
    words = set(re.findall(r"[A-Za-z0-9_]+", message))
    columns = sorted(words.intersection(named))
    return f"(columns: {', '.join(columns)})" if columns else ""


_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_THROTTLED, _UNREADABLE = f"{SERVICE}-throttled", f"{SERVICE}-answer-unreadable"
ROW_NOT_FOUND = f"{SERVICE}-not-found"
"""The reason of `NotFound` for a row that does not exist, or no longer exists."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """A code's name, and the error that it stands for if the HTTP status alone would give another one."""

    name: str
    error: type[IntegrationError] | None = None
    reason: str | None = None


_MEANINGS = {
    "0x80060882": _Meaning("ConcurrencyVersionMismatch", Conflict),
    "0x80060883": _Meaning("ConcurrencyVersionNotProvided"),
    "0x80060891": _Meaning("RecordNotFoundByEntityKey", NotFound, ROW_NOT_FOUND),
    "0x80040217": _Meaning("ObjectDoesNotExist", NotFound, ROW_NOT_FOUND),
    "0x80040333": _Meaning("DuplicateRecordsFound", Permanent, "dataverse-duplicate"),
    "0x80060892": _Meaning("DuplicateRecordEntityKey", Permanent, "dataverse-duplicate"),
    "0x80040237": _Meaning("DuplicateRecord", Permanent, "dataverse-duplicate"),
    "0x80072321": _Meaning("CombinedExecutionTimeExceeded", Throttled, _THROTTLED),
    "0x80072322": _Meaning("NumberOfRequestsExceeded", Throttled, _THROTTLED),
    "0x80072326": _Meaning("ConcurrentRequestsExceeded", Throttled, _THROTTLED),
    "0x80040220": _Meaning("PrivilegeDenied", Outage, "dataverse-forbidden"),
    "0x80048306": _Meaning("PrivilegeDenied", Outage, "dataverse-forbidden"),
    "0x80040265": _Meaning("IsvAborted (a plug-in refused)", Permanent, "dataverse-plugin-refused"),
    "0x80044331": _Meaning("StringLengthTooLong"),
    "0x8004431a": _Meaning("PicklistValueOutOfRange"),
    "0x80040203": _Meaning("InvalidArgument"),
    "0x8006088a": _Meaning("(no such entity set)", Permanent, "dataverse-rejected"),
    "0x80060888": _Meaning("(no such entity set or column)", Permanent, "dataverse-rejected"),
    "0x80044352": _Meaning("ExpiredVersionStamp", Permanent, "change-tracking-expired"),
}

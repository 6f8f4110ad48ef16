"""What Dataverse's error answers mean.

Codes: "Web service error codes" in the Dataverse developer reference, and "Service protection API limits". Messages of
Dataverse quote column values, so none of their text is passed on: ours has the code, its name where known, and which of
the columns that we named ourselves the text mentions.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from integration.errors import Conflict, IntegrationError, NotFound, Permanent, Throttled, Transient
from integration.transport import Response, failure


@dataclass(frozen=True, slots=True)
class ODataError:
    """`{"error": {"code", "message"}}`; `code` as eight lower-case hex digits with `0x`, empty if there was none."""

    code: str = ""
    message: str = ""


def error_of(response: Response) -> ODataError:
    """The OData error in an answer; an empty one if a gateway answered with something else."""
    try:
        content = response.json()
    except Transient:
        return ODataError()
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict):
        return ODataError()
    return ODataError(normal_code(str(error.get("code", ""))), str(error.get("message", "")))


def normal_code(code: str) -> str:
    """Both forms that Dataverse uses, `0x80072322` and `-2147015902`, as the first one; anything else becomes empty."""
    try:
        number = int(code, 0)
    except ValueError:
        return ""
    return f"0x{number & 0xFFFFFFFF:08x}"


def dataverse_failure(response: Response, *, named: Iterable[str] = ()) -> IntegrationError:
    """The error for an answer that is not 2xx; `named` are the columns that the request named.

    The code decides where it says more than the status. A 412 is a `Conflict` for an ETag, and `Permanent` for
    duplicates, since reading the row again would change nothing. A 404 is `NotFound` only when Dataverse says that the
    row does not exist: a wrong entity set or environment must not pass for a deleted row.
    """
    error = error_of(response)
    known = _MEANINGS.get(error.code)
    parts = (error.code, known.name if known else "", _mentioned(error.message, named))
    detail = " ".join(part for part in parts if part)
    message = f"dataverse answered {response.status} to '{response.request.operation}': {detail}"
    if known is None or known.error is None:
        if response.status == 404:
            return Permanent(message, reason="dataverse-rejected")
        return failure(response, detail=detail)
    if known.error is Throttled:
        return Throttled(message, reason="dataverse-throttled", retry_after=response.retry_after)
    return known.error(message, reason=known.reason)


def _mentioned(message: str, named: Iterable[str]) -> str:
    words = set(re.findall(r"[A-Za-z0-9_]+", message))
    columns = sorted(words.intersection(named))
    return f"(columns: {', '.join(columns)})" if columns else ""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """A code's name, and the error it stands for if that is not what the HTTP status says."""

    name: str
    error: type[IntegrationError] | None = None
    reason: str | None = None


_MEANINGS = {
    "0x80060882": _Meaning("ConcurrencyVersionMismatch", Conflict),
    "0x80060883": _Meaning("ConcurrencyVersionNotProvided"),
    "0x80060891": _Meaning("RecordNotFoundByEntityKey", NotFound, "dataverse-not-found"),
    "0x80040217": _Meaning("ObjectDoesNotExist", NotFound, "dataverse-not-found"),
    "0x80040333": _Meaning("DuplicateRecordsFound", Permanent, "dataverse-duplicate"),
    "0x80060892": _Meaning("DuplicateRecordEntityKey", Permanent, "dataverse-duplicate"),
    "0x80040237": _Meaning("DuplicateRecord", Permanent, "dataverse-duplicate"),
    "0x80072321": _Meaning("CombinedExecutionTimeExceeded", Throttled),
    "0x80072322": _Meaning("NumberOfRequestsExceeded", Throttled),
    "0x80072326": _Meaning("ConcurrentRequestsExceeded", Throttled),
    "0x80040220": _Meaning("PrivilegeDenied", Transient, "dataverse-forbidden"),
    "0x80048306": _Meaning("PrivilegeDenied", Transient, "dataverse-forbidden"),
    "0x80040265": _Meaning("IsvAborted (a plug-in refused)", Permanent, "dataverse-plugin-refused"),
    "0x80044331": _Meaning("StringLengthTooLong"),
    "0x8004431a": _Meaning("PicklistValueOutOfRange"),
    "0x80040203": _Meaning("InvalidArgument"),
    "0x80044352": _Meaning("ExpiredVersionStamp", Permanent, "change-tracking-expired"),
}

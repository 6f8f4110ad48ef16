"""What the errors of Finance & Operations mean.

It answers `{"error": {"code": "", "message", "innererror": {"message", "type", "stacktrace"}}}`: no code, but the .NET
type of the exception, and in the inner message what X++ has written into its Infolog. So the type says whether it is
its own answer, and whether X++ refused the row. The text only gives a refusal its reason and a hint. It is in the
language of the app's user there, so that has to be English; but nothing that has to happen once depends on a text.

Texts: bodies that Finance & Operations has answered, as published with open-source integrations; the guide to connect
it says which were seen and which are assumed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from integration.errors import IntegrationError, NotFound, Outage, Permanent, Transient
from integration.transport import Response, failure

_OWN = re.compile(r"(Microsoft|System)\.[\w.+`]+")
_REFUSED = re.compile(r".*\.AxODataWriteException")
"""X++ has not written a row. A single request is answered 400 with it, a change set 500."""
_NEVER_A_REFUSAL = frozenset({401, 403, 408, 429, 502, 503, 504})
_FIELD = re.compile(r"in field '([A-Za-z][A-Za-z /&-]{0,40})' is not found in the related table")
_ACTIVITY = re.compile(r"[0-9a-fA-F-]{36}")


@dataclass(frozen=True, slots=True)
class _Word:
    """What a text in the Infolog stands for: the last part of the reason, and what people read."""

    text: re.Pattern[str]
    reason: str
    says: str


def _word(pattern: str, reason: str, says: str) -> _Word:
    return _Word(re.compile(pattern, re.IGNORECASE), reason, says)


_CONFLICT = re.compile(r"update conflict occurred|another user process|deadlock", re.IGNORECASE)
_COMPANY = re.compile(r"(company|legal entity) .*(does not exist|not accessible)", re.IGNORECASE)
_WORDS = (
    _word(r"\bperiods?\b.*\b(closed|not open|on hold|not available)\b", "period-closed", "the period is closed there"),
    _word(r"is not found in the related table", "value-unknown", "a value is unknown there"),
    _word(r"\bcustomer\b.*\b(on hold|blocked|stopped)\b", "customer-blocked", "the customer is on hold there"),
    _word(r"exceeds the maximum length|longer than|too long", "value-too-long", "a value is too long"),
    _word(r"invalid character|not a valid character", "value-invalid", "a value has characters that it does not take"),
    _word(
        r"number sequence|numbers? .*\bmanual",
        "rejected",
        "allow manual numbers in the number sequence, or let it number orders itself (orderNumbers)",
    ),
    _word(r"inventory dimension", "rejected", "name a site and a warehouse, or an item that is not stocked"),
    _word(r"record already exists", "rejected", "there is another row under the same key"),
)


def finance_operations_failure(response: Response) -> IntegrationError:
    """The error for an answer of Finance & Operations that is not 2xx, or for a part of a change set."""
    kind, text = _said(response)
    if response.status == 412:
        return _conflict(response, "the row has changed since it was read")
    if kind is None:
        return _absent(response) if _is_absent(response) else failure(response, own=False)
    if _REFUSED.fullmatch(kind) is None or response.status in _NEVER_A_REFUSAL:
        return failure(response, own=True, detail=kind.rpartition(".")[2])
    return _refused(response, text)


def _refused(response: Response, text: str) -> IntegrationError:
    """What X++ says no to."""
    request, service = response.request, response.request.service
    if _CONFLICT.search(text):
        return _conflict(response, "somebody else was changing the row")
    if _COMPANY.search(text):
        return Outage(
            f"{service} answered '{request.operation}': look at the company in the settings, and at the rights of "
            "the app's user",
            reason=f"{service}-forbidden",
            service=service,
        )
    word = next((word for word in _WORDS if word.text.search(text)), None)
    if word is None:
        return failure(response, own=True, detail=_detail(response, "refused by X++"))
    return Permanent(
        f"{service} answered {response.status} to '{request.operation}': {_detail(response, word.says + _field(text))}",
        reason=f"{service}-{word.reason}",
        service=service,
    )


def _is_absent(response: Response) -> bool:
    """A 404 for a row that was addressed by its key; whoever gets it looks whether the row is there."""
    return response.status == 404 and "(dataAreaId=" in response.request.url and not response.body.startswith(b"<")


def _absent(response: Response) -> NotFound:
    service = response.request.service
    return NotFound(
        f"{service} does not have what '{response.request.operation}' names", reason=f"{service}-not-found",
        service=service, table=response.request.operation.rpartition(" ")[2],
    )  # fmt: skip


def _conflict(response: Response, why: str) -> Transient:
    service = response.request.service
    return Transient(
        f"{service} answered {response.status} to '{response.request.operation}': {why}",
        reason=f"{service}-conflict",
        service=service,
    )


def _said(response: Response) -> tuple[str | None, str]:
    """The type of the exception and the text of an error in its own words; no type for anything else."""
    if not response.is_json:
        return None, ""
    try:
        content = response.json()
    except Outage:
        return None, ""
    error = content.get("error") if isinstance(content, Mapping) else None
    inner = error.get("innererror") if isinstance(error, Mapping) else None
    kind = inner.get("type") if isinstance(inner, Mapping) else None
    if not isinstance(kind, str) or _OWN.fullmatch(kind) is None:
        return None, ""
    text = inner.get("message") if isinstance(inner, Mapping) else ""
    return kind, " ".join(text.split()) if isinstance(text, str) else ""


def _field(text: str) -> str:
    """The label of the field that the Infolog names; never the value."""
    found = _FIELD.search(text)
    return f": {found[1]}" if found else ""


def _detail(response: Response, says: str) -> str:
    """What is said, and the id under which Finance & Operations has logged the call."""
    activity = response.headers.get("ms-dyn-aid", "")
    return says + (f", activity id {activity}" if _ACTIVITY.fullmatch(activity) else "")

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

from integration.errors import IntegrationError, NotFound, Outage, Permanent, Transient
from integration.systems.odata.calls import error_of
from integration.transport import Response, failure

_OWN = re.compile(r"(Microsoft|System)\.[\w.+`]+")
_REFUSED = re.compile(r".*\.AxODataWriteException")
"""X++ has not written a row. A single request is answered 400 with it, a change set 500."""
_NEVER_A_REFUSAL = frozenset({401, 403, 408, 429, 502, 503, 504})
_FIELD = re.compile(r"in field '([A-Za-z][A-Za-z /&-]{0,40})' is not found in the related table")
_ACTIVITY = re.compile(r"[0-9a-fA-F-]{36}")

_SAYS = {
    "conflict": "somebody else was changing the row",
    "forbidden": "look at the company in the settings, and at the rights of the app's user",
    "period-closed": "the period is closed there",
    "value-unknown": "a value is unknown there",
    "customer-blocked": "the customer is on hold there",
    "value-too-long": "a value is too long",
    "value-invalid": "a value has characters that it does not take",
}
_HINTS = (
    ("number sequence", "allow manual numbers in the number sequence, or let it number orders itself (orderNumbers)"),
    ("inventory dimension", "name a site and a warehouse, or an item that is not stocked"),
    ("record already exists", "there is another row under the same key"),
)
"""For people: what a text that has no reason of its own stands for."""


def finance_operations_failure(response: Response) -> IntegrationError:
    """The error for an answer of Finance & Operations that is not 2xx, or for a part of a change set."""
    kind, text = _said(response)
    if response.status == 412:
        service = response.request.service
        said = f"{service} answered 412 to '{response.request.operation}': the row has changed since it was read"
        return Transient(said, reason=f"{service}-conflict", service=service)
    if kind is None:
        return _absent(response) if _is_absent(response) else failure(response, own=False)
    if _REFUSED.fullmatch(kind) is None or response.status in _NEVER_A_REFUSAL:
        return failure(response, own=True, detail=kind.rpartition(".")[2])
    return _refused(response, text)


def _refused(response: Response, text: str) -> IntegrationError:
    """What X++ says no to."""
    request, service = response.request, response.request.service
    kind, word = _meaning(text)
    says = _SAYS.get(word) or next((hint for part, hint in _HINTS if part in text.casefold()), "")
    if not says:
        return failure(response, own=True, detail=_detail(response, "refused by X++"))
    said = _detail(response, says + _field(text))
    return kind(
        f"{service} answered {response.status} to '{request.operation}': {said}",
        reason=f"{service}-{word}",
        service=service,
    )


def _meaning(text: str) -> tuple[type[Outage | Transient | Permanent], str]:
    """The error for what stands in the Infolog."""
    for pattern, meaning in (
        (r"update conflict occurred|another user process|deadlock", (Transient, "conflict")),
        (r"(company|legal entity) .*(does not exist|not accessible)", (Outage, "forbidden")),
        (r"\bperiods?\b.*\b(closed|not open|on hold|not available)\b", (Permanent, "period-closed")),
        (r"is not found in the related table", (Permanent, "value-unknown")),
        (r"\bcustomer\b.*\b(on hold|blocked|stopped)\b", (Permanent, "customer-blocked")),
        (r"exceeds the maximum length|longer than|too long", (Permanent, "value-too-long")),
        (r"(invalid|not a valid) character", (Permanent, "value-invalid")),
    ):
        if re.search(pattern, text, re.IGNORECASE):
            return meaning
    return Permanent, "rejected"


def _is_absent(response: Response) -> bool:
    """A 404 for a row that was addressed by its key; whoever gets it looks whether the row is there."""
    return response.status == 404 and "(dataAreaId=" in response.request.url and not response.body.startswith(b"<")


def _absent(response: Response) -> NotFound:
    service = response.request.service
    return NotFound(
        f"{service} does not have what '{response.request.operation}' names", reason=f"{service}-not-found",
        service=service, table=response.request.operation.rpartition(" ")[2],
    )  # fmt: skip


def _said(response: Response) -> tuple[str | None, str]:
    """The type of the exception and the text of an error in its own words; no type for anything else."""
    inner = error_of(response).get("innererror")
    kind, text = (inner.get("type"), inner.get("message", "")) if isinstance(inner, Mapping) else (None, "")
    if not isinstance(kind, str) or _OWN.fullmatch(kind) is None:
        return None, ""
    return kind, " ".join(text.split()) if isinstance(text, str) else ""


def _field(text: str) -> str:
    """The label of the field that the Infolog names; never the value."""
    found = _FIELD.search(text)
    return f": {found[1]}" if found else ""


def _detail(response: Response, says: str) -> str:
    """What is said, and the id under which Finance & Operations has logged the call."""
    activity = response.headers.get("ms-dyn-aid", "")
    return says + (f", activity id {activity}" if _ACTIVITY.fullmatch(activity) else "")

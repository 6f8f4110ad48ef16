"""What Business Central's errors mean. The code decides, never the text, which quotes values and is translated.

The text of a refusal only gives it its reason for people; the outcome is the same without it. The app asks for English.

Codes: "Error codes" of the Business Central web services, Microsoft Learn.
"""

import re

from integration.errors import IntegrationError, NotFound, Outage, Permanent
from integration.systems.odata.calls import error_of
from integration.transport import Response, failure

_OWN = re.compile(r"(BadRequest|Authentication|Authorization|Internal|Application|Request)(_\w+)?|Unknown")
_EXISTS = "Internal_EntityWithSameKeyExists"
_NOT_THERE = "Internal_RecordNotFound"
_SETUP = frozenset({"Internal_CompanyNotFound", "Internal_TenantUnavailable"})
_CORRELATION = re.compile(r"CorrelationId:\s*([0-9a-fA-F-]{36})")

_HINTS = (
    ("enter numbers manually", "switch on 'Manual Nos.' for the number series of customers"),
    ("does not match to a customer", "the customer is unknown there"),
    ("does not match to a currency", "the currency is unknown there"),
)
"""For people: what a text stands for."""
_SAYS = {
    "customer-blocked": "the customer is blocked there",
    "order-confirmed": "the order is released there: reopen it, then send the event again",
    "value-unknown": "a value is unknown there",
    "value-too-long": "a value is too long",
    "value-invalid": "a value is not of the kind that it takes",
    "period-closed": "the posting date is not allowed there",
}


class AlreadyExists(Permanent):
    """The key that was sent is taken: by an earlier attempt of ours, or by somebody else's row."""


def business_central_failure(response: Response) -> IntegrationError:
    """The error for an answer of Business Central that is not 2xx."""
    code, text = _said(response)
    request, service = response.request, response.request.service
    if code is None or code in _SETUP:
        return _misconfigured(response, code) if code else failure(response, own=False)
    if response.status == 404 and code == _NOT_THERE:
        kind = request.url.partition("?")[0].rpartition("/")[2].partition("(")[0]
        return NotFound(
            f"{service} does not have what '{request.operation}' names", reason=f"{service}-not-found",
            service=service, table=kind,
        )  # fmt: skip
    if response.status == 400 and code == _EXISTS:
        return AlreadyExists(f"{service} has another row under the same key", reason=f"{service}-rejected")
    if response.status == 400:
        refused, word = _meaning(code, text)
        if word != "rejected":
            said = _detail(code, text, _SAYS[word])
            return refused(
                f"{service} answered 400 to '{request.operation}': {said}", reason=f"{service}-{word}", service=service
            )
    return failure(response, own=True, detail=_detail(code, text))


def _meaning(code: str, text: str) -> tuple[type[Permanent], str]:
    """The error for a refusal of the content."""
    for pattern, meaning in (
        (r"Application_StringExceededLength", (Permanent, "value-too-long")),
        (r"Internal_InvalidTableRelation", (Permanent, "value-unknown")),
        (r"Application_FieldValidationException", (Permanent, "value-invalid")),
        (r"Application_DialogException .*\bis blocked\b", (Permanent, "customer-blocked")),
        (r"Application_DialogException .*does not match to a (customer|currency)", (Permanent, "value-unknown")),
        (r"Application_DialogException .*must be equal to 'open'", (Permanent, "order-confirmed")),
        (r"Application_DialogException .*\ballowed posting dates\b", (Permanent, "period-closed")),
    ):
        if re.match(pattern, f"{code} {text}", re.IGNORECASE):
            return meaning
    return Permanent, "rejected"


def _misconfigured(response: Response, code: str) -> Outage:
    service = response.request.service
    return Outage(
        f"{service} answered '{response.request.operation}' with {code}: look at its company and environment in the "
        "settings",
        reason=f"{service}-forbidden",
        service=service,
    )


def _said(response: Response) -> tuple[str | None, str]:
    """The code and the text of an error in Business Central's own words; no code for anything else."""
    error = error_of(response)
    code, text = error.get("code"), error.get("message", "")
    if not isinstance(code, str) or _OWN.fullmatch(code) is None:
        return None, ""
    return code, text if isinstance(text, str) else ""


def _detail(code: str, text: str, says: str = "") -> str:
    """The code, what it stands for where that is known, and the id under which Business Central has logged it."""
    says = next((hint for part, hint in _HINTS if part in text.casefold()), says)
    hint = f" ({says})" if says else ""
    found = _CORRELATION.search(text)
    return f"{code}{hint}" + (f", correlation id {found[1]}" if found else "")

"""What Business Central's errors mean. The code decides, never the text, which quotes values and is translated.

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
    ("is blocked", "the customer is blocked there"),
    ("must be equal to 'open'", "the order is released there: reopen it, then send the event again"),
    ("does not match to a customer", "the customer is unknown there"),
    ("does not match to a currency", "the currency is unknown there"),
)
"""For people: what a text that is known stands for. It decides nothing."""


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
    return failure(response, own=True, detail=_detail(code, text))


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


def _detail(code: str, text: str) -> str:
    """The code, what it stands for where that is known, and the id under which Business Central has logged it."""
    hint = next((f" ({hint})" for part, hint in _HINTS if part in text.casefold()), "")
    found = _CORRELATION.search(text)
    return f"{code}{hint}" + (f", correlation id {found[1]}" if found else "")

"""What Creditsafe's refusals mean.

They are `{"message": ..., "details": ..., "correlationId": ...}`, or have codes in `messages`.
"""

from collections.abc import Mapping
from typing import Any

from integration.errors import IntegrationError, Outage, Permanent, Throttled
from integration.transport import Response, failure

REPORT = "report"
"""The operation that is charged."""

_OWN = frozenset({"correlationId", "details", "messages"})
"""One of these is in each of its refusals; `message` alone is also what a gateway in front of it says."""

_WINDOW = 60.0
"""Seconds: requests are counted for each minute (doc.creditsafe.com, Rate Limiting); a 429 need not say how long."""


def creditsafe_failure(response: Response) -> IntegrationError:
    """The error for an answer that is not 2xx.

    | status | in its own words                                             |
    |--------|--------------------------------------------------------------|
    | 302    | of a report: it is too large (10 MB) to be sent in an answer |
    | 402    | there is no subscription: an outage                          |
    | 403    | the contract does not have the company's country             |
    | 404    | there is no such company                                     |
    | 429    | wait for a minute, unless it says how long                   |

    Everything else as `failure` has it.
    """
    request, status = response.request, response.status
    service = request.service
    if status == 429:
        return Throttled(
            f"{service} asked for a pause ({status})",
            reason=f"{service}-throttled",
            retry_after=response.retry_after or _WINDOW,
            service=service,
        )
    if status == 302 and request.operation == REPORT:
        return report_too_large(service)
    if words_of(response) is None:
        return failure(response, own=False)
    if status in {402, 403}:
        return _not_subscribed(service, status)
    return company_unknown(service) if status == 404 else failure(response, own=True)


def _not_subscribed(service: str, status: int) -> IntegrationError:
    if status == 402:
        return Outage(
            f"{service} says that there is no subscription", reason=f"{service}-no-subscription", service=service
        )
    return Permanent(
        f"{service} has no access to reports of this country: add it to the contract, then resubmit",
        reason=f"{service}-not-in-contract",
        service=service,
    )


def report_too_large(service: str) -> Permanent:
    """The report does not fit into an answer, for Creditsafe (10 MB) or for this app."""
    return Permanent(
        f"{service} has a report that is too large for an answer: score the customer by hand",
        reason=f"{service}-report-too-large",
        service=service,
    )


def company_unknown(service: str) -> Permanent:
    """No company has this number in this country."""
    return Permanent(
        f"{service} knows no company with this registration number: correct it at the account, then resubmit",
        reason=f"{service}-company-unknown",
        service=service,
    )


def words_of(response: Response) -> Mapping[str, Any] | None:
    """What Creditsafe itself says; None for an answer that may be anybody's."""
    try:
        content = response.json() if response.is_json else None
    except Outage:
        return None
    return content if isinstance(content, Mapping) and not _OWN.isdisjoint(content) else None


def has_no_report(response: Response) -> bool:
    """Whether it says that it has no report of this company (400, ReportUnavailable)."""
    words = words_of(response) or {}
    messages = words.get("messages")
    return response.status == 400 and any(
        isinstance(it, Mapping) and it.get("code") == "ReportUnavailable"
        for it in (messages if isinstance(messages, list) else ())
    )

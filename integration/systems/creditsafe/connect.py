"""The two calls: look for a company, read its credit report."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal, get_args
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from integration.errors import Outage, Permanent, Transient
from integration.systems.creditsafe.errors import (
    REPORT,
    company_unknown,
    creditsafe_failure,
    has_no_report,
    report_too_large,
)
from integration.transport import Authorizer, CallContext, Request, Response, Sender, validated

Band = Literal["A", "B", "C", "D", "E"]
"""Creditsafe's international score: very low, low, moderate and high risk, and not rated."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What is kept of a report: `score` from 0 to 1000, `limit` in `currency`; None where it has none."""

    company: str
    active: bool
    band: Band | None
    score: int | None
    limit: Decimal | None
    currency: str | None


class Connect:
    """Calls of `/companies`; raises what the sender raises, and `creditsafe_failure`."""

    def __init__(self, sender: Sender, authorizer: Authorizer, service: str, base_url: str) -> None:
        self.service = service
        self._sender = sender
        self._authorizer = authorizer
        self._root = f"{base_url.rstrip('/')}/companies"

    async def find(self, number: str, country: str, *, context: CallContext) -> str:
        """The id of the company with exactly this number; raises `Permanent` where there is none, or more than one."""
        query = urlencode({"countries": country, "regNo": number, "exact": "True", "pageSize": 10})
        answer = await self._ask("find company", f"{self._root}?{query}", context)
        if not answer.ok:
            raise creditsafe_failure(answer)
        found = sorted({it.id for it in validated(_Found, answer).companies})
        if not found:
            raise company_unknown(self.service)
        if len(found) > 1:
            raise Permanent(
                f"{self.service} has {len(found)} companies with this registration number: score the customer by hand",
                reason=f"{self.service}-company-ambiguous",
                service=self.service,
            )
        return found[0]

    async def rating(self, company: str, *, context: CallContext) -> Rating | None:
        """The rating in a company's report, which is charged; None where there is no report.

        An answer that was charged is not asked for again because it cannot be read: that is `Permanent`.
        """
        try:
            answer = await self._ask(REPORT, f"{self._root}/{quote(company, safe='')}?language=en", context)
        except Transient as error:
            if error.reason.endswith("-answer-too-large"):
                raise report_too_large(self.service) from error
            raise
        if has_no_report(answer):
            return None
        if not answer.ok:
            raise creditsafe_failure(answer)
        try:
            return _rating(company, validated(_Answer, answer).report)
        except Outage as error:
            if not error.reason.endswith("-answer-invalid"):
                raise  # a page of something that answers in its place
            raise Permanent(str(error), reason=f"{self.service}-report-unreadable", service=self.service) from error

    async def _ask(self, operation: str, url: str, context: CallContext) -> Response:
        request = Request(self.service, operation, "GET", url)
        return await self._sender.send(request, authorizer=self._authorizer, context=context)


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _Company(_Part):
    id: str = Field(min_length=1)


class _Found(_Part):
    companies: list[_Company]


class _Status(_Part):
    status: str | None = None


class _Summary(_Part):
    company_status: _Status = _Status()


class _Amount(_Part):
    value: Decimal | str | None = None
    currency: str | None = None


class _ProviderValue(_Part):
    value: Decimal | str | None = None
    min_value: Decimal | str | None = None
    max_value: Decimal | str | None = None


class _CurrentRating(_Part):
    common_value: str | None = None
    credit_limit: _Amount = _Amount()
    provider_value: _ProviderValue = _ProviderValue()


class _Score(_Part):
    current_credit_rating: _CurrentRating = _CurrentRating()


class _Report(_Part):
    company_summary: _Summary
    credit_score: _Score = _Score()


class _Answer(_Part):
    report: _Report


def _rating(company: str, report: _Report) -> Rating:
    current = report.credit_score.current_credit_rating
    band = current.common_value
    return Rating(
        company=company,
        active=report.company_summary.company_status.status == "Active",
        band=band if band in get_args(Band) else None,  # type: ignore[arg-type]
        score=_thousandths(current.provider_value),
        limit=_number(current.credit_limit.value),
        currency=current.credit_limit.currency,
    )


def _thousandths(given: _ProviderValue) -> int | None:
    """A country's own score on the scale of the port: 0 is its lowest value, 1000 its highest."""
    value = _number(given.value)
    lowest, highest = _number(given.min_value) or Decimal(0), _number(given.max_value) or Decimal(100)
    if value is None or highest <= lowest or not lowest <= value <= highest:
        return None
    return int((value - lowest) / (highest - lowest) * 1000)


def _number(value: Decimal | str | None) -> Decimal | None:
    """A number, also one in a text; None for words (`Not Scored`)."""
    try:
        number = None if value is None else Decimal(value)
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None

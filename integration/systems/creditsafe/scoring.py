"""From a company's rating to a decision about an amount."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal, Self

from integration.clock import Clock
from integration.errors import Permanent
from integration.protection import SharedState
from integration.systems.creditsafe.connect import Connect, Rating
from integration.systems.creditsafe.ratings import Ratings
from integration.systems.messages import Company, CreditScore, Decision
from integration.systems.safety import Safety
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Sender

_GOOD, _REFUSED = frozenset({"A", "B"}), "D"
_NO_CURRENCY = "XXX"
_UNSCORED = CreditScore(score_id="none", score=None, decision="review")
"""Nobody could say anything: people decide."""


class Creditsafe:
    """`Scoring` over Creditsafe Connect. A report is charged, once for all amounts of its company within `days`.

    `countries` gives the ISO 3166 code for what accounts say in words (`Austria`).
    """

    safety: ClassVar[Mapping[str, Safety]] = {"score": Safety.READ}

    def __init__(self, ratings: Ratings, service: str, countries: Mapping[str, str]) -> None:
        self._ratings = ratings
        self._service = service
        self._countries = {name.casefold().strip(): code for name, code in countries.items()}

    @classmethod
    def over(
        cls,
        sender: Sender,
        authorizer: Authorizer,
        service: str,
        *,
        base_url: str,
        store: SharedState,
        countries: Mapping[str, str],
        days: float,
        clock: Clock,
    ) -> Self:
        """The adapter over its calls; `base_url` ends with `/v1`."""
        connect = Connect(sender, authorizer, service, base_url)
        return cls(Ratings(connect, store, clock, days=days), service, countries)

    async def score(
        self,
        *,
        subject_id: str,  # noqa: ARG002 -- a company is known by its number there
        subject_kind: Literal["account", "contact"],
        amount: Decimal,
        currency: str,
        reference: str,  # noqa: ARG002 -- as above
        key: str,  # noqa: ARG002 -- Creditsafe has no Idempotency-Key: the answer itself is kept
        company: Company | None = None,
        context: CallContext = NO_CONTEXT,
    ) -> CreditScore:
        """The decision about an amount; people are not scored, and their amounts are for people to review.

        Raises `Permanent`: `<service>-company-incomplete` where the account lacks registration number or country,
        `<service>-country-unknown` for a country that `countries` does not have, and what `Connect` raises.
        """
        if currency == _NO_CURRENCY:
            raise Permanent(
                "an amount in no currency cannot be compared with a limit",
                reason=f"{self._service}-rejected",
                service=self._service,
            )
        if subject_kind == "contact":
            return _UNSCORED
        number, country = self._identified(company or Company())
        rating = await self._ratings.of(number, country, context=context)
        return _UNSCORED if rating is None else scored(rating, amount, currency)

    def _identified(self, company: Company) -> tuple[str, str]:
        given = {"registration number": company.registration_number, "country": company.country}
        missing = [name for name, value in given.items() if not value]
        if missing or not company.registration_number or not company.country:
            raise Permanent(
                f"the account lacks its {' and '.join(missing)}: fill in, then resubmit",
                reason=f"{self._service}-company-incomplete",
                service=self._service,
            )
        return company.registration_number.strip(), self._code(company.country)

    def _code(self, country: str) -> str:
        """Two letters are a code; everything else has to be in the settings."""
        text = country.strip()
        if text.casefold() in self._countries:
            return self._countries[text.casefold()]
        if len(text) == 2 and text.isascii() and text.isalpha():
            return text.upper()
        raise Permanent(
            "the account's country has no ISO code: add it to `countries` of the system, then resubmit",
            reason=f"{self._service}-country-unknown",
            service=self._service,
        )


def scored(rating: Rating, amount: Decimal, currency: str) -> CreditScore:
    """The rating and the decision about an amount.

    Refused: a company that is not active, or of high risk (D). Approved: of very low or low risk (A, B), with an amount
    within the limit, in its currency. Everything else is for people: moderate risk, no rating, no limit, another
    currency. What is not known is never taken for a limit of 0, or for none.
    """
    decision: Decision = "review"
    if not rating.active or rating.band == _REFUSED:
        decision = "refused"
    elif rating.band in _GOOD and rating.limit is not None and rating.currency == currency and amount <= rating.limit:
        decision = "approved"
    return CreditScore(
        score_id=rating.company,
        score=rating.score,
        decision=decision,
        band=rating.band,
        limit=rating.limit,
        limit_currency=rating.currency,
    )

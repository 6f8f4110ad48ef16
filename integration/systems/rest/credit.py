"""Credit scoring: every answer is charged, the same Idempotency-Key is charged once."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal

from integration.systems.messages import Amount, Company, CreditScore, Message
from integration.systems.rest.calls import RestSystem, rest_failure
from integration.systems.safety import Safety
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Sender, validated


class ScoreRequest(Message):
    """What is asked."""

    subject_id: str
    subject_kind: Literal["account", "contact"]
    amount: Amount
    currency: str
    reference: str
    company: Company | None = None


class CreditClient:
    """`Scoring` over a REST interface; raises what the transport raises, and `rest_failure`'s errors."""

    safety: ClassVar[Mapping[str, Safety]] = {"score": Safety.KEY_HONOURED}

    def __init__(self, sender: Sender, authorizer: Authorizer, base_url: str, *, service: str = "credit") -> None:
        self._system = RestSystem(sender, service, base_url.rstrip("/"), authorizer)

    async def score(
        self,
        *,
        subject_id: str,
        subject_kind: Literal["account", "contact"],
        amount: Decimal,
        currency: str,
        reference: str,
        key: str,
        company: Company | None = None,
        context: CallContext = NO_CONTEXT,
    ) -> CreditScore:
        """Score the customer for an amount; `reference` is the opportunity's id."""
        known = {} if company is None else {"company": company}
        asked = ScoreRequest(
            subject_id=subject_id,
            subject_kind=subject_kind,
            amount=amount,
            currency=currency,
            reference=reference,
            **known,
        )
        answer = await self._system.call("score", "POST", "/api/scores", asked, key=key, context=context)
        if answer.ok:
            return validated(CreditScore, answer)
        raise rest_failure(answer)

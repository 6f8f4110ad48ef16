"""Credit scoring: every answer is charged, the same Idempotency-Key is charged once."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from integration.transport import NO_CONTEXT, Authorizer, CallContext, Transport, failure, validated
from integration.transport.rest import Amount, Message, RestSystem, problem_of

Decision = Literal["approved", "review", "refused"]


class ScoreRequest(Message):
    """What is asked."""

    subject_id: str
    subject_kind: Literal["account", "contact"]
    amount: Amount
    currency: str
    reference: str


class CreditScore(Message):
    """What is answered; `score` from 0 to 1000."""

    score_id: str = Field(min_length=1)
    score: int = Field(ge=0, le=1000)
    decision: Decision


class CreditClient:
    """Client of the credit scoring service; raises what the transport raises, and `failure`'s errors for refusals."""

    def __init__(self, transport: Transport, authorizer: Authorizer, base_url: str) -> None:
        self._system = RestSystem(transport, "credit", base_url.rstrip("/"), authorizer)

    def score(
        self,
        *,
        subject_id: str,
        subject_kind: Literal["account", "contact"],
        amount: Decimal,
        currency: str,
        reference: str,
        key: str,
        context: CallContext = NO_CONTEXT,
    ) -> CreditScore:
        """Score the customer for an amount; `reference` is the opportunity's id."""
        asked = ScoreRequest(
            subject_id=subject_id,
            subject_kind=subject_kind,
            amount=amount,
            currency=currency,
            reference=reference,
        )
        answer = self._system.call("score", "POST", "/api/scores", asked, key=key, context=context)
        if answer.ok:
            return validated(CreditScore, answer)
        raise failure(answer, detail=problem_of(answer).detail)

"""The ratings that were charged, kept so that no report is charged twice."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from integration.clock import Clock
from integration.errors import Conflict, IntegrationError, Transient
from integration.protection import SharedState
from integration.systems.creditsafe.connect import Connect, Rating
from integration.transport import CallContext

_ASKING_SECONDS = 150.0
"""How long another attempt may be at its request; then it is taken for dead."""


class Ratings:
    """One report for each company, which is good for `days`; in a store that all instances share.

    That a report is asked for is written down before, so that two events of one customer do not ask at once. Where a
    process has died between an answer and the note of it, it is asked for again, which may be charged again.
    """

    def __init__(self, connect: Connect, store: SharedState, clock: Clock, *, days: float) -> None:
        self._connect = connect
        self._store = store
        self._clock = clock
        self._good_for = timedelta(days=days)

    async def of(self, number: str, country: str, *, context: CallContext) -> Rating | None:
        """The rating of a company, None where Creditsafe has no report of it.

        Raises `Transient` (`<service>-conflict`) while another attempt asks for it, and what `Connect` raises.
        """
        key = f"{self._connect.service}.report.{_key(country, number)}"
        document, etag = await self._store.read(key)
        kept = dict(document or {})
        if (known := self._good(kept)) is not None:
            return known
        self._refuse_while_asked(kept)
        etag = await self._write(key, {"asked": self._clock.now().isoformat()}, etag)
        try:
            company = await self._connect.find(number, country, context=context)
            rating = await self._connect.rating(company, context=context)
        except IntegrationError:
            await self._write(key, {}, etag)
            raise
        await self._write(key, {} if rating is None else self._document(rating), etag)
        return rating

    def _good(self, kept: Mapping[str, Any]) -> Rating | None:
        if "rating" not in kept or datetime.fromisoformat(kept["read"]) + self._good_for <= self._clock.now():
            return None
        fields = dict(kept["rating"])
        limit = fields.pop("limit")
        return Rating(**fields, limit=None if limit is None else Decimal(limit))

    def _document(self, rating: Rating) -> dict[str, Any]:
        fields = asdict(rating)
        fields["limit"] = None if rating.limit is None else str(rating.limit)
        return {"read": self._clock.now().isoformat(), "rating": fields}

    def _refuse_while_asked(self, kept: Mapping[str, Any]) -> None:
        if "asked" in kept:
            until = datetime.fromisoformat(kept["asked"]) + timedelta(seconds=_ASKING_SECONDS)
            left = (until - self._clock.now()).total_seconds()
            if left > 0:
                raise self._conflict(left)

    async def _write(self, key: str, document: Mapping[str, Any], etag: str | None) -> str:
        try:
            return await self._store.write(key, document, etag)
        except Conflict as error:
            raise self._conflict(1.0) from error

    def _conflict(self, seconds: float) -> Transient:
        service = self._connect.service
        return Transient(
            f"another attempt asks {service} for the same company",
            reason=f"{service}-conflict",
            service=service,
            retry_after=seconds,
        )


def _key(country: str, number: str) -> str:
    """The numbers of some registers hold characters that a key of a table must not have."""
    return hashlib.sha256(f"{country}:{number}".encode()).hexdigest()[:24]

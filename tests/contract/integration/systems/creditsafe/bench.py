"""An adapter of Creditsafe over its stand-in, and what that has charged."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from integration.errors import IntegrationError
from integration.protection import MemoryState, SharedState
from integration.systems import Company, CreditScore
from integration.systems.creditsafe import Creditsafe, creditsafe_tokens
from integration.transport import Host, Limits, Sender, Transport
from tests.contract.integration.systems.subjects import MovedClock
from tests.contract.sandbox.systems.stand_in import StandIn

LIMITS = Limits(connect=2.0, read=5.0, total=5.0)
PASSWORD = "creditsafe-sandbox-secret"


class Bench:
    """An adapter, its store and its clock, for one company whose number no other test uses."""

    def __init__(self, system: StandIn) -> None:
        self.system = system
        self.clock = MovedClock()
        self.store: SharedState = MemoryState()
        self.set_limits(LIMITS)
        self.number = uuid4().hex[:10]

    def set_limits(self, limits: Limits) -> None:
        """How long a call may take, and how large an answer may be, from now on."""
        self.transport = Transport([Host(self.system.url, limits=limits)], clock=self.clock)

    def adapter(
        self,
        through: Callable[[Sender], Sender] = lambda sender: sender,
        store: Callable[[SharedState], SharedState] = lambda store: store,
        password: str = PASSWORD,
    ) -> Creditsafe:
        """As a process that has just started has it."""
        base = f"{self.system.url}/v1"
        tokens = creditsafe_tokens(
            self.transport,
            service="credit",
            base_url=base,
            username="creditsafe-sandbox-client",
            password=password,
            clock=self.clock,
        )
        return Creditsafe.over(
            through(self.transport),
            tokens,
            "credit",
            base_url=base,
            store=store(self.store),
            countries={"Austria": "AT", "Österreich": "AT"},
            days=30,
            clock=self.clock,
        )

    def question(self, **changes: Any) -> dict[str, Any]:
        return {
            "subject_id": "a",
            "subject_kind": "account",
            "amount": Decimal(48_000),
            "currency": "EUR",
            "reference": "o",
            "key": "k",
            "company": Company(registration_number=self.number, country="Austria"),
        } | changes

    async def ask(self, **changes: Any) -> CreditScore:
        return await self.adapter().score(**self.question(**changes))

    async def refused(self, **changes: Any) -> IntegrationError:
        with pytest.raises(IntegrationError) as raised:
            await self.ask(**changes)
        return raised.value

    def companies(self, *companies: dict[str, Any], country: str = "AT") -> None:
        """Which companies there are under the number."""
        self.system.control("PUT", f"companies/{country}/{self.number}", json=list(companies))

    def charged(self) -> int:
        """How many reports of the company were charged."""
        charges = self.system.control("GET", "charges").json()["charges"]
        return sum(it["regNo"] == self.number for it in charges)

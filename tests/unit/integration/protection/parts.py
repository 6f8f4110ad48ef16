"""Switches of several instances, and the store that they share."""

import asyncio
from collections.abc import Mapping
from typing import Any

from integration.errors import Outage, Transient
from integration.protection import BreakerPolicy, MemoryState, Switch
from integration.protection.switch import Pass
from tests.unit.integration.transport.parts import ManualClock

POLICY = BreakerPolicy(outages=5, first_open=10, longest_open=300, probe=60)
TIMEOUT = Outage("erp did not answer", reason="erp-timeout", service="erp")


class Store(MemoryState):
    """Counts what is asked of it, can be away, and can take its time to answer (`gate`)."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = self.writes = 0
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, key: str) -> tuple[Mapping[str, Any] | None, str | None]:
        self.reads += 1
        self._answer()
        answer = await super().read(key)
        await self.gate.wait()
        return answer

    async def write(self, key: str, value: Mapping[str, Any], etag: str | None) -> str:
        self.writes += 1
        self._answer()
        return await super().write(key, value, etag)

    def _answer(self) -> None:
        if self.away:
            raise Transient("the tables are away", reason="ledger-unavailable")


def switch(shared: Store, clock: ManualClock) -> Switch:
    """One instance's."""
    return Switch("erp", shared, clock, full=16, policy=POLICY, draw=lambda: 0.999999)


async def call(one: Switch, error: BaseException | None = None) -> Pass:
    """A call that ends so at once."""
    given = await one.admit()
    await one.saw(given, error)
    return given

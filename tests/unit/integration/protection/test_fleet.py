"""Three instances that share one breaker, through whatever happens."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from integration.errors import Paused, Throttled
from integration.protection import Phase, Switch
from integration.protection.switch import Pass
from tests.unit.integration.protection.parts import POLICY, TIMEOUT, Store, call, switch
from tests.unit.integration.transport.parts import ManualClock


@dataclass
class Fleet:
    """The instances, and the calls that are under way with the time they began."""

    shared: Store = field(default_factory=Store)
    clock: ManualClock = field(default_factory=ManualClock)
    under_way: list[tuple[Switch, Pass, float]] = field(default_factory=list)
    store_was_always_there: bool = True

    def __post_init__(self) -> None:
        self.instances = [switch(self.shared, self.clock) for _ in range(3)]

    async def step(self, what: str, one: Switch, amount: int) -> None:
        """Something happens to one instance."""
        if what == "begin":
            await self.begin(one)
        elif what == "wait":
            self.clock.elapsed += amount
            await asyncio.sleep(0)
        elif what == "store":
            self.shared.away, self.store_was_always_there = not self.shared.away, False
        elif what in {"pause", "resume"}:
            if not self.shared.away:
                await (one.pause(by="ann", why="x") if what == "pause" else one.resume())
        elif self.under_way:
            await self.end(what, amount)

    async def begin(self, one: Switch) -> None:
        try:
            allowed = await one.admit()
        except (Paused, Throttled):
            return
        self.under_way.append((one, allowed, self.clock.elapsed))

    async def end(self, what: str, amount: int) -> None:
        one, allowed, _ = self.under_way.pop(amount % len(self.under_way))
        outcomes = {"answer": None, "outage": TIMEOUT, "throttle": Throttled("wait", retry_after=amount)}
        await one.saw(allowed, outcomes.get(what, asyncio.CancelledError()))

    @property
    def probes(self) -> int:
        """How many are under way whose claim has not lapsed."""
        now = self.clock.elapsed
        return sum(allowed.probe and now - at < POLICY.probe for _, allowed, at in self.under_way)

    async def recover(self) -> None:
        """All is well from here on: the store is there, nobody pauses the system, and it answers."""
        self.shared.away = False
        await self.instances[0].resume()
        while self.under_way:
            await self.end("give up", 0)
        for _ in range(10):
            self.clock.elapsed += POLICY.longest_open
            for one in self.instances:
                try:
                    await call(one)
                except (Paused, Throttled):
                    await asyncio.sleep(0.001)
        self.clock.elapsed += POLICY.ramp_step * 10


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "answer", "outage", "give up", "throttle", "wait", "pause", "resume", "store"]),
        st.integers(0, 2),
        st.integers(0, 40),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_one_probes_at_a_time_and_all_recover(steps: list[tuple[str, int, int]]) -> None:
    """Calls overlap, people interfere, the store comes and goes: two never probe at once while it is there."""

    async def run() -> None:
        fleet = Fleet()
        for what, number, amount in steps:
            await fleet.step(what, fleet.instances[number], amount)
            assert fleet.probes <= 1 or not fleet.store_was_always_there
        await fleet.recover()
        assert [(await one.admit()).limit for one in fleet.instances] == [16] * 3
        assert (await fleet.instances[0].state()).phase is Phase.CLOSED

    asyncio.run(run())

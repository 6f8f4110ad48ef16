"""What operators are told: once for each cause, until the receiver has it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from integration.errors import Outage
from integration.ledger import keys
from integration.operations.budgets import Use
from integration.operations.causes import HOURS, Cause, Causes
from integration.operations.drift import Difference, Drift, DriftReport
from integration.operations.operator_events import OperatorEvents
from integration.operations.operator_events.conditions import Picture
from integration.protection import Phase, SystemState
from tests.memory_table import ManualClock, MemoryLedger


@dataclass
class Told:
    """A receiver that may be away, and the app that tells it of a picture which the test changes."""

    clock: ManualClock = field(default_factory=ManualClock)
    events: list[Mapping[str, Any]] = field(default_factory=list)
    away: bool = False
    systems: dict[str, SystemState] = field(default_factory=dict)
    budgets: dict[str, Use] = field(default_factory=dict)
    waiting: list[Cause] = field(default_factory=list)
    dead: list[Cause] = field(default_factory=list)
    drift: DriftReport | None = None

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.clock)
        self.app = OperatorEvents(
            self.look,
            self,
            self.ledger,
            self.clock,
            source="/organizations/o",
            console="https://app/api/console",
            longest_wait=timedelta(minutes=30),
        )

    async def look(self) -> Picture:
        now = self.clock.now()
        return Picture(
            Causes(tuple(self.waiting), now), Causes(tuple(self.dead), now), self.systems, self.budgets, self.drift
        )

    async def deliver(self, event: Mapping[str, Any]) -> None:
        if self.away:
            raise Outage("away", reason="operator-events-unreachable", service="operator-events")
        self.events.append(event)

    async def minute(self) -> list[str]:
        """What is told in the next minute: the types without their beginning."""
        self.clock.advance(60)
        before = len(self.events)
        await self.app.run()
        return [str(it["type"]).removeprefix("integration.") for it in self.events[before:]]

    def cause(self, reason: str, system: str = "erp", minutes: float = 0) -> Cause:
        since = self.clock.now() - timedelta(minutes=minutes)
        return Cause(reason, system, "opportunity", 3, since, since, (0,) * HOURS, "e-1", "")


async def test_nothing_is_told_while_all_is_well() -> None:
    it = Told(systems={"erp": SystemState()}, budgets={"dataverse": Use(10, 6_000)})
    assert await it.minute() == []
    assert it.ledger.table(keys.SYSTEMS).entities == {}


async def test_a_breaker_is_told_when_it_opens_and_when_it_closes() -> None:
    """Not again while it is open, nor while it is probed."""
    it = Told(systems={"erp": SystemState(Phase.OPEN, why="erp-timeout")})
    assert await it.minute() == ["breaker-opened"]
    assert await it.minute() == []
    it.systems["erp"] = SystemState(Phase.HALF_OPEN)
    assert await it.minute() == []
    it.systems["erp"] = SystemState()
    assert await it.minute() == ["breaker-closed"]
    opened, closed = it.events
    assert (opened["subject"], opened["source"], opened["specversion"]) == ("erp", "/organizations/o", "1.0")
    assert opened["data"] == {"system": "erp", "why": "erp-timeout", "console": "https://app/api/console/systems"}
    assert closed["data"]["seconds"] == 180
    assert opened["id"] != closed["id"]


async def test_a_backlog_is_told_by_its_age_and_when_it_is_over() -> None:
    """What waits because somebody wants it is none."""
    it = Told()
    it.waiting = [it.cause(reason, minutes=300) for reason in ("erp-paused", "table-paused", "postponed")]
    assert await it.minute() == []
    it.waiting.append(it.cause("erp-timeout", minutes=28))
    assert await it.minute() == []
    assert await it.minute() == ["backlog-old"]
    assert it.events[-1]["data"] | {"oldest": ""} == {
        "oldest": "",
        "minutes": 30,
        "waiting": 3,
        "console": "https://app/api/console/causes?state=waiting",
    }
    it.waiting.clear()
    assert await it.minute() == ["backlog-over"]


async def test_exhausted_retries_are_told_once_for_each_cause() -> None:
    """However many events follow; again after nobody was left."""
    it = Told()
    it.dead = [it.cause("retries-exhausted"), it.cause("erp-rejected")]
    assert await it.minute() == ["retries-exhausted"]
    it.dead.append(it.cause("retries-exhausted", "credit"))
    assert await it.minute() == ["retries-exhausted"]
    assert it.events[-1]["data"]["system"] == "credit"
    it.dead.clear()
    assert await it.minute() == []
    it.dead = [it.cause("retries-exhausted")]
    assert await it.minute() == ["retries-exhausted"]


async def test_a_budget_is_told_at_each_level_and_not_again_while_its_use_goes_up_and_down() -> None:
    it = Told()
    told = []
    for percent in (40, 51, 49, 55, 92, 85, 91, 100, 100, 30, 52):
        it.budgets["dataverse"] = Use(percent * 60, 6_000)
        await it.minute()
        told.append([one["data"]["level"] for one in it.events])
        it.events.clear()
    assert told == [[], [50], [], [], [90], [], [], [100], [], [], [50]]


async def test_what_cannot_be_delivered_is_sent_again_in_its_order_with_the_same_ids() -> None:
    """Also by another instance; what is over in the meantime is told too."""
    it = Told(away=True, systems={"erp": SystemState(Phase.OPEN)})
    assert await it.minute() == []
    it.systems["erp"] = SystemState()
    assert await it.minute() == []
    first = json.loads(str(next(iter(it.ledger.table(keys.SYSTEMS).entities.values()))["state"]))["unsent"]
    it.away = False
    assert await it.minute() == ["breaker-opened", "breaker-closed"]
    assert [one["id"] for one in it.events] == [one["id"] for one in first]
    assert await it.minute() == []


async def test_after_a_day_without_a_receiver_an_event_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    it = Told(away=True, systems={"erp": SystemState(Phase.OPEN)})
    await it.minute()
    it.clock.advance(86_400)
    it.away = False
    assert await it.minute() == []
    assert "operator-events-dropped" in caplog.text


async def test_tables_that_are_away_end_nothing() -> None:
    it = Told(systems={"erp": SystemState(Phase.OPEN)})
    it.ledger.table(keys.SYSTEMS).away = True
    assert await it.minute() == []
    it.ledger.table(keys.SYSTEMS).away = False
    assert await it.minute() == ["breaker-opened"]


async def test_drift_is_told_for_each_kind_of_thing_and_when_it_is_over() -> None:
    """Once, however many nights it lasts; what could not be compared is told too, and ends nothing."""
    it = Told()
    step, other = (Difference(f"step.{table}.Update", "step", ("~",)) for table in ("account", "contact"))
    role = Difference("role.Integration", "role", ("~",))
    assert await it.minute() == []
    it.drift = DriftReport("2026-11-26T03:37:00Z", Drift.FOUND, 9, (step, other))
    assert await it.minute() == ["drift-found"]
    assert it.events[-1]["subject"] == "step"
    assert it.events[-1]["data"] == {
        "at": "2026-11-26T03:37:00Z",
        "count": 2,
        "addresses": ["step.account.Update", "step.contact.Update"],
        "console": "https://app/api/console/reconciliation",
    }
    it.drift = DriftReport("2026-11-27T03:37:00Z", Drift.FOUND, 9, (step, role))
    assert await it.minute() == ["drift-found"]
    assert it.events[-1]["subject"] == "role"
    it.drift = DriftReport("2026-11-28T03:37:00Z", Drift.UNKNOWN, 0, (step, role), why="the file is missing")
    assert await it.minute() == ["drift-unknown"]
    it.drift = DriftReport("2026-11-29T03:37:00Z", Drift.NONE, 11)
    assert sorted(await it.minute()) == ["drift-known", "drift-over", "drift-over"]

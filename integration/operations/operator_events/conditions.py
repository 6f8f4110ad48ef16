"""What operators are told of, as conditions that hold or do not: a pure function of what is known now.

| condition                                    | event when it begins | event when it ends |
|----------------------------------------------|----------------------|--------------------|
| the oldest event that waits waits for long   | `backlog-old`        | `backlog-over`     |
| a system's breaker is not closed             | `breaker-opened`     | `breaker-closed`   |
| events were tried too often, by cause        | `retries-exhausted`  |                    |
| a system's budget is used by 50 % and more   | `budget-used`        |                    |
| the environment is not as declared, by kind  | `drift-found`        | `drift-over`       |
| it could not be compared                     | `drift-unknown`      | `drift-known`      |

Events that somebody has paused or postponed wait because somebody wanted it, and are no backlog.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from integration.clock import iso
from integration.operations.budgets import Use
from integration.operations.causes import Causes
from integration.operations.drift import Drift, DriftReport
from integration.operations.known import Known
from integration.protection import Phase

LEVELS: Final = (50, 70, 90, 100)
"""Percent of a budget."""
_SLACK: Final = 10
"""A level that was passed is passed again only after less than this below it was used: use goes up and down."""
_ADDRESSES: Final = 20
_EXHAUSTED: Final = "retries-exhausted"
_POSTPONED: Final = "postponed"


@dataclass(frozen=True, slots=True)
class Picture(Known):
    """What is known now, and the last drift."""

    drift: DriftReport | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """`key` names what is told once while it holds; `over` is what is told when it ends, empty for nothing.

    `page` is where the console shows it. `data` has names, times and numbers only.
    """

    key: str
    kind: str
    subject: str
    data: Mapping[str, Any]
    over: str = ""
    page: str = ""


def conditions(
    picture: Picture, now: datetime, *, longest_wait: timedelta, holding: Collection[str]
) -> Iterator[Condition]:
    """Those that hold now; `holding` are the keys of those that held before."""
    yield from _backlog(picture.waiting, now, longest_wait)
    for name, state in picture.systems.items():
        if state.phase is not Phase.CLOSED:
            why = {"system": name, "why": state.why or None}
            yield Condition(f"breaker:{name}", "breaker-opened", name, why, over="breaker-closed", page="systems")
    for cause in picture.dead.causes:
        if cause.reason == _EXHAUSTED:
            system, table = cause.system, cause.table
            data: dict[str, Any] = {
                "system": system or None,
                "table": table,
                "count": cause.count,
                "newest": cause.example,
            }
            yield Condition(f"exhausted:{system}:{table}", _EXHAUSTED, system or table, data, page="causes")
    for name, use in picture.budgets.items():
        yield from _budget(name, use, holding)
    if picture.drift is not None:
        yield from _drift(picture.drift)


def _backlog(waiting: Causes, now: datetime, longest_wait: timedelta) -> Iterator[Condition]:
    unwanted = [it for it in waiting.causes if it.reason != _POSTPONED and not it.reason.endswith("-paused")]
    oldest = min((it.oldest for it in unwanted if it.oldest), default=None)
    if oldest is not None and now - oldest >= longest_wait:
        data = {
            "oldest": iso(oldest),
            "minutes": int((now - oldest).total_seconds() // 60),
            "waiting": sum(it.count for it in unwanted),
        }
        yield Condition("backlog", "backlog-old", "backlog", data, over="backlog-over", page="causes?state=waiting")


def _budget(name: str, use: Use, holding: Collection[str]) -> Iterator[Condition]:
    """The levels that are passed; each is one of its own, so that the next one is told too."""
    for level in LEVELS:
        key = f"budget:{name}:{level}"
        if use.percent >= level or (key in holding and use.percent > level - _SLACK):
            used = {"percent": use.percent, "spent": use.spent, "requests": use.requests}
            yield Condition(key, "budget-used", name, {"system": name, "level": level, **used}, page="systems")


def _drift(report: DriftReport) -> Iterator[Condition]:
    """One for each kind of thing that differs: a new kind is told although another one is known."""
    page = "reconciliation"
    if report.drift is Drift.UNKNOWN:
        why = {"at": report.at, "why": report.why}
        yield Condition("drift", "drift-unknown", "dataverse", why, over="drift-known", page=page)
    for kind in dict.fromkeys(it.kind for it in report.differences):
        some = [it.address for it in report.differences if it.kind == kind]
        data = {"at": report.at, "count": len(some), "addresses": some[:_ADDRESSES]}
        yield Condition(f"drift:{kind}", "drift-found", kind, data, over="drift-over", page=page)

"""Prices, limits and the figures of an event: infra/prices.toml, and what the bench has measured."""

import datetime as dt
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.repository import REPOSITORY

_PRICES = REPOSITORY / "infra" / "prices.toml"
_MEASURED = REPOSITORY / "docs" / "explanation" / "performance.json"


@dataclass(frozen=True, slots=True)
class Meter:
    """What Azure asks for `per` units, beyond those that are `free` in a month, and where the price was read."""

    usd: float
    per: float
    unit: str
    free: float
    source: str
    on: dt.date | None

    def cost(self, amount: float) -> float:
        """US dollars for an amount in a month."""
        return max(0.0, amount - self.free) * self.usd / self.per


@dataclass(frozen=True, slots=True)
class PerEvent:
    """What one event needs; the first four are measured (docs/explanation/performance.json)."""

    table_transactions: float
    intake_seconds: float
    worker_seconds: float
    worker_cpu_seconds: float
    service_bus_operations: float
    dataverse_requests: float
    log_kilobytes: float
    settled_kilobytes: float
    least_billed_seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What the services take."""

    dataverse_requests_in_five_minutes: float
    dataverse_requests_a_day: float
    service_bus_standard_operations_a_second: float
    event_hubs_events_a_second: float


def meters() -> dict[str, Meter]:
    """The prices by name."""
    return _meters("meters")


def options() -> dict[str, Meter]:
    """The prices of what no environment has switched on, by parameter."""
    return _meters("options")


def _meters(section: str) -> dict[str, Meter]:
    return {
        name: Meter(
            usd=it["usd"],
            per=it["per"],
            unit=it["unit"],
            free=it.get("free", 0),
            source=it["from"],
            on=it.get("on"),
        )
        for name, it in _document()[section].items()
    }


def read_on() -> dt.date:
    """The day on which the sources of the prices were read."""
    day: dt.date = _document()["read"]
    return day


def assumptions() -> dict[str, str]:
    """What is assumed of an event or a limit, by its name, and how to find out."""
    found: dict[str, str] = _document()["assumptions"]
    return found


def limits() -> Limits:
    """The limits."""
    return Limits(**_document()["limits"])


def per_event() -> PerEvent:
    """The figures of an event: of this app, where other systems answer in 100 ms."""
    measured = json.loads(_MEASURED.read_text(encoding="utf-8"))
    (app,) = [it for it in measured["subjects"] if it["subject"] == "this app"]
    figures: Mapping[str, Any] = app["figures"]
    (slow,) = [it for it in measured["endToEnd"] if it["outsideAnswersInMs"] == 100]
    calls = app["tableCalls"]
    return PerEvent(
        table_transactions=calls["intake"]["all"] + calls["worker"]["all"],
        intake_seconds=figures["intakeP50Ms"]["median"] / 1000,
        worker_seconds=slow["p50Ms"] / 1000,
        worker_cpu_seconds=figures["workerCpuMs"]["median"] / 1000,
        **_document()["event"],
    )


def _document() -> dict[str, Any]:
    return tomllib.loads(_PRICES.read_text(encoding="utf-8"))

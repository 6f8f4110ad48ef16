"""What an environment uses in a month of so many events a day: executions, gigabyte-seconds, operations, gigabytes."""

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

from sandbox.deployment.environments import Deployed
from sandbox.deployment.options import DAYS, HOURS, OPTIONS, READERS, Month, Use, event_with
from sandbox.deployment.prices import PerEvent
from sandbox.repository import REPOSITORY

DAY_SECONDS = 86_400
_SESSION_WAIT_SECONDS = 60
"""After this time a receiver asks for a session anew, which is an operation (TryTimeout of the Azure SDK for .NET)."""


@dataclass(frozen=True, slots=True)
class Group:
    """A scale group: one day's executions, seconds of each, and how many an instance runs at once."""

    name: str
    executions: float
    seconds: float
    at_once: int

    def billed_seconds(self, least: float) -> float:
        """Seconds of a day that instances are billed for, at most.

        An instance that runs one execution alone is billed for `least` seconds of it or more. It is billed once for
        executions that run at the same time, so no more than as many whole days as the load needs instances.
        """
        instances = max(1, math.ceil(self.executions * self.seconds / (DAY_SECONDS * self.at_once)))
        return min(self.executions * max(least, self.seconds), float(DAY_SECONDS * instances))


@dataclass(frozen=True, slots=True)
class Functions:
    """What infra/topology.json and host.json say of the functions besides those of HTTP."""

    queues: tuple[str, ...]
    hubs: tuple[str, ...]
    """Those that read the hub."""
    sinks: Mapping[str, tuple[str, ...]]
    """Those that an option adds to the readers of the hub."""
    timers: Mapping[str, str]
    """Schedules by name."""
    partitions: int
    batch_seconds: float
    """How long the host collects events of a partition for one execution, at most."""
    sessions: int
    """Sessions that an instance works on, or waits for, at once."""

    @classmethod
    def read(cls) -> Self:
        """Those of this repository."""
        topology = json.loads((REPOSITORY / "infra" / "topology.json").read_text(encoding="utf-8"))
        host = json.loads((REPOSITORY / "host.json").read_text(encoding="utf-8"))["extensions"]
        functions = topology["functions"]
        return cls(
            queues=tuple(it["name"] for it in functions["serviceBus"]),
            hubs=tuple(it["name"] for it in functions["eventHubs"]),
            sinks={
                **{option: (topology["sinks"][name]["function"],) for option, name in READERS.items()},
                "webhooks": (topology["webhooks"]["functions"]["fanOut"],),
            },
            timers={it["name"]: it["schedule"] for it in functions["timers"]},
            partitions=sum(hub["partitionCount"] for hub in topology["eventHubs"]["hubs"]),
            batch_seconds=_seconds(host["eventHubs"]["maxWaitTime"]),
            sessions=host["serviceBus"]["maxConcurrentSessions"],
        )

    def with_options(self, chosen: Collection[str]) -> Self:
        """With the readers of the hub that these options add."""
        added = [name for option in sorted(chosen) for name in self.sinks.get(option, ())]
        return replace(self, hubs=(*self.hubs, *added))

    def batches(self, events_a_day: float) -> float:
        """The batches of a day that a reader of the hub gets, at most."""
        return min(events_a_day, DAY_SECONDS / self.batch_seconds * self.partitions)


def groups(deployed: Deployed, events_a_day: float, event: PerEvent, functions: Functions) -> list[Group]:
    """The scale groups: each function but those of HTTP is scaled by itself, timers too."""
    batches = functions.batches(events_a_day)
    return [
        Group("http", events_a_day, event.intake_seconds, deployed.http_at_once),
        *(Group(f"function:{it}", events_a_day, event.worker_seconds, functions.sessions) for it in functions.queues),
        *(Group(f"function:{it}", batches, 0.0, 1) for it in functions.hubs),
        *(Group(f"function:{it}", runs_a_day(schedule), 0.0, 1) for it, schedule in functions.timers.items()),
    ]


def runs_a_day(schedule: str) -> float:
    """How often a timer of six fields runs in a day, for the schedules that topology.json has.

    >>> runs_a_day("*/20 * * * * *"), runs_a_day("30 * * * * *"), runs_a_day("20 7-57/10 2 * * *")
    (4320.0, 1440.0, 6.0)
    """
    runs = 1.0
    for field, values in zip(schedule.split(), (60, 60, 24), strict=False):
        span, _, step = field.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            runs *= values / int(step or 1)
        elif last:
            runs *= (int(last) - int(first)) // int(step or 1) + 1
    return runs


def month(
    deployed: Deployed,
    events_a_day: float,
    event: PerEvent,
    functions: Functions,
    chosen: Collection[str] = (),
) -> list[Use]:
    """The uses of each meter, in the order of the table, with what the `chosen` options add."""
    found: dict[str, Use] = {}
    total = Month(deployed, events_a_day * DAYS, functions.batches(events_a_day) * DAYS)
    added = [use for option in sorted(chosen) for use in OPTIONS[option](total)]
    usual = _month(deployed, events_a_day, event_with(event, chosen), functions.with_options(chosen))
    for use in (*usual, *added):
        known = found.get(use.meter)
        found[use.meter] = replace(known, amount=known.amount + use.amount) if known and known.amount else use
    return list(found.values())


def _month(deployed: Deployed, events_a_day: float, event: PerEvent, functions: Functions) -> Iterator[Use]:
    ready: list[tuple[Group, float]] = []
    demanded: list[tuple[Group, float]] = []
    batches = 0.0
    for group in groups(deployed, events_a_day, event, functions):
        batches += group.executions if group.name.removeprefix("function:") in functions.hubs else 0
        seconds = group.billed_seconds(event.least_billed_seconds)
        (ready if deployed.always_ready.get(group.name) else demanded).append((group, seconds))
    events = events_a_day * DAYS
    yield Use("flex-execution-time", "Functions, on demand", _gigabyte_seconds(deployed, demanded))
    yield Use("flex-executions", "Functions, executions", DAYS * sum(it.executions for it, _ in demanded))
    instances = sum(deployed.always_ready.values())
    yield Use("always-ready-baseline", "Always-ready instances", instances * deployed.memory_gb * HOURS * 3600)
    yield Use("always-ready-execution-time", "Always ready, while they work", _gigabyte_seconds(deployed, ready))
    yield Use("always-ready-executions", "Always ready, executions", DAYS * sum(it.executions for it, _ in ready))
    if deployed.premium:
        yield Use("service-bus-premium", "Service Bus Premium, one messaging unit", HOURS)
    else:
        yield Use("service-bus-standard", "Service Bus Standard", HOURS)
        waiting = DAYS * functions.sessions * _waited(deployed, demanded, functions)
        yield Use("service-bus-operations", "Service Bus, operations", events * event.service_bus_operations + waiting)
    yield Use("event-hubs-units", "Event Hubs, throughput units", deployed.throughput_units * HOURS)
    yield Use("event-hubs-events", "Event Hubs, events", events)
    yield Use("table-transactions", "Tables (ledger)", events * event.table_transactions)
    archived = functions.batches(events_a_day)
    yield Use("blob-writes", "Blobs (archive, and checkpoints of all readers)", DAYS * (archived + batches))
    logged = events_a_day * event.log_kilobytes / 1e6
    yield Use("logs", "Logs", DAYS * min(logged, deployed.log_limit_gb or math.inf))
    yield Use("private-endpoints", "Private endpoints", deployed.private_endpoints * HOURS)
    yield Use("nat-gateway", "NAT gateway", deployed.nat_gateways * HOURS)
    yield Use("log-alerts-5-minutes", "Alerts on logs, every 5 minutes", deployed.quick_log_alerts)
    yield Use("log-alerts-15-minutes", "Alerts on logs, more seldom", deployed.slow_log_alerts)
    yield Use("metric-alerts", "Alerts on metrics", deployed.metric_alerts)
    yield Use("availability-tests", "Availability test", DAYS * deployed.availability_tests_a_day)
    yield Use("relay-listeners", "Azure Relay, two listeners each", 2 * deployed.hybrid_connections)


def _gigabyte_seconds(deployed: Deployed, billed: list[tuple[Group, float]]) -> float:
    return DAYS * deployed.memory_gb * sum(seconds for _, seconds in billed)


def _waited(deployed: Deployed, demanded: list[tuple[Group, float]], functions: Functions) -> float:
    """How often in a day a slot for a session asks for one anew: as long as an instance runs, with work or without."""
    names = {f"function:{it}" for it in functions.queues}
    worked = sum(seconds for it, seconds in demanded if it.name in names)
    ready = DAY_SECONDS * sum(count for name, count in deployed.always_ready.items() if name in names)
    return (ready or worked) / _SESSION_WAIT_SECONDS


def _seconds(duration: str) -> float:
    hours, minutes, seconds = duration.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)

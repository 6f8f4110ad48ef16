"""What the options of main.bicep add to the uses of an environment.

What depends on how an option is used is taken at its least: one subscriber of each event, the smallest queue.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from sandbox.deployment.environments import Deployed
from sandbox.deployment.prices import PerEvent

DAYS = 30
HOURS = 24 * DAYS


@dataclass(frozen=True, slots=True)
class Use:
    """An amount of a meter in a month."""

    meter: str
    what: str
    amount: float


@dataclass(frozen=True, slots=True)
class Month:
    """What the amounts of an option depend on."""

    deployed: Deployed
    events: float
    batches: float
    """Batches of settled events that a reader of the hub gets in the month."""


_TABLE = "sendToLogAnalytics"
_Uses = Callable[[Month], Iterator[Use]]


def _published(it: Month) -> Iterator[Use]:
    yield Use("event-grid-operations", "Event Grid, published and delivered once", 2 * it.events)


def _webhooks(it: Month) -> Iterator[Use]:
    if not it.deployed.premium:
        yield Use("service-bus-operations", "Service Bus, operations of deliveries", 3 * it.events)


def _files_announced(it: Month) -> Iterator[Use]:
    yield Use("event-grid-operations", "Event Grid, files of the archive", 2 * it.batches)


def _lake(it: Month) -> Iterator[Use]:
    yield Use("blob-writes", "Blobs of the lake", it.batches)


def _delta(it: Month) -> Iterator[Use]:
    yield Use("blob-writes", "Blobs of the Delta table", 3 * it.batches)


def _capture(it: Month) -> Iterator[Use]:
    yield Use("capture", "Event Hubs Capture", it.deployed.throughput_units * HOURS)


def _namespace(_: Month) -> Iterator[Use]:
    yield Use("service-bus-standard", "Service Bus Standard, a namespace", HOURS)


def _second_region(_: Month) -> Iterator[Use]:
    yield Use("service-bus-premium", "Service Bus Premium, the second region", HOURS)


def _private_monitoring(_: Month) -> Iterator[Use]:
    yield Use("private-endpoints", "Private endpoint of Azure Monitor", HOURS)


def _data_factory(_: Month) -> Iterator[Use]:
    yield Use("activity-runs", "Data Factory, a copy a day", 2 * DAYS)


def _nothing(_: Month) -> Iterator[Use]:
    """A reader of the hub, which needs no more than its function."""
    yield from ()


OPTIONS: Mapping[str, _Uses] = {
    "publishToEventGrid": _published,
    _TABLE: _nothing,  # its rows are in the logs of an event: `event_with`
    "fabric": _nothing,
    "lake": _lake,
    "deltaTable": _delta,
    "webhooks": _webhooks,
    "eventGridTopic": _published,
    "archiveTopic": _files_announced,
    "readers": _nothing,
    "capture": _capture,
    "sasIntake": _namespace,
    "businessEvents": _namespace,
    "secondaryLocation": _second_region,
    "privateMonitoring": _private_monitoring,
    "dataFactory": _data_factory,
}
"""By the parameter of main.bicep: what it uses beside its function."""
READERS: Mapping[str, str] = {
    "publishToEventGrid": "eventGrid",
    _TABLE: "logAnalytics",
    "fabric": "fabric",
    "lake": "lake",
    "deltaTable": "delta",
}
"""Options that are a sink: their names in topology.json, which has the function of each."""


def event_with(event: PerEvent, chosen: Collection[str]) -> PerEvent:
    """What an event needs with these options: a row of the workspace's table counts as logs, also to their limit."""
    rows = event.settled_kilobytes if _TABLE in chosen else 0
    return replace(event, log_kilobytes=event.log_kilobytes + rows)

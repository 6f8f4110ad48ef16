"""What an environment costs in a month, and which limit a growing number of events reaches first."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sandbox.deployment import prices, usage
from sandbox.deployment.environments import Deployed
from sandbox.deployment.options import DAYS, Use, event_with
from sandbox.deployment.prices import Limits, Meter, PerEvent
from sandbox.deployment.usage import DAY_SECONDS, Functions

_FIVE_MINUTES_OF_A_DAY = 288


@dataclass(frozen=True, slots=True)
class Line:
    """A use and its price: US dollars in a month."""

    use: Use
    meter: Meter
    usd: float


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A limit, in events a day at an even rate, and what to do about it."""

    what: str
    events_a_day: float
    remedy: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The lines of an environment at so many events a day, and the limits, the lowest first."""

    deployed: Deployed
    events_a_day: float
    lines: list[Line]
    ceilings: list[Ceiling]

    @property
    def month(self) -> float:
        """US dollars in a month of 30 days."""
        return sum(it.usd for it in self.lines)

    @property
    def day(self) -> float:
        """US dollars in a day."""
        return self.month / DAYS

    @property
    def million_events(self) -> float:
        """US dollars for a million events, the fixed part included."""
        return self.month * 1e6 / (self.events_a_day * DAYS)


def estimate(
    deployed: Deployed,
    events_a_day: float,
    *,
    event: PerEvent,
    functions: Functions,
    meters: Mapping[str, Meter],
    limits: Limits,
    options: Collection[str] = (),
) -> Estimate:
    """The cost of an environment with these options of main.bicep; uses that are not there are left out."""
    used = [it for it in usage.month(deployed, events_a_day, event, functions, options) if it.amount]
    lines = [Line(it, meters[it.meter], meters[it.meter].cost(it.amount)) for it in used]
    return Estimate(
        deployed, events_a_day, lines, sorted(ceilings(deployed, event_with(event, options), limits), key=_height)
    )


def ceilings(deployed: Deployed, event: PerEvent, limits: Limits) -> list[Ceiling]:
    """How many events a day each limit lets through."""
    found = [
        Ceiling(
            "requests to Dataverse that the licences include",
            limits.dataverse_requests_a_day / event.dataverse_requests,
            "buy a capacity add-on, or filter steps on the columns that matter",
        ),
        Ceiling(
            "requests to Dataverse in five minutes, of one application user",
            limits.dataverse_requests_in_five_minutes * _FIVE_MINUTES_OF_A_DAY / event.dataverse_requests,
            "add application users: DATAVERSE_MORE_CLIENTS",
        ),
        Ceiling(
            "events in a second of the throughput units of Event Hubs",
            limits.event_hubs_events_a_second * deployed.throughput_units * DAY_SECONDS,
            "Azure adds units up to maximumThroughputUnits",
        ),
        Ceiling(
            "processors of the worker's instances",
            deployed.most_instances * _cores(deployed) * DAY_SECONDS / event.worker_cpu_seconds,
            "raise maximumInstanceCount, if Dataverse serves more",
        ),
    ]
    if not deployed.premium:
        operations = limits.service_bus_standard_operations_a_second * DAY_SECONDS
        remedy = "serviceBusSku = 'Premium', which needs a new environment"
        found.append(
            Ceiling("operations in a second of Service Bus Standard", operations / event.service_bus_operations, remedy)
        )
    if deployed.log_limit_gb is not None:
        found.append(
            Ceiling(
                "logs of a day (logQuotaGb); beyond it telemetry is lost, but no events",
                deployed.log_limit_gb * 1e6 / event.log_kilobytes,
                "raise logQuotaGb",
            )
        )
    return found


def _height(ceiling: Ceiling) -> float:
    return ceiling.events_a_day


def _cores(deployed: Deployed) -> float:
    """Cores of an instance: one for 2 GB (learn.microsoft.com, Flex Consumption plan hosting, Instance sizes)."""
    return deployed.memory_gb / 2


def estimate_of(
    name: str, events_a_day: float, limits: Limits | None = None, options: Collection[str] = ()
) -> Estimate:
    """The estimate of an environment by its name, with the functions, figures and prices of this repository."""
    return estimate(
        Deployed.read(name),
        events_a_day,
        event=prices.per_event(),
        functions=Functions.read(),
        meters=prices.meters(),
        limits=limits or prices.limits(),
        options=options,
    )

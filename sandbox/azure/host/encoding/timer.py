"""The input of a timer function. Sources: webjobs-sdk-extensions TimerTriggerBinding.cs, ScheduleStatus.cs."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.azure.host.encoding.values import Encoded, net_json, net_time
from sandbox.azure.host.workers.protos import TypedData

NEVER = "0001-01-01T00:00:00"
"""`default(DateTime)`."""


@dataclass(frozen=True, slots=True)
class ScheduleStatus:
    """When a timer ran last (None: never), is to run next, and when this was written."""

    last: datetime | None
    next: datetime
    last_updated: datetime | None

    def as_json(self) -> dict[str, str]:
        """As it stands in the function's argument and in the status blob."""
        return {
            "Last": NEVER if self.last is None else net_time(self.last),
            "Next": net_time(self.next),
            "LastUpdated": NEVER if self.last_updated is None else net_time(self.last_updated),
        }


def timer(now: datetime, status: ScheduleStatus | None, *, past_due: bool) -> Encoded:
    """Value and metadata; `status` is None for timers that are not monitored."""
    value = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": None if status is None else status.as_json(),
        "IsPastDue": past_due,
    }
    return TypedData(json=net_json(value)), {"TimerTrigger": TypedData(string=f"{now:%m/%d/%Y %H:%M:%S}")}

"""One operation of the Web API: what is asked, by whom, and the unit of work that it belongs to."""

from dataclasses import dataclass

from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.change import RequestInfo
from sandbox.systems.dataverse.unit_of_work import Unit


@dataclass(frozen=True)
class Operation:
    """A request by itself, or one of a batch."""

    call: Call
    info: RequestInfo
    unit: Unit

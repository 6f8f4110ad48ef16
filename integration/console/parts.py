"""What the pages are made with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from integration.clock import Clock
from integration.console.sessions import Sessions
from integration.ledger import EventStatus
from integration.operations.health import Health
from integration.operations.rights import Staff
from integration.operations.routes import Desk
from integration.public_address import PublicAddress


@dataclass(frozen=True, slots=True)
class Links:
    """Where rows and traces are shown; `trace_url` has {event_id} and {correlation_id} in it, or is None."""

    dataverse_url: str
    trace_url: str | None = None

    @property
    def environment(self) -> str:
        """The environment's name, as people know it from its address."""
        return urlsplit(self.dataverse_url).hostname or ""

    def row(self, table: str, record_id: str | None) -> str:
        """The page of a row in Dataverse; empty for records of other systems."""
        if not record_id or not table or "." in table:
            return ""
        named = urlencode({"etn": table, "id": record_id}, errors="replace")
        return f"{self.dataverse_url}/main.aspx?pagetype=entityrecord&{named}"

    def trace(self, status: EventStatus) -> str:
        """The page with the trace of an event; empty where the settings name none."""
        words = {"event_id": status.event_id, "correlation_id": status.correlation_id}
        address = self.trace_url or ""
        for name, value in words.items():
            address = address.replace(f"{{{name}}}", quote(value, safe="", errors="replace"))
        return address


@dataclass(frozen=True, slots=True)
class Parts:
    """The services of the desk, who may come in, and what else a page shows."""

    desk: Desk
    staff: Staff
    sessions: Sessions
    health: Health
    address: PublicAddress
    clock: Clock
    links: Links
    compare_registration: Callable[[], Awaitable[object]] | None = None
    """Compares the environment with its declaration and keeps the report; None where no setting names its file."""

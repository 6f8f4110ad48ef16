"""A running sandbox for a scenario: its settings, clients of it, and further hosts."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.azure.topology import TOPOLOGY
from sandbox.client import Client
from sandbox.machine.ports import Ports, free_ports
from sandbox.repository import REPOSITORY
from sandbox.running import programs
from sandbox.running.dataverse_client import sign_in
from sandbox.running.endpoints import Endpoints
from sandbox.running.erp import DEFAULT
from sandbox.running.given_systems import NONE, GivenSystems
from sandbox.running.registration import steps
from sandbox.running.sandbox import Sandbox
from sandbox.running.sinks import ALL
from tests.books.keyless import KEYLESS
from tests.chaos.app.tables import Tables

SETTINGS = {
    "RETRY_FIRST_DELAY_SECONDS": "0.3",
    "RETRY_LONGEST_DELAY_SECONDS": "1",
    "RECORD_PACE_SECONDS": "0.05",  # hot records are the point here
    "DATAVERSE_REQUESTS": "1000000",  # the budget of a real environment would make a slow run of it
    "OUTAGE_FIRST_PAUSE_SECONDS": "0.5",
    "OUTAGE_LONGEST_PAUSE_SECONDS": "2",
    "CHANGE_TRACKING": "false",  # it would make up for events that must not be lost in the first place
    "RETRY_MAX_ATTEMPTS": "100000",  # no outage is a reason to give up here
}
KEYLESS_SETTINGS = {
    "FLOWS_OFF": '["erp_order", "erp_customer"]',  # what the ERP reports of our own writes is no part of this
    # Nothing here is at work for longer after its answer was lost; in production it may be for ten minutes.
    "SYSTEMS_ERP_UNKNOWN_SECONDS": "8",
    # The broker's clock is moved on, so that copies come at once: an order whose outcome is not known is looked for
    # much more often than in life, and would spend the requests of five minutes.
    "SYSTEMS_ERP_REQUESTS": "1000000",
}
WORKER = "host-events"
"""The host that runs the worker; further ones are numbered."""


@dataclass(slots=True)
class Bench:
    """A running sandbox, and clients of it: each thread has its own."""

    sandbox: Sandbox
    endpoints: Endpoints = field(init=False)

    def __post_init__(self) -> None:
        self.endpoints = Endpoints.read(self.sandbox.state.endpoints)

    def client(self) -> Client:
        """The sandbox from outside."""
        return Client(self.endpoints)

    def tables(self) -> Tables:
        """The ledger as Azure Tables has it."""
        return Tables(self.endpoints.storage)

    @property
    def workers(self) -> list[str]:
        """The hosts that run the worker."""
        return [name for name in self.sandbox.processes.names if name.startswith(WORKER)]

    def add_workers(self, count: int) -> None:
        """Start so many further hosts with the worker, as when Azure scales out."""
        started = len(self.workers)
        found = []
        for number, port in enumerate(free_ports(count), started + 1):
            ports = dataclasses.replace(self.sandbox.ports, events_host=port)
            [program] = [
                it for it in programs.hosts(ports, REPOSITORY, self.sandbox.app_settings, None) if it.name == WORKER
            ]
            name = f"{WORKER}-{number}"
            command = tuple(name if part == WORKER else part for part in program.command)
            found.append(dataclasses.replace(program, name=name, command=command))
        self.sandbox.processes.run(found)

    def let_write_backs_echo(self) -> None:
        """Make steps fire on every column, so that each write-back comes back to the intake."""
        with sign_in(self.endpoints.dataverse, self.endpoints.dataverse_person) as session:
            for step in steps():
                url = f"{self.endpoints.dataverse}/api/data/v9.2/sdkmessageprocessingsteps({step.id})"
                session.patch(url, json={"filteringattributes": None}, timeout=10).raise_for_status()


@contextmanager
def running(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    *,
    ports: Ports | None = None,
    topology: Path = TOPOLOGY,
    erp: str = DEFAULT,
    sinks: bool = False,
    app: Path = REPOSITORY,
    systems: GivenSystems = NONE,
) -> Iterator[Bench]:
    """All processes of a sandbox of one's own; `settings` come on top of `SETTINGS`, `erp` is the kind of ERP.

    With `sinks` the app has every sink of settled events. `app` is its folder, `systems` are those that only it names.
    """
    merged = {**SETTINGS, **(KEYLESS_SETTINGS if erp in KEYLESS else {}), **(settings or {})}
    sandbox = Sandbox(
        folder,
        ports or Ports.free(),
        settings=merged,
        topology_file=topology,
        erp=erp,
        sinks=ALL if sinks else (),
        app=app,
        systems=systems,
    )
    sandbox.start()
    try:
        yield Bench(sandbox)
    finally:
        sandbox.stop()

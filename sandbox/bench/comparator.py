"""One of the comparators: an intake and a worker of sandbox/bench/comparators, as processes under a supervisor."""

import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.bench.subject import OutsideSystems
from sandbox.bench.workload import Event
from sandbox.machine.ports import LOOPBACK, free_ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.machine.supervisor import Supervisor
from sandbox.repository import REPOSITORY

_PACKAGE = "sandbox.bench.comparators"
_PATH = "/api/dataverse/webhook"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which programs make up a comparator. `intake` and `worker` are modules; `settings` are their environment."""

    name: str
    intake: str
    worker: str
    settings: Mapping[str, str] = field(default_factory=dict)
    served_by_uvicorn: bool = True
    pace: int = 5
    prepare: Sequence[str] = ()
    """Arguments with which the worker's program is run once before anything else starts."""


class Comparator:
    """A recipe that runs on `python`, calling the same systems `outside` as the app does."""

    def __init__(self, recipe: Recipe, supervisor: Supervisor, python: Path, outside: OutsideSystems) -> None:
        self.name = recipe.name
        self.pace = recipe.pace
        self.key = secrets.token_hex(32)
        self._recipe = recipe
        self._supervisor = supervisor
        self._python = python
        self._port, *_ = free_ports(1)
        slug = "-".join(part for part in recipe.name.lower().replace("+", " ").replace(",", " ").split())
        self._intake, self._worker = f"{slug}-intake", f"{slug}-worker"
        self._environment = {
            "WEBHOOK_KEY": self.key,
            "PORT": str(self._port),
            "QUEUE": slug,
            "DATAVERSE_URL": outside.dataverse_url,
            "DATAVERSE_CA_FILE": str(outside.ca_file),
            "ERP_URL": outside.erp_url,
            **recipe.settings,
        }

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    def start(self) -> None:
        recipe = self._recipe
        if recipe.prepare:
            subprocess.run(  # noqa: S603 -- our own program
                [*self._command(recipe.worker), *recipe.prepare], cwd=REPOSITORY, env=self._environment, check=True
            )
        command = self._command(recipe.intake)
        if recipe.served_by_uvicorn:
            serving = ("--host", LOOPBACK, "--port", str(self._port), "--loop", "uvloop", "--http", "httptools")
            quiet = ("--no-access-log", "--log-level", "warning")
            command = (str(self._python), "-m", "uvicorn", f"{_PACKAGE}.{recipe.intake}:app", *serving, *quiet)
        ready = HttpProbe(self.url + _PATH, statuses=(405,))
        self._supervisor.run([Program(self._intake, command, ready, self._environment)])

    def stop(self) -> None:
        self.stop_worker()
        self._supervisor.stop_one(self._intake)

    def intake_pid(self) -> int:
        return self._pid(self._intake)

    def worker_pid(self) -> int:
        return self._pid(self._worker)

    def start_worker(self) -> None:
        if self._worker in self._supervisor.names:
            self._supervisor.start(self._worker)
        else:
            command = self._command(self._recipe.worker)
            self._supervisor.run([Program(self._worker, command, lambda: True, self._environment)])

    def stop_worker(self) -> None:
        if self._worker in self._supervisor.names:
            self._supervisor.stop_one(self._worker)

    def helpers(self) -> Mapping[str, int]:
        return {}

    def faults(self, events: Sequence[Event]) -> list[str]:  # noqa: ARG002 -- the systems outside show all faults
        return []

    def _command(self, module: str) -> tuple[str, ...]:
        return (str(self._python), "-m", f"{_PACKAGE}.{module}")

    def _pid(self, name: str) -> int:
        pid = self._supervisor.pid(name)
        if pid is None:
            raise RuntimeError(f"{name} does not run; its log: {self._supervisor.log(name)}")
        return pid


def with_rabbitmq(amqp_url: str, tables: Mapping[str, str], ledger_calls: int) -> list[Recipe]:
    """The comparators on RabbitMQ; `tables` are the settings of the ledger in which one of them makes its calls."""
    amqp = {"AMQP_URL": amqp_url}
    return [
        Recipe("FastAPI + FastStream", "intake_fastapi", "worker_faststream", amqp),
        Recipe(
            "FastAPI + FastStream + ledger",
            "intake_fastapi",
            "worker_faststream",
            {**amqp, **tables, "LEDGER_CALLS": str(ledger_calls)},
        ),
        Recipe("aiohttp + aio-pika", "intake_aiohttp", "worker_aio_pika", amqp, served_by_uvicorn=False),
    ]


def with_dbos(database: Path) -> Recipe:
    """The comparator with durable steps."""
    return Recipe(
        "DBOS on SQLite", "intake_dbos", "worker_dbos", {"DBOS_URL": f"sqlite:///{database}"}, prepare=("--once",)
    )

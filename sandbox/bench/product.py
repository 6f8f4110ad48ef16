"""This app, or another version of it, in a sandbox of its own."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import requests

from sandbox.bench.audit import Audit
from sandbox.bench.parts import Seconds, parts
from sandbox.bench.settings import app_settings, renamed
from sandbox.bench.subject import OutsideSystems
from sandbox.bench.workload import Event
from sandbox.client import Client, eventually
from sandbox.machine.ports import LOOPBACK, Ports, free_ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.running import programs
from sandbox.running.endpoints import Endpoints, storage_connection
from sandbox.running.sandbox import Sandbox
from sandbox.running.state import Keys, StateDirectory

QUEUE = "work"
_INTAKE, _WORKER = programs.HOSTS
_EMPTY = "host-empty"
_EMPTY_APP = Path(__file__).parent / "empty_app"
_STORAGE = "AzureWebJobsStorage"
_DRAINED_SECONDS = 120.0
_UNLIMITED = {
    "DATAVERSE_CONCURRENCY": "52",
    "DATAVERSE_REQUESTS": "1000000",
    **dict.fromkeys(("ERP_CONCURRENCY", "SYSTEMS_ERP_CONCURRENCY"), "64"),
}
"""Otherwise the limits that protect Dataverse and the ERP from too many calls would be measured."""
_TIMED, _UNTIMED = {"SANDBOX_HOST_STATS": "true"}, {"SANDBOX_HOST_STATS": "false"}
"""Timing function code step by step makes it a tenth slower, so it is done in a run of its own."""


class Product:
    """The intake is the host of the HTTP functions; the worker the host of the function with the session queue.

    All other functions are off while the worker is measured (`everything` starts them too): where each function scales
    by itself, they have instances of their own.
    """

    pace = 1

    def __init__(  # noqa: PLR0917 -- called in one place
        self, name: str, app: Path, python: Path, state: Path, outside: OutsideSystems, say: Callable[[str], None]
    ) -> None:
        self.name = name
        self._app = app
        ports = Ports.free()
        data = StateDirectory(state).data
        data.mkdir(parents=True, exist_ok=True)
        keys = Keys.kept_in(data / "keys.json")
        self.sandbox = Sandbox(
            state,
            ports,
            app=app,
            python=python,
            settings=renamed(app_settings(ports, keys))
            | {
                **_TIMED,
                "DATAVERSE_URL": outside.dataverse_url,
                "DATAVERSE_AUTHORITY": outside.dataverse_url,
                "DATAVERSE_CA_FILE": str(outside.ca_file),
                **dict.fromkeys(("ERP_URL", "SYSTEMS_ERP_URL"), outside.erp_url),
                **_UNLIMITED,
            },
            storage_in_memory=True,
            say=say,
        )
        self._say = say
        self._reached: Endpoints | None = None
        self._client: Client | None = None
        self._others: list[str] = []
        self._is_async = False
        self._empty_port, *_ = free_ports(1)
        self.settled_at: dict[str, float] = {}
        """When the event of each record was settled, in seconds since 1970; known after `faults` was called."""

    @property
    def url(self) -> str:
        return self.client.app.url

    @property
    def key(self) -> str:
        return self.client.app.webhook_key

    @property
    def client(self) -> Client:
        """The sandbox from outside."""
        if self._client is None:
            raise RuntimeError(f"{self.name} is not up")
        return self._client

    def start(self) -> None:
        self._reached = self.sandbox.start()
        self._client = Client(self._reached)
        functions = self._functions()
        self._others = [name for name, function in functions.items() if not _is_worker(function)]
        stats = self._ask(self.sandbox.ports.events_host, "stats")
        work = next(name for name in functions if name not in self._others)
        self._is_async = stats["functions"][work]["isAsync"]
        self.stop_worker()
        self.sandbox.processes.restart(_INTAKE, _UNTIMED)

    def stop(self) -> None:
        self.sandbox.stop()

    def intake_pid(self) -> int:
        return self._pid(_INTAKE)

    def worker_pid(self) -> int:
        return self._pid(_WORKER)

    def start_worker(self, more: Mapping[str, str] = MappingProxyType({})) -> None:
        switches = self._switches(others_off=True)
        self.sandbox.processes.start(_WORKER, switches | self._storage() | _UNTIMED | dict(more))

    def start_timed(self) -> None:
        """Start the worker and restart the intake, so that they report which part of them takes how much CPU time."""
        self.sandbox.processes.restart(_INTAKE, _TIMED)
        self.sandbox.processes.start(_WORKER, self._switches(others_off=True) | self._storage() | _TIMED)

    def stop_timed(self) -> None:
        """Undo `start_timed`."""
        self.stop_worker()
        self.sandbox.processes.restart(_INTAKE, _UNTIMED)

    def start_everything(self) -> None:
        """The worker with all functions that share its host."""
        self.sandbox.processes.start(_WORKER, self._switches(others_off=False) | self._storage() | _UNTIMED)

    def restart_with(self, more: Mapping[str, str]) -> None:
        """Restart the intake and the worker with these settings besides."""
        self.stop_worker()
        self.sandbox.processes.restart(_INTAKE, _UNTIMED | dict(more))
        self.start_worker(more)

    def logged(self) -> int:
        """How many bytes the intake and the worker have logged so far."""
        return sum(self.sandbox.processes.log(name).stat().st_size for name in (_INTAKE, _WORKER))

    def stop_worker(self) -> None:
        self.sandbox.processes.stop_one(_WORKER)

    def restart_on(self, storage_of_intake: str, storage_of_worker: str) -> None:
        """Restart the intake and the worker, each with another connection string for storage."""
        self.stop_worker()
        self.sandbox.processes.restart(_INTAKE, {_STORAGE: storage_of_intake})
        self.sandbox.processes.start(_WORKER, self._switches(others_off=True) | {_STORAGE: storage_of_worker})

    def restart_on_own_storage(self) -> None:
        """Undo `restart_on`; the worker is stopped then."""
        self.stop_worker()
        self.sandbox.processes.restart(_INTAKE, self._storage())

    def start_empty(self) -> int:
        """Let a host whose function does nothing take what is in the queue; returns its process id."""
        home = self.sandbox.state.data / "empty-app"
        shutil.copytree(_EMPTY_APP, home, dirs_exist_ok=True)
        shutil.copy(self._app / "host.json", home / "host.json")
        if _EMPTY in self.sandbox.processes.names:
            self.sandbox.processes.start(_EMPTY)
        else:
            self.sandbox.processes.run([self._empty_host(home)])
        return self._pid(_EMPTY)

    def stop_empty(self) -> None:
        """Stop that host."""
        self.sandbox.processes.stop_one(_EMPTY)

    def left(self) -> int:
        """How many messages the queue still has, those that are worked on among them."""
        counts = self.client.broker.entities()["queues"][QUEUE]
        return sum(counts[state] for state in ("active", "locked", "scheduled", "deferred"))

    def drain(self) -> None:
        """Wait until the queue is empty; raises `TimeoutError`."""
        eventually(lambda: self.left() == 0, within=_DRAINED_SECONDS, what="an empty queue")

    def helpers(self) -> Mapping[str, int]:
        return {name: self._pid(name) for name in ("broker", "azurite")}

    def intake_parts(self) -> Seconds:
        """CPU seconds of the intake's process by part; it must be timed."""
        return parts(self._ask(self.sandbox.ports.functions, "stats"))

    def worker_parts(self) -> Seconds:
        """CPU seconds of the worker's process by part; it must run and be timed."""
        return parts(self._ask(self.sandbox.ports.events_host, "stats"))

    def faults(self, events: Sequence[Event]) -> list[str]:
        self.stop_worker()
        self.start_everything()
        try:
            audit = Audit(self.client, events)
            faults = audit.faults()
            self.settled_at = audit.settled_at()
        finally:
            self.stop_worker()
        return faults

    def _functions(self) -> dict[str, Any]:
        found = self._ask(self.sandbox.ports.events_host, "functions")
        return {function["name"]: function for function in found}

    def _switches(self, *, others_off: bool) -> dict[str, str]:
        return {f"AzureWebJobs.{name}.Disabled": str(others_off).lower() for name in self._others}

    def _storage(self) -> dict[str, str]:
        return {_STORAGE: storage_connection(self.sandbox.ports)}

    def _empty_host(self, home: Path) -> Program:
        command = ("--app", str(home), "--port", str(self._empty_port), "--only", "events", "--name", _EMPTY)
        if self._reached is None:
            raise RuntimeError(f"{self.name} is not up")
        return Program(
            _EMPTY,
            (str(programs.PYTHON), "-m", "sandbox.azure.host", *command),
            HttpProbe(f"http://{LOOPBACK}:{self._empty_port}/admin/host/status", text='"Running"'),
            environment={
                "FUNCTIONS_WORKER_RUNTIME": "python",
                "ServiceBus": self._reached.servicebus,
                "PYTHON_THREADPOOL_THREAD_COUNT": "128",
                "EMPTY_APP": "async" if self._is_async else "sync",
                **self._storage(),
            },
            stop_seconds=15.0,
        )

    def _pid(self, name: str) -> int:
        pid = self.sandbox.processes.pid(name)
        if pid is None:
            raise RuntimeError(f"{self.name}: {name} does not run; its log: {self.sandbox.processes.log(name)}")
        return pid

    @staticmethod
    def _ask(port: int, what: str) -> Any:
        answer = requests.get(f"http://{LOOPBACK}:{port}/admin/{what}", timeout=30)
        answer.raise_for_status()
        return answer.json()


def _is_worker(function: Mapping[str, Any]) -> bool:
    """Whether this is the function of the session queue."""
    return any(binding.get("isSessionsEnabled") for binding in function["config"]["bindings"])

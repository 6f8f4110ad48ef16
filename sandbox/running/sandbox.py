"""The whole sandbox on one state directory: its processes, the registration in Dataverse, and endpoints.json."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from sandbox.azure import azurite, topology
from sandbox.machine.ports import Ports, free_ports
from sandbox.machine.supervisor import Supervisor, silent
from sandbox.repository import REPOSITORY, TOOLS
from sandbox.running import given_systems, programs, registration, relay, requests_file
from sandbox.running import sinks as sinks_here
from sandbox.running.credit import DEFAULT_CREDIT
from sandbox.running.dataverse_client import Environment
from sandbox.running.endpoints import Endpoints
from sandbox.running.erp import DEFAULT, ERPS
from sandbox.running.given_systems import GivenSystems
from sandbox.running.reload import AppFiles, Changes, Reload
from sandbox.running.state import Keys, StateDirectory


class Sandbox:
    """Everything that the app needs from Azure and the outside systems, and the app itself on two hosts.

    `ports` are free ones unless given. `settings` are added to the app's settings; `settings_file`, in the form of
    local.settings.json, gives those that are still not set. `app` is the directory of function_app.py, run by `python`;
    None leaves the hosts out, for an app that another host runs on the port of `functions`. `tools` is where Azurite is
    installed once; with `storage_in_memory` it keeps nothing when it stops. With `restart`, a process that dies by
    itself is started again. `page` says that the caller serves a start page. `erp` is one of
    `erp.ERPS`, `credit` one of `credit.CREDITS`; with `relayed` the app reaches the ERP through Azure Relay,
    and it has these `sinks` of settled events (`sinks.ALL`) beside the archive.
    `systems` is what the app's setting SYSTEMS says, whose ERP and credit scoring win over `erp` and `credit`.
    With `checks`, Dataverse asks the app before it saves what a check is about. `topology_file` has the queues and
    hubs.
    """

    def __init__(
        self,
        state_dir: Path,
        ports: Ports | None = None,
        *,
        app: Path | None = REPOSITORY,
        python: Path = programs.PYTHON,
        settings: Mapping[str, str] | None = None,
        settings_file: Path | None = None,
        tools: Path = TOOLS,
        storage_in_memory: bool = False,
        restart: bool = False,
        page: bool = False,
        erp: str = DEFAULT,
        credit: str = DEFAULT_CREDIT,
        relayed: bool = False,
        sinks: Collection[str] = (),
        systems: GivenSystems = given_systems.NONE,
        checks: bool = False,
        topology_file: Path = topology.TOPOLOGY,
        say: Callable[[str], None] = silent,
    ) -> None:
        self.ports = ports or Ports.free()
        self.state = StateDirectory(state_dir)
        self._app = app
        self._python = python
        self._settings = dict(settings or {})
        self._settings_file = settings_file
        self._tools = tools
        self._storage_in_memory = storage_in_memory
        self._restart = restart
        self._page = page
        self._erp = systems.erp or erp
        self._credit = systems.credit or credit
        self._systems = systems
        self._relayed = relayed
        self._checks = checks
        self._sinks = sinks
        self._topology_file = topology_file
        self._app_settings: dict[str, str] | None = None
        self._say = say
        self._supervisor: Supervisor | None = None
        self._registering: registration.Registering | None = None

    @property
    def processes(self) -> Supervisor:
        """The processes by name: broker, azurite, dataverse, erp, credit, collector, host-http, host-events.

        If `relayed`, also relay and relay-listener; with these sinks, also event-grid and log-analytics.
        """
        if self._supervisor is None:
            raise RuntimeError("the sandbox does not run")
        return self._supervisor

    @property
    def app_settings(self) -> dict[str, str]:
        """The app's settings here, by their names in the environment."""
        if self._app_settings is None:
            raise RuntimeError("the sandbox does not run")
        return dict(self._app_settings)

    def reload(self) -> Reload:
        """Restarts the hosts when files of the app change from now on."""
        if self._app is None:
            raise RuntimeError("the sandbox runs no app")
        changes = Changes(AppFiles(self._app, self._settings_file).state)
        return Reload(self.processes, programs.HOSTS, changes, self._say)

    def start(self, *, fresh: bool = False) -> Endpoints:
        """Start everything and wait until it is ready; `fresh` forgets what earlier runs have left.

        Raises `PortTakenError`, `StateInUseError`, `NpmInstallError`, `StartError` or `RegistrationError`; nothing
        runs then.
        """
        if self._relayed and not ERPS[self._erp].on_premises:
            raise ValueError(f"The ERP '{self._erp}' is in the cloud only: it is never behind a relay.")
        self.state.open()
        try:
            self.ports.check()
            if fresh:
                self.state.forget()
            return self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything; harmless when nothing runs."""
        self.state.withdraw_endpoints()
        if self._registering is not None:
            self._registering.cancel()
            self._registering = None
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None
        self.state.close()

    def cancel(self) -> None:
        """Make a `start` that is under way give up; may be called from a signal handler."""
        if self._supervisor is not None:
            self._supervisor.cancel()

    def _start(self) -> Endpoints:
        self._supervisor = Supervisor(self.state.logs, REPOSITORY, self._say)
        installed = azurite.installed(self._tools, self._say)
        keys = self.state.keys()
        rendered = topology.render(json.loads(self._topology_file.read_text(encoding="utf-8")))
        configs = rendered.write(self.state.data / "config")
        in_memory = self._storage_in_memory
        services = programs.services(
            self.ports,
            keys,
            self.state,
            installed,
            configs,
            storage_in_memory=in_memory,
            erp=self._erp,
            credit=self._credit,
            rest=self._systems.rest,
        )
        systems = self._systems.at(free_ports(len(self._systems.of_their_own)))
        written_to = sinks_here.services(self.ports, self._sinks)
        self._supervisor.run([*services, *systems.programs(keys, self.state.data), *written_to])
        if self._relayed:
            for program in relay.programs(self.ports, keys, self._tools, self._say):
                self._supervisor.run([program])
        environment = Environment.of(programs.dataverse_url(self.ports), programs.ca_file(self.state))
        usual = programs.endpoints(
            self.ports,
            keys,
            environment,
            page=self._page,
            rest=systems.rest,
            sinks=sinks_here.urls(self.ports, self._sinks),
        )
        self._app_settings = (
            systems.settings(self._settings_of(usual, keys, environment), keys)
            | sinks_here.settings(self.ports, self._sinks)
            | self._settings
        )
        reached = replace(systems.added_to(usual), checks=self._checks)
        self._registering = registration.Registering(reached, self._registered, serves=self._app is not None)
        if self._app is not None:
            homepage = {"SANDBOX_HOST_HOMEPAGE": reached.page} if reached.page else {}
            settings = self._app_settings | homepage
            hosts = programs.hosts(self.ports, self._app, settings, self._settings_file, self._python)
            self._supervisor.run(hosts)
        self._registering.finish()
        if self._app is not None and ERPS[self._erp].subscribed:
            registration.subscribe(self.ports)
        if self._restart:
            self._supervisor.watch()
        requests_file.write(reached, self.state.requests)
        reached.write(self.state.endpoints)
        return reached

    @property
    def _registered(self) -> Path:
        return self.state.data / "config"

    def _settings_of(self, reached: Endpoints, keys: Keys, environment: Environment) -> dict[str, str]:
        drift = {"DRIFT_ENVIRONMENT": str(registration.values_file(self._registered).absolute())}
        return drift | programs.app_settings(
            reached,
            keys,
            environment,
            erp=self._erp,
            credit=self._credit,
            erp_url=relay.url(self.ports) if self._relayed else None,
            erp_more=relay.system(keys) if self._relayed else {},
        )

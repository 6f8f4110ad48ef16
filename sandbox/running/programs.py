"""The processes of the sandbox, in the order they are started: commands, environment, readiness."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from sandbox.azure import topology
from sandbox.azure.azurite import Azurite
from sandbox.machine.ports import LOOPBACK, Ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.running.credit import CREDITS, DEFAULT_CREDIT
from sandbox.running.dataverse_client import Environment
from sandbox.running.endpoints import Endpoints, broker_connection, storage_connection
from sandbox.running.erp import DEFAULT, ERPS
from sandbox.running.state import Keys, StateDirectory
from sandbox.systems.dataverse import declared_flows

PYTHON = Path(sys.executable)

PREFIX = "new"
"""Customisation prefix of the result columns in the Dataverse stand-in."""

_WITH_A_STAND_IN = frozenset({"erp", "credit"})
HOSTS = ("host-http", "host-events")
"""Names of the two Functions hosts."""


def plugin_events() -> dict[str, dict[str, str]]:
    """What the plug-in payload's EventName stands for: `AccountUpdated`, for each message of each flow's table."""
    return {
        f"{flow.table.capitalize()}{message.rstrip('e')}ed": {"table": flow.table, "message": message}
        for flow in declared_flows.flows()
        for message in flow.messages
    }


def ca_file(state: StateDirectory) -> Path:
    """The authority that signed the certificate of the Dataverse stand-in and of the broker."""
    return state.data / "ca" / "ca.pem"


def dataverse_url(ports: Ports) -> str:
    """Base URL of the Dataverse stand-in."""
    return f"https://localhost:{ports.dataverse}"


def endpoints(
    ports: Ports,
    keys: Keys,
    environment: Environment,
    *,
    page: bool = False,
    rest: Iterable[str] = (),
    sinks: Mapping[str, str] = MappingProxyType({}),
) -> Endpoints:
    """The addresses of the sandbox once it runs; with `page`, including a start page.

    `sinks` are the addresses that its sinks write to. `rest` are the systems for which the REST contract is kept
    besides those of the flows.
    """
    others = other_systems(rest)
    erp, credit, broker = (f"http://{LOOPBACK}:{port}" for port in (ports.erp, ports.credit, ports.broker_http))
    return Endpoints(
        functions=_functions(ports),
        page=f"http://{LOOPBACK}:{ports.page}" if page else None,
        webhook_key=keys.webhook,
        plugin_key=keys.plugin,
        operations_key=keys.operations,
        virtual_tables_key=keys.virtual_tables,
        servicebus=broker_connection(ports.amqp),
        eventhubs=broker_connection(ports.amqp),
        storage=storage_connection(ports),
        broker=broker,
        dataverse=environment.url,
        dataverse_client=environment.application,
        dataverse_person=environment.person,
        erp=erp,
        erp_key=keys.erp,
        erp_events_key=keys.erp_events,
        credit=credit,
        credit_key=keys.credit,
        collector=f"http://{LOOPBACK}:{ports.collector}",
        others={name: f"http://{LOOPBACK}:{ports.others}/{name}/api" for name in others},
        sinks=dict(sinks),
        faults={
            "erp": f"{erp}/control/faults",
            "credit": f"{credit}/control/faults",
            "dataverse": f"{environment.url}/control/faults",
            "broker": f"{broker}/control/fault",
            **dict.fromkeys(others, f"http://{LOOPBACK}:{ports.others}/control/faults"),
            **{name: f"{url}/control/faults" for name, url in sinks.items()},
        },
        ports=asdict(ports),
    )


def other_systems(rest: Iterable[str] = ()) -> dict[str, dict[str, dict[str, object]]]:
    """The systems that flows name and that have no stand-in of their own, with what is read of their answers.

    Those of `rest` are there as well.
    """
    found: dict[str, dict[str, dict[str, object]]] = {name: {} for name in rest}
    named = declared_flows.systems()
    return found | {name: answers for name, answers in named.items() if name not in _WITH_A_STAND_IN}


def services(
    ports: Ports,
    keys: Keys,
    state: StateDirectory,
    azurite: Azurite,
    broker_configs: list[Path],
    *,
    storage_in_memory: bool = False,
    erp: str = DEFAULT,
    credit: str = DEFAULT_CREDIT,
    rest: Iterable[str] = (),
) -> list[Program]:
    """The processes that replace Azure and the outside systems; they do not need each other to start.

    `rest` are systems besides those of the flows for which the REST contract is kept.
    """
    data = state.data
    configs = [part for path in broker_configs for part in ("--config", str(path))]
    return [
        Program(
            "broker",
            _python(
                "sandbox.azure.broker",
                port=ports.amqp,
                http_port=ports.broker_http,
                tls_port=ports.amqps,
                ca_dir=ca_file(state).parent,
                db=data / "broker.sqlite",
                more=configs,
            ),
            HttpProbe(f"http://{LOOPBACK}:{ports.broker_http}/health"),
        ),
        Program(
            "azurite",
            tuple(azurite.command(ports, None if storage_in_memory else data / "azurite")),
            _AllReady(
                *(
                    HttpProbe(f"http://{LOOPBACK}:{port}/", (400, 403))
                    for port in (ports.blob, ports.queue, ports.table)
                )
            ),
        ),
        Program(
            "dataverse",
            _python(
                "sandbox.systems.dataverse",
                port=ports.dataverse,
                state=data / "dataverse",
                ca_dir=ca_file(state).parent,
                more=["--unprepared"],
            ),
            HttpProbe(f"{dataverse_url(ports)}/control/health", unverified=True),
        ),
        Program(
            "erp",
            (
                str(PYTHON),
                "-m",
                *ERPS[erp].command(
                    ports.erp, data, keys.erp, _functions(ports), keys.erp_events, broker_connection(ports.amqp)
                ),
            ),
            HttpProbe(f"http://{LOOPBACK}:{ports.erp}/control/health"),
        ),
        Program(
            "credit",
            (str(PYTHON), "-m", *CREDITS[credit].command(ports.credit, data, keys.credit)),
            HttpProbe(f"http://{LOOPBACK}:{ports.credit}/control/health"),
        ),
        Program(
            "collector",
            _python("sandbox.systems.collector", port=ports.collector, db=data / "collector.sqlite"),
            HttpProbe(f"http://{LOOPBACK}:{ports.collector}/control/health"),
        ),
        *_others(ports, keys, data, other_systems(rest)),
    ]


def _others(ports: Ports, keys: Keys, data: Path, answers: Mapping[str, object]) -> list[Program]:
    """One process for all of them; none where there are none."""
    if not answers:
        return []
    command = _python(
        "sandbox.systems.resources",
        port=ports.others,
        db=data / "others.sqlite",
        api_key=keys.erp,
        answers=json.dumps(answers),
    )
    return [Program("others", command, HttpProbe(f"http://{LOOPBACK}:{ports.others}/control/health"))]


def hosts(
    ports: Ports, app: Path, settings: Mapping[str, str], settings_file: Path | None, python: Path = PYTHON
) -> list[Program]:
    """Two Functions hosts with the same app: in Flex Consumption, too, HTTP functions have their own instances."""
    groups = (("http", ports.functions), ("events", ports.events_host))
    return [
        Program(
            name,
            _python(
                "sandbox.azure.host",
                app=app,
                port=port,
                only=group,
                name=name,
                python=python,
                more=[] if settings_file is None else ["--settings", str(settings_file)],
            ),
            HttpProbe(f"http://{LOOPBACK}:{port}/admin/host/status", text='"Running"'),
            environment=settings,
            stop_seconds=15.0,
        )
        for name, (group, port) in zip(HOSTS, groups, strict=True)
    ]


def app_settings(
    reached: Endpoints,
    keys: Keys,
    environment: Environment,
    *,
    erp: str = DEFAULT,
    credit: str = DEFAULT_CREDIT,
    erp_url: str | None = None,
    erp_more: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """The app's settings in the sandbox, by their names in the environment.

    `erp_url` is where the app calls the ERP, if not directly; SYSTEMS then says `erp_more` of it.
    """
    client = reached.dataverse_client
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": reached.storage,
        "ServiceBus": reached.servicebus,
        "EventHubs": reached.eventhubs,
        "DataverseServiceBus": reached.servicebus,
        "DataverseEventHubs": reached.eventhubs,
        "BusinessEventsServiceBus": reached.servicebus,
        **topology.optional_settings(),
        # Receivers of webhooks are on this machine, and speak plain http.
        "WEBHOOKS_PRIVATE_RECEIVERS": "true",
        "INTAKE_KEYS": json.dumps(
            {
                "dataverse": [keys.webhook],
                "plugin": [keys.plugin],
                "erp": [keys.erp_events],
                "business-central": [keys.business_central],
            }
        ),
        "TOKEN_AUDIENCES": json.dumps(environment.app_audiences),
        "INTAKE_APPLICATIONS": json.dumps({"partner": reached.dataverse_person.client_id}),
        "OPERATIONS_KEYS": json.dumps({"support": [keys.operations]}),
        "VIRTUAL_TABLE_KEYS": json.dumps({"dataverse": [keys.virtual_tables]}),
        "VIRTUAL_TABLE_WRITERS": json.dumps(["dataverse"]),
        "VIRTUAL_TABLE_EVENTS": "true",
        "PLUGIN_EVENTS": json.dumps(plugin_events()),
        "DATAVERSE_URL": reached.dataverse,
        "DATAVERSE_ORGANISATION": environment.organisation_id,
        # Captured payloads come from many organisations.
        "OWN_ORGANISATION_ONLY": "false",
        "DATAVERSE_TENANT_ID": client.tenant,
        "DATAVERSE_CLIENT_ID": client.client_id,
        "DATAVERSE_CLIENT_SECRET": client.secret,
        "DATAVERSE_AUTHORITY": client.authority,
        "DATAVERSE_INSTANCE_DISCOVERY": "false",
        "DATAVERSE_CA_FILE": client.ca_file,
        "PUBLISHER_PREFIX": PREFIX,
        **ERPS[erp].settings(
            erp_url or reached.erp,
            keys.erp,
            {
                "credit": CREDITS[credit].system(reached.credit),
                **{name: {"adapter": "rest", "url": url} for name, url in reached.others.items()},
            },
            erp_more,
        ),
        **CREDITS[credit].setting(keys.credit),
        **{f"SYSTEMS_{name.upper()}_API_KEY": keys.erp for name in reached.others},
        **({"PUBLIC_URL": reached.functions} if ERPS[erp].subscribed else {}),
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": reached.collector,
        # Nobody here wants to wait for five seconds and a minute.
        "OTEL_BSP_SCHEDULE_DELAY": "500",
        "OTEL_METRIC_EXPORT_INTERVAL": "5000",
        "TRACE_URL": f"{reached.collector}/traces/{{event_id}}",
        # As many threads as sessions may be worked on at once (host.json, maxConcurrentSessions).
        "PYTHON_THREADPOOL_THREAD_COUNT": "128",
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1048576",
    }


class _AllReady:
    """Ready when all of the probes are."""

    def __init__(self, *probes: HttpProbe) -> None:
        self._probes = probes

    def __call__(self) -> bool:
        return all(probe() for probe in self._probes)


def _functions(ports: Ports) -> str:
    return f"http://{LOOPBACK}:{ports.functions}"


def _python(module: str, *, python: Path = PYTHON, more: list[str] | None = None, **options: object) -> tuple[str, ...]:
    arguments = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    return (str(python), "-m", module, *arguments, *(more or []))

"""What the host refuses to start with, and what it says then."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.contract.sandbox.azure.host.processes import HostProcess, StartHost
from tests.contract.sandbox.azure.host.refusals import Refusals

CONNECTION = "Endpoint=sb://localhost:1;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;"
STORAGE = "UseDevelopmentStorage=true"
HEAD = "from typing import List\nimport azure.functions as func\napp = func.FunctionApp()\n"
ROUTE = "(req: func.HttpRequest) -> func.HttpResponse:\n    return func.HttpResponse('')\n"
QUEUE = "@app.service_bus_queue_trigger(arg_name='message', queue_name='q', connection='ServiceBus')\n"
BATCH = QUEUE.replace("connection", "cardinality='many', connection")
FINE = f"{HEAD}@app.route(route='fine')\ndef fine{ROUTE}"
ON_QUEUE = f"{HEAD}{QUEUE}def on_message(message: func.ServiceBusMessage) -> None: ...\n"
BY_NAME = ON_QUEUE.replace("'q'", "'%QUEUE%'")
ON_HUB = (
    f"{HEAD}@app.event_hub_message_trigger(arg_name='event', event_hub_name='h', connection='EventHubs')\n"
    "def on_event(event: func.EventHubEvent) -> None: ...\n"
)
ON_TIME = f"{HEAD}@app.timer_trigger(arg_name='timer', schedule='%OFTEN%')\ndef tick(timer: func.TimerRequest): ...\n"


@dataclass
class App:
    """An app and what the host says of it."""

    says: str
    source: str | None = FINE
    host_json: str | None = '{"version": "2.0"}'
    arguments: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=lambda: {"ServiceBus": CONNECTION})


def host_json(**sections: object) -> str:
    return json.dumps({"version": "2.0", **sections})


def service_bus(**options: object) -> str:
    return host_json(extensions={"serviceBus": options})


def event_hubs(**options: object) -> str:
    return host_json(extensions={"eventHubs": options})


BY_THE_WORKER = {
    "a syntax error": App("SyntaxError", f"{HEAD}def"),
    "a module that is not installed": App("No module named 'nowhere'", f"import nowhere\n{FINE}"),
    "an exception at import": App('function_app.py", line 7, in <module>', f"{FINE}undefined"),
    "no app": App("Could not find top level function app instances", "import azure.functions as func\n"),
    "two apps": App("More than one FunctionApp", f"{FINE}more = func.FunctionApp()\n"),
    "a parameter without binding": App(
        "cannot load the broken function", f"{HEAD}@app.route()\ndef broken(req: func.HttpRequest, more: str): ...\n"
    ),
    "a binding without parameter": App(
        "declared as bindings but are not present in Python", f"{HEAD}@app.route()\ndef broken(): ...\n"
    ),
    "a context that is none": App(
        'the "context" parameter is expected to be of type azure.functions.Context',
        f"{HEAD}@app.route()\ndef broken(req: func.HttpRequest, context: str): ...\n",
    ),
    "list[...] as a parameter's type": App(
        "invalid non-type annotation", f"{HEAD}{BATCH}def broken(message: list[func.ServiceBusMessage]): ...\n"
    ),
    "a type that is not the trigger's": App(
        "do not match the corresponding function parameter's Python type",
        f"{HEAD}{QUEUE}def broken(message: func.HttpRequest): ...\n",
    ),
    "a function without trigger": App(
        "does not have a trigger", f"{HEAD}@app.function_name('broken')\ndef broken(): ..."
    ),
    "two triggers": App(
        "A trigger was already registered",
        f"{HEAD}{QUEUE}@app.route()\ndef broken(req: func.HttpRequest, message: func.ServiceBusMessage): ...\n",
    ),
    "two functions of one name": App("does not have a unique function name", f"{FINE}@app.route()\ndef fine{ROUTE}"),
}
BY_THE_HOST = {
    "no function_app.py": App("There is no function_app.py", None),
    "no host.json": App("Cannot read", host_json=None),
    "a host.json that is not JSON": App("is not JSON", host_json="{"),
    "no version in host.json": App('must say "version": "2.0"', host_json="{}"),
    "an option of the wrong type": App(
        "'maxConcurrentCalls' must be of type int", host_json=service_bus(maxConcurrentCalls="4")
    ),
    "a timeout that is no duration": App(
        "'ten minutes' is not a duration", host_json=host_json(functionTimeout="ten minutes")
    ),
    "a batch that is never large enough": App(
        "'minMessageBatchSize' is 20, more than", host_json=service_bus(minMessageBatchSize=20, maxMessageBatchSize=10)
    ),
    "events that are never enough": App("'minEventBatchSize' is 200", host_json=event_hubs(minEventBatchSize=200)),
    "a batch that waits too long": App(
        "maxBatchWaitTime is at most 00:02:30", host_json=service_bus(maxBatchWaitTime="00:02:31")
    ),
    "a name that is none": App(
        "'1st' is not a valid function name", f"{HEAD}@app.function_name('1st')\n@app.route()\ndef f{ROUTE}"
    ),
    "the name host": App("'Host' is not a valid function name", f"{HEAD}@app.route()\ndef Host{ROUTE}"),
    "names that differ in case alone": App(
        "'Fine' must be unique", f"{FINE}@app.route(route='other')\ndef Fine{ROUTE}"
    ),
    "a route of the admin API": App(
        "'administration' conflicts with one or more built in",
        f"{HEAD}@app.route(route='administration')\ndef f{ROUTE}",
    ),
    "a route of the runtime API": App(
        "'runtime/x' conflicts with one or more built in", f"{HEAD}@app.route(route='/Runtime/x')\ndef f{ROUTE}"
    ),
    "one route for two functions": App(
        "'fine' conflicts with that of function", f"{FINE}@app.route(route='Fine', methods=['GET'])\ndef second{ROUTE}"
    ),
    "a route's unknown constraint": App(
        "there is no constraint 'even'", f"{HEAD}@app.route(route='{{n:even}}')\ndef f{ROUTE}"
    ),
    "a missing %Setting%": App("'%QUEUE%' does not resolve", BY_NAME),
    "a missing connection": App("Connection 'ServiceBus' does not exist", ON_QUEUE, settings={}),
    "a malformed connection": App(
        "no SharedAccessKeyName, SharedAccessKey", ON_QUEUE, settings={"ServiceBus": "Endpoint=sb://x"}
    ),
    "no storage account": App("Missing value for AzureWebJobsStorage", ON_HUB, settings={"EventHubs": CONNECTION}),
    "a malformed storage account": App(
        "'AzureWebJobsStorage' is not a connection string",
        ON_HUB,
        settings={"EventHubs": CONNECTION, "AzureWebJobsStorage": "x"},
    ),
    "a malformed schedule": App(
        "'* *' is no cron expression", ON_TIME, settings={"AzureWebJobsStorage": STORAGE, "OFTEN": "* *"}
    ),
    "too many worker processes": App("at most 10", settings={"FUNCTIONS_WORKER_PROCESS_COUNT": "11"}),
}
BY_THIS_HOST = {
    "an output binding": App(
        "no out binding of type 'serviceBus' ('out')",
        f"{HEAD}@app.route()\n@app.service_bus_queue_output(arg_name='out', queue_name='q', connection='ServiceBus')\n"
        f"def sends(req: func.HttpRequest, out: func.Out[str]): ...\n",
    ),
    "another trigger": App(
        "no binding of type 'blobTrigger'",
        f"{HEAD}@app.blob_trigger(arg_name='blob', path='p', connection='AzureWebJobsStorage')\n"
        "def on_blob(blob: func.InputStream): ...\n",
    ),
    "an identity-based connection": App(
        "There is no Microsoft Entra ID here",
        ON_QUEUE,
        settings={"ServiceBus__fullyQualifiedNamespace": "x.servicebus.windows.net"},
    ),
    "identity-based storage": App(
        "There is no Microsoft Entra ID here",
        ON_HUB,
        settings={"EventHubs": CONNECTION, "AzureWebJobsStorage__accountName": "x"},
    ),
    "options of an older extension": App(
        "'messageHandlerOptions' is of an older extension", host_json=service_bus(messageHandlerOptions={})
    ),
    "events from a time on": App(
        "'fromenqueuedtime' is not supported", host_json=event_hubs(initialOffsetOptions={"type": "fromEnqueuedTime"})
    ),
    "an unknown function": App("no function of that name", arguments=("--only", "nobody")),
    "no settings file": App("Cannot read the settings file", arguments=("--settings", "absent.json")),
    "a settings file that is none": App("has no object 'Values'", arguments=("--settings", "host.json")),
}


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Refusals:
    return Refusals(tmp_path_factory.mktemp("refusals"))


def refuse(refusals: Refusals, app: App, folder: Path) -> None:
    if app.source is not None:
        (folder / "function_app.py").write_text(app.source)
    if app.host_json is not None:
        (folder / "host.json").write_text(app.host_json)
    arguments = [str(folder / word) if word.endswith(".json") else word for word in app.arguments]
    refusal = refusals.start(folder, arguments, app.settings)
    assert refusal.status == 1
    assert app.says in refusal.text
    assert "The host does not start: " in refusal.text


@pytest.mark.parametrize("why", BY_THE_WORKER)
def test_what_the_worker_refuses(refusals: Refusals, why: str, tmp_path: Path) -> None:
    """Microsoft's own package says so, in Azure too (handle_event.py, functions.py, loader.py)."""
    refuse(refusals, BY_THE_WORKER[why], tmp_path)


@pytest.mark.parametrize("why", BY_THE_HOST)
def test_what_the_host_refuses(refusals: Refusals, why: str, tmp_path: Path) -> None:
    """In Azure the function is in error, or the host does not start (sources in sandbox/azure/host/validation.py)."""
    refuse(refusals, BY_THE_HOST[why], tmp_path)


@pytest.mark.parametrize("why", BY_THIS_HOST)
def test_what_this_host_cannot_do(refusals: Refusals, why: str, tmp_path: Path) -> None:
    """Azure takes it; here it is refused and not ignored."""
    refuse(refusals, BY_THIS_HOST[why], tmp_path)


def test_a_refusal_ends_the_process_with_status_1(run_host: StartHost) -> None:
    """The same as `python -m sandbox.azure.host`, with several worker processes: none of them stays."""
    host = run_host("broken_index", ready=False, settings={"FUNCTIONS_WORKER_PROCESS_COUNT": "2"})
    assert host.process.wait(20) == 1
    assert "cannot load the broken function" in host.text()


def test_methods_part_a_route(refusals: Refusals, tmp_path: Path) -> None:
    """Two functions may share a route when their methods differ: what is refused here comes after it."""
    source = (
        f"{HEAD}@app.route(route='x', methods=['GET'])\ndef reads{ROUTE}"
        f"@app.route(route='x', methods=['POST'])\ndef writes{ROUTE}"
    )
    app = App("no function of that name", source, arguments=("--only", "nobody"))
    refuse(refusals, app, tmp_path)


def test_settings_come_from_the_file_unless_the_environment_has_them(run_host: StartHost, tmp_path: Path) -> None:
    """As `func start` reads local.settings.json; a prefix AzureWebJobs before a connection's name counts too."""
    values = {"SINGLE": "from-file", "AzureWebJobsServiceBus": CONNECTION}
    file = tmp_path / "local.settings.json"
    file.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    host = run_host("messages", "--settings", str(file), "--only", "single", settings={"SINGLE": "from-environment"})
    bindings = host.get("/admin/functions/single").json()["config"]["bindings"]
    assert bindings[0]["queueName"] == "%SINGLE%"
    assert "queueName=from-environment" in host.text()
    host.kill()


def test_only_http_runs_no_listeners(run_host: StartHost) -> None:
    """The events app without any of its settings starts when only its HTTP functions are asked for."""
    host: HostProcess = run_host("events", "--only", "http")
    assert host.get("/admin/functions").json() == []
    host.kill()

"""infra/topology.json and the code name the same: functions, queues, hubs, groups, senders, tables, settings."""

import ast
import json
from collections.abc import Iterator
from typing import Any

import pytest

from integration.composition import connections
from integration.composition.app import build_app
from integration.composition.services import build_services
from integration.ledger import keys
from integration.settings import Settings
from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import ENVIRONMENTS, INFRA, Expansion

TOPOLOGY: dict[str, Any] = json.loads((INFRA / "topology.json").read_text(encoding="utf-8"))
EXAMPLE = json.loads((REPOSITORY / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]
SENDING_CALLS = {"get_queue_sender", "get_topic_sender", "EventHubProducerClient"}


def settings(**changes: str) -> Settings:
    return Settings.from_environment({**EXAMPLE, **changes})


def triggers() -> dict[str, dict[str, Any]]:
    """The trigger of each function of the app, with its name."""
    found = {}
    for function in build_app(settings()).get_functions():
        bindings = json.loads(function.get_function_json())["bindings"]
        (trigger,) = [it for it in bindings if it["type"].endswith("Trigger")]
        found[str(function.get_function_name())] = trigger
    return found


def endpoint_triggers() -> dict[str, dict[str, Any]]:
    """What the topology says of the functions for what Dataverse, and Finance & Operations, post to."""
    kinds = ("queue", "topic", "hub", "businessEvents")
    queue, topic, hub, finance = (TOPOLOGY["serviceEndpoints"][kind] for kind in kinds)
    service_bus = {"type": "serviceBusTrigger", "isSessionsEnabled": False}
    return {
        queue["function"]: {**service_bus, "connection": queue["connection"], "queueName": queue["name"]},
        finance["function"]: {**service_bus, "connection": finance["connection"], "queueName": finance["name"]},
        topic["function"]: {
            **service_bus,
            "connection": topic["connection"],
            "topicName": topic["name"],
            "subscriptionName": topic["subscription"],
        },
        hub["function"]: {
            "type": "eventHubTrigger",
            "connection": hub["connection"],
            "eventHubName": hub["name"],
            "consumerGroup": hub["consumerGroup"],
        },
    }


def webhook_triggers() -> dict[str, dict[str, Any]]:
    """What the topology says of the functions for webhooks."""
    it = TOPOLOGY["webhooks"]
    return {
        it["functions"]["fanOut"]: {
            "type": "eventHubTrigger",
            "connection": "EventHubs",
            "eventHubName": it["hub"],
            "consumerGroup": it["consumerGroup"],
        },
        it["functions"]["delivery"]: {
            "type": "serviceBusTrigger",
            "connection": "ServiceBus",
            "queueName": it["queue"]["name"],
            "isSessionsEnabled": it["queue"]["requiresSession"],
        },
    }


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Calls of functions or methods of these names in the app: where, and the call."""
    for path in (REPOSITORY / "integration").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                callee = node.func
                if isinstance(callee, ast.Attribute) and callee.attr.startswith("from_connection_string"):
                    callee = callee.value
                name = callee.attr if isinstance(callee, ast.Attribute) else getattr(callee, "id", None)
                if name in names:
                    yield path.relative_to(REPOSITORY).as_posix(), node


def test_every_trigger_is_in_the_topology_and_the_reverse() -> None:
    """Names, routes, methods, queues, session flags, hubs and consumer groups; no kind of trigger is left out."""
    declared: dict[str, dict[str, Any]] = {}
    for it in (*TOPOLOGY["functions"]["http"], *TOPOLOGY["webhooks"]["http"]):
        declared[it["name"]] = {"type": "httpTrigger", "route": it["route"], "methods": it["methods"]}
    for it in TOPOLOGY["functions"]["serviceBus"]:
        declared[it["name"]] = {
            "type": "serviceBusTrigger",
            "connection": "ServiceBus",
            "queueName": it["queue"],
            "isSessionsEnabled": it["sessions"],
        }
    for it in TOPOLOGY["functions"]["eventHubs"]:
        declared[it["name"]] = {
            "type": "eventHubTrigger",
            "connection": "EventHubs",
            "eventHubName": it["hub"],
            "consumerGroup": it["consumerGroup"],
        }
    for it in TOPOLOGY["functions"]["timers"]:
        declared[it["name"]] = {"type": "timerTrigger", "schedule": it["schedule"]}
    declared |= endpoint_triggers() | webhook_triggers()
    coded = triggers()
    assert declared.keys() == coded.keys()
    for name, wanted in declared.items():
        assert wanted == {key: coded[name].get(key, False) for key in wanted}, name


def test_the_intake_are_the_routes_that_take_events_in() -> None:
    """Alerts watch the intake: exactly what events are posted to."""
    posted = {name: it["route"] for name, it in triggers().items() if "POST" in it.get("methods", [])}
    taking = {
        name
        for name, route in posted.items()
        if not route.startswith(("operations/", "console/", "odata/", "subscriptions"))
    }
    assert {it["name"] for it in TOPOLOGY["functions"]["http"] if it["intake"]} == taking


def test_every_queue_hub_and_group_is_used_and_the_reverse() -> None:
    """Nothing is created that no function reads, and sessions are what the queue has been made for."""
    queues = {it["name"]: it["requiresSession"] for it in TOPOLOGY["serviceBus"]["queues"]}
    assert {it["queue"]: it["sessions"] for it in TOPOLOGY["functions"]["serviceBus"]} == queues
    groups = {(hub["name"], group) for hub in TOPOLOGY["eventHubs"]["hubs"] for group in hub["consumerGroups"]}
    assert {(it["hub"], it["consumerGroup"]) for it in TOPOLOGY["functions"]["eventHubs"]} == groups


def test_every_sender_is_in_the_topology_and_the_reverse() -> None:
    """The app sends where the topology says, from these places in the code and no other."""
    services = build_services(settings())
    assert [services.intake._taking_in._work_queue.name] == TOPOLOGY["senders"]["queues"]
    assert [connections.event_hub_producer(settings()).eventhub_name] == TOPOLOGY["senders"]["hubs"]
    places = {(where, kind) for kind in SENDING_CALLS for where, _ in calls(kind)}
    assert places == {
        ("integration/messaging/queue_sender.py", "get_queue_sender"),
        ("integration/composition/connections.py", "EventHubProducerClient"),
    }


def test_senders_follow_their_settings() -> None:
    """Another name in the setting is another entity in the client: nothing is hard-wired."""
    changed = settings(WORK_QUEUE="other-queue", EVENTS_HUB="other-hub", ARCHIVE_CONTAINER="other-container")
    assert build_services(changed).intake._taking_in._work_queue.name == "other-queue"
    assert connections.event_hub_producer(changed).eventhub_name == "other-hub"
    assert connections.archive_container(changed).container_name == "other-container"


def test_timers_keep_off_the_full_hour() -> None:
    """When everybody's jobs begin; those of every minute keep off its first second."""
    for it in TOPOLOGY["functions"]["timers"]:
        second, minute, *_ = it["schedule"].split()
        assert (second if minute == "*" else minute) not in {"0", "00", "*"}, it["name"]


def test_every_table_is_in_the_topology_and_the_reverse() -> None:
    """The ledger's tables have their names in one place of the code, and no other tables are opened."""
    tables = {keys.RECORDS, keys.PROBLEMS, keys.SYSTEMS, keys.REFERENCES, keys.CAUSES, keys.SUBSCRIPTIONS}
    assert tables == set(TOPOLOGY["storage"]["tables"])
    assert set(keys.MONTHLY) == set(TOPOLOGY["storage"]["monthlyTables"])
    assert TOPOLOGY["storage"]["dailyTables"] == [keys.EXCHANGES_PREFIX]
    assert {where for where, _ in calls("Table")} == {"integration/ledger/ledger.py", "integration/ledger/legacy.py"}
    assert not [where for where, call in calls("table") if call.args and isinstance(call.args[0], ast.Constant)]


def test_every_container_is_in_the_topology_and_the_reverse() -> None:
    """Of the archive, what events carry, rows set aside and the ledger's copies: there before the app first runs."""
    opened = (connections.archive_container, connections.claim_check_container, connections.set_aside_container)
    assert [it(settings()).container_name for it in opened] == TOPOLOGY["storage"]["containers"]
    assert [connections.copies_container(settings()).container_name] == TOPOLOGY["storage"]["copies"]


def test_every_setting_that_names_an_entity_is_in_the_topology_and_the_reverse() -> None:
    """With the value that the code would use on its own; what only Dataverse posts to has to be named."""
    suffixes = ("_QUEUE", "_HUB", "_CONSUMER_GROUP", "_CONTAINER", "_TOPIC", "_SUBSCRIPTION", "_TABLE")
    named = {
        field.alias: field.default
        for field in Settings.model_fields.values()
        if field.alias and field.alias.endswith(suffixes) and field.alias != "DELTA_TABLE"  # an address, of any account
    }
    options = [*TOPOLOGY["serviceEndpoints"].values(), TOPOLOGY["webhooks"], *TOPOLOGY["sinks"].values()]
    of_options = {name for it in options for name in it["settings"] if name.endswith(suffixes)}
    assert {name: named.pop(name) for name in of_options} == dict.fromkeys(of_options) | {
        "DATAVERSE_CONSUMER_GROUP": "$Default",
        "WEBHOOKS_CONSUMER_GROUP": "webhooks",
        "EVENT_GRID_CONSUMER_GROUP": "event-grid",
        "LOG_ANALYTICS_CONSUMER_GROUP": "log-analytics",
        "FABRIC_CONSUMER_GROUP": "fabric",
        "LAKE_CONSUMER_GROUP": "lake",
        "DELTA_CONSUMER_GROUP": "delta",
    }
    assert TOPOLOGY["settings"] == named


def test_without_a_name_no_service_endpoint_is_read() -> None:
    """A trigger on a queue that is not there would fail at every start."""
    for kind in ("queue", "topic", "hub", "businessEvents"):
        endpoint = TOPOLOGY["serviceEndpoints"][kind]
        without = settings(**dict.fromkeys(endpoint["settings"], ""))
        names = {str(it.get_function_name()) for it in build_app(without).get_functions()}
        assert triggers().keys() - names == {endpoint["function"]}


def test_without_a_queue_for_them_there_are_no_webhooks() -> None:
    """Neither their routes, nor the reader of the hub, nor deliveries."""
    names = {str(it.get_function_name()) for it in build_app(settings(WEBHOOKS_QUEUE="")).get_functions()}
    routes = {it["name"] for it in TOPOLOGY["webhooks"]["http"]}
    assert triggers().keys() - names == routes | webhook_triggers().keys()


SINKS = {
    "eventGrid": {"EVENT_GRID_ENDPOINT": "https://topic.westeurope-1.eventgrid.azure.net/api/events"},
    "logAnalytics": {
        "LOG_ANALYTICS_ENDPOINT": "https://dcr.westeurope-1.ingest.monitor.azure.com",
        "LOG_ANALYTICS_RULE": "dcr-1",
    },
    "lake": {"LAKE_CONTAINER_NAME": "lake"},
    "delta": {"DELTA_TABLE": "az://delta/integration_events"},
    "fabric": {"FABRIC_HUB_NAME": "es_1", "Fabric__fullyQualifiedNamespace": "es.servicebus.windows.net"},
}
"""The settings that switch each sink on."""


def functions_of(option: dict[str, Any]) -> set[str]:
    """Names of the functions of a sink."""
    return {option["function"], *([option["timer"]["name"]] if "timer" in option else [])}


def test_the_delta_table_has_its_upkeep_unless_another_one_does_it() -> None:
    """By the timer that the topology names."""
    timer = TOPOLOGY["sinks"]["delta"]["timer"]
    for upkeep in ("true", "false"):
        app = build_app(settings(**SINKS["delta"], DELTA_UPKEEP=upkeep))
        found = {
            str(it.get_function_name()): json.loads(it.get_function_json())["bindings"] for it in app.get_functions()
        }
        schedules = [it["schedule"] for it in found.get(timer["name"], [])]
        assert schedules == ([timer["schedule"]] if upkeep == "true" else [])


@pytest.mark.parametrize("name", TOPOLOGY["sinks"])
def test_a_sink_that_is_set_up_reads_the_hub_with_its_own_consumer_group(name: str) -> None:
    """So that none waits for another; without its settings there is no such function."""
    option = TOPOLOGY["sinks"][name]
    app = build_app(settings(**SINKS[name]))
    functions = {str(it.get_function_name()): json.loads(it.get_function_json()) for it in app.get_functions()}
    (trigger,) = functions[option["function"]]["bindings"]
    assert functions.keys() - triggers().keys() == functions_of(option)
    assert (trigger["eventHubName"], trigger["consumerGroup"], trigger["connection"]) == (
        option["hub"],
        option["consumerGroup"],
        "EventHubs",
    )


def test_two_apps_of_the_same_settings_have_all_functions_between_them() -> None:
    """One has the sinks of settled events, the other one all that is not a sink; none has what the other one has."""
    on = {name: value for sink in SINKS.values() for name, value in sink.items()}
    all_, sinks, others = (
        {str(it.get_function_name()) for it in build_app(settings(**on, APP_FUNCTIONS=which)).get_functions()}
        for which in ("all", "sinks", "others")
    )
    assert sinks == {"archive_events"}.union(*map(functions_of, TOPOLOGY["sinks"].values()))
    assert others == all_ - sinks


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_deployment_creates_the_topology(environment: str) -> None:
    """Queues with all their flags, hubs, groups and containers; nothing is partitioned.

    Tables are made by the app, which its role allows (Storage Table Data Contributor).
    """
    golden = Expansion.golden(environment)
    deployed = {
        it["name"].rpartition("/")[2]: it["properties"] for it in golden.of("Microsoft.ServiceBus/namespaces/queues")
    }
    assert all(not it.pop("enablePartitioning") for it in deployed.values())
    assert all(it.pop("maxSizeInMegabytes") for it in deployed.values())  # a matter of the tier
    assert [{"name": name, **flags} for name, flags in deployed.items()] == TOPOLOGY["serviceBus"]["queues"]
    for hub in TOPOLOGY["eventHubs"]["hubs"]:
        (made,) = [
            it for it in golden.of("Microsoft.EventHub/namespaces/eventhubs") if it["name"].endswith(hub["name"])
        ]
        assert made["properties"]["partitionCount"] == hub["partitionCount"]
        assert made["properties"]["retentionDescription"]["retentionTimeInHours"] == hub["retentionTimeInHours"]
        groups = golden.of("Microsoft.EventHub/namespaces/eventhubs/consumergroups")
        assert [it["name"].rpartition("/")[2] for it in groups] == hub["consumerGroups"]
    account = "Microsoft.Storage/storageAccounts"
    containers = {it["name"].rpartition("/")[2] for it in golden.of(f"{account}/blobServices/containers")}
    assert not golden.of(f"{account}/tableServices/tables")
    roles = json.dumps(golden.of("Microsoft.Authorization/roleAssignments"))
    assert "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3" in roles
    assert containers == {*TOPOLOGY["storage"]["containers"], *TOPOLOGY["storage"]["copies"], "app-package"}

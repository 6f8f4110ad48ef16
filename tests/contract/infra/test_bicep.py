"""The Bicep files hold against Bicep's grammar, Azure's types and this project's policy, with every option too."""

import json
import re
import sys
from pathlib import Path

import pytest

from integration.analytics.columns import SCHEMA
from sandbox.systems.logs_ingestion.api import COLUMNS
from tests.contract.infra.bicep import (
    CHECKER,
    COMPILER,
    ENVIRONMENTS,
    GOLDEN,
    INFRA,
    Expansion,
    expand,
    golden_text,
    run,
)
from tests.contract.infra.conftest import REASON

TOPOLOGY = json.loads((INFRA / "topology.json").read_text(encoding="utf-8"))
ENDPOINTS = TOPOLOGY["serviceEndpoints"]
needs_checker = pytest.mark.skipif(not CHECKER.is_dir(), reason=f"{REASON}no Bicep checker here: infra not checked")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason=f"{REASON}no bicep on PATH: infra not compiled")


@needs_checker
def test_the_checker_finds_nothing() -> None:
    """Grammar, symbols, resource types, and the policy over what each parameter file comes to."""
    done = run([str(CHECKER / "check"), str(INFRA)])
    assert done.returncode == 0, done.stdout
    assert " warning " not in done.stdout, done.stdout


@needs_compiler
@pytest.mark.parametrize("command", [["build", "--stdout"], ["lint"]], ids=lambda words: words[0])
def test_the_compiler_finds_nothing(command: list[str]) -> None:
    """`bicep build` and `bicep lint`; which rules are errors stands in infra/bicepconfig.json."""
    done = run([str(COMPILER), *command, str(INFRA / "main.bicep")])
    assert done.returncode == 0, done.stderr


@needs_compiler
@pytest.mark.parametrize("parameters", sorted(path.name for path in INFRA.glob("*.bicepparam")))
def test_the_compiler_takes_the_parameters(parameters: str) -> None:
    """`bicep build-params` of every parameter file."""
    done = run([str(COMPILER), "build-params", "--stdout", str(INFRA / parameters)])
    assert done.returncode == 0, done.stderr


@needs_checker
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_golden_expansion_is_current(environment: str) -> None:
    """What a change does to each environment is seen in its golden file (python -m tests.contract.infra.golden)."""
    assert (GOLDEN / f"{environment}.json").read_text(encoding="utf-8") == golden_text(environment)


EVENT_GRID_SENDER = "d5a91429-5739-47e2-a06b-3470a27159e7"
"""EventGrid Data Sender (learn.microsoft.com, Azure built-in roles for Integration)."""


@needs_checker
def test_operators_events_go_to_the_same_topic_where_that_is_wanted(tmp_path: Path) -> None:
    """With the same identity; without the topic there is nothing to publish them to."""
    it = with_options(tmp_path, "param publishToEventGrid = true\nparam operatorEventsToEventGrid = true")
    for name in ("ENDPOINT", "CLIENT_ID"):
        assert it.settings[f"OPERATOR_EVENTS_EVENT_GRID_{name}"] == it.settings[f"EVENT_GRID_{name}"]


SENDER, LISTENER = "26baccc8-eea7-41f1-98f4-1762cc7f685d", "26e0b698-aa6d-4085-9386-aadae190014d"
"""Azure Relay Sender and Azure Relay Listener (learn.microsoft.com, Azure built-in roles for Integration)."""


def with_options(folder: Path, lines: str) -> Expansion:
    """The development environment with further parameters, in which the policy finds nothing.

    Its list of roles has none of Azure Relay, and not the one of Event Grid. What it says of these is expected once for
    each assignment of one of them on a hybrid connection or a topic, and of nothing else: another role, or one of these
    on a namespace, is a finding. It also knows only some of the values that the types of data collection rules leave
    open.
    """
    head, *given = (INFRA / "main.dev.bicepparam").read_text(encoding="utf-8").split("\nparam ")
    head = head.replace("'main.bicep'", f"'{INFRA / 'main.bicep'}'")
    changed = {line.split()[1] for line in lines.splitlines() if line.startswith("param ")}
    kept = [f"param {one}" for one in given if one.split()[0] not in changed]
    parameters = folder / "main.options.bicepparam"
    parameters.write_text("\n".join([head, *kept, lines]), encoding="utf-8")
    done = run([sys.executable, str(CHECKER / "policy.py"), str(CHECKER / "azure-types"), "", str(parameters)])
    found = [line.strip() for line in done.stdout.splitlines() if line.startswith(" ")]
    it = Expansion(expand(parameters))
    relayed = [role for role, scope in assigned(it) if role in (SENDER, LISTENER) and ON_A_HYBRID_CONNECTION(scope)]
    relayed += [role for role, scope in assigned(it) if role == EVENT_GRID_SENDER and ON_A_TOPIC(scope)]
    assert not done.stderr
    left = sorted(line for line in found if not line.startswith(OPEN_VALUES))
    assert left == sorted(f"role {role} is not on the allow-list" for role in relayed), done.stdout
    assert done.returncode == bool(found), done.stdout
    return it


OPEN_VALUES = (
    "Microsoft.Insights/dataCollectionRules.kind: 'Direct' not in",
    "Microsoft.Insights/dataCollectionRules.properties.dataFlows[0].streams[0]: 'Custom-IntegrationEvents_CL' not in",
)
"""learn.microsoft.com, "Structure of a data collection rule": these are what a rule for the Logs Ingestion API has."""
ON_A_HYBRID_CONNECTION = re.compile(r".*/Microsoft\.Relay/namespaces/[^/]+/hybridConnections/[^/]+").fullmatch
ON_A_TOPIC = re.compile(r".*/Microsoft\.EventGrid/topics/[^/]+").fullmatch


def assigned(it: Expansion) -> list[tuple[str, str]]:
    """Role and scope of each role assignment."""
    return [
        (
            one["properties"]["roleDefinitionId"].rpartition("/")[2].rstrip(">'"),
            one["id"].partition("/providers/Microsoft.Authorization")[0],
        )
        for one in it.of("Microsoft.Authorization/roleAssignments")
    ]


@needs_checker
@pytest.mark.parametrize(
    ("kind", "namespaces", "rule"),
    [
        ("queue", "Microsoft.ServiceBus/namespaces", "Microsoft.ServiceBus/namespaces/queues/authorizationRules"),
        ("topic", "Microsoft.ServiceBus/namespaces", "Microsoft.ServiceBus/namespaces/topics/authorizationRules"),
        ("hub", "Microsoft.EventHub/namespaces", "Microsoft.EventHub/namespaces/eventhubs/authorizationRules"),
    ],
)
def test_sas_is_opened_for_one_entity_only(tmp_path: Path, kind: str, namespaces: str, rule: str) -> None:
    """The entity for Dataverse has a namespace of its own and a key with Send alone; ours stay Entra only."""
    it = with_options(tmp_path, f"param sasIntake = {{ kind: '{kind}' }}")
    opened = [space for space in it.of(namespaces) if not space["properties"]["disableLocalAuth"]]
    assert [space["name"].partition("-")[0] for space in opened] == ["in"]
    only = it.one(rule)
    assert only["properties"]["rights"] == ["Send"]
    assert only["name"] == f"{opened[0]['name']}/{ENDPOINTS[kind]['name']}/dataverse-send"


@needs_checker
@pytest.mark.parametrize(
    ("kind", "role"),
    [
        ("queue", "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39"),
        ("hub", "2b629674-e913-4c01-ae53-ef4638d8f975"),
    ],
)
def test_the_identity_of_dataverse_may_send_to_the_one_entity_and_needs_no_key(
    tmp_path: Path, kind: str, role: str
) -> None:
    """Azure Service Bus Data Sender, or Azure Event Hubs Data Sender; without the key, SAS is off everywhere."""
    who = "0a0a0a0a-3333-4333-8333-000000000001"
    it = with_options(tmp_path, f"param sasIntake = {{ kind: '{kind}', senderPrincipalId: '{who}', withKey: false }}")
    (sender,) = [
        one for one in it.of("Microsoft.Authorization/roleAssignments") if one["properties"]["principalId"] == who
    ]
    assert sender["properties"]["roleDefinitionId"].rpartition("/")[2].rstrip(">'") == role
    assert sender["id"].partition("/providers/Microsoft.Authorization")[0].rpartition("/")[2] == ENDPOINTS[kind]["name"]
    spaces = it.of("Microsoft.ServiceBus/namespaces") + it.of("Microsoft.EventHub/namespaces")
    assert all(space["properties"]["disableLocalAuth"] for space in spaces)
    assert not [one for one in it.content["resources"] if one["type"].endswith("/authorizationRules")]


@needs_checker
@pytest.mark.parametrize("kind", ["queue", "topic", "hub", "businessEvents"])
def test_the_app_reads_what_others_post_to(tmp_path: Path, kind: str) -> None:
    """Its settings name the entity, and the namespace with the identity; its role there is that entity's alone."""
    of_finance = kind == "businessEvents"
    given = "param businessEvents = true" if of_finance else f"param sasIntake = {{ kind: '{kind}' }}"
    it, endpoint = with_options(tmp_path, given), ENDPOINTS[kind]
    families, prefix = (
        ("Microsoft.ServiceBus/namespaces", "Microsoft.EventHub/namespaces"),
        "be-" if of_finance else "in-",
    )
    (space,) = [one["name"] for family in families for one in it.of(family) if one["name"].startswith(prefix)]
    expected = endpoint["settings"] | {
        f"{endpoint['connection']}__fullyQualifiedNamespace": f"{space}.servicebus.windows.net",
        f"{endpoint['connection']}__credential": "managedidentity",
        f"{endpoint['connection']}__clientId": it.content["outputs"]["identityClientId"],
    }
    assert {name: it.settings.get(name) for name in expected} == expected
    roles = [one["id"] for one in it.of("Microsoft.Authorization/roleAssignments") if f"/{space}/" in one["id"]]
    assert [role.partition("/providers/Microsoft.Authorization")[0].rpartition("/")[2] for role in roles] == [
        endpoint["name"]
    ]


@needs_checker
def test_webhooks_have_a_queue_and_a_consumer_group_where_they_are_asked_for(tmp_path: Path) -> None:
    """The app may receive from and send to the queue, and its settings name both; without the option there is none."""
    option = TOPOLOGY["webhooks"]
    queues, groups = "Microsoft.ServiceBus/namespaces/queues", "Microsoft.EventHub/namespaces/eventhubs/consumergroups"

    def names(it: Expansion, kind: str) -> set[str]:
        return {one["name"].rpartition("/")[2] for one in it.of(kind)}

    without, it = with_options(tmp_path, ""), with_options(tmp_path, "param webhooks = true")
    assert names(it, queues) - names(without, queues) == {option["queue"]["name"]}
    assert names(it, groups) - names(without, groups) == {option["consumerGroup"]}
    assert {name: it.settings.get(name) for name in option["settings"]} == option["settings"]
    assert not option["settings"].keys() & without.settings.keys()
    (made,) = [one["properties"] for one in it.of(queues) if one["name"].endswith(f"/{option['queue']['name']}")]
    assert {name: made[name] for name in option["queue"] if name != "name"} == {
        name: value for name, value in option["queue"].items() if name != "name"
    }
    roles = [
        one for one in it.of("Microsoft.Authorization/roleAssignments") if f"/{option['queue']['name']}" in one["id"]
    ]
    assert len(roles) == 1


@needs_checker
def test_virtual_tables_have_their_keys_in_the_vault_where_they_are_asked_for(tmp_path: Path) -> None:
    names = {"VIRTUAL_TABLE_KEYS", "VIRTUAL_TABLE_WRITERS", "VIRTUAL_TABLE_EVENTS"}
    assert not names & with_options(tmp_path, "").settings.keys()
    found = with_options(tmp_path, "param virtualTables = { writers: ['dataverse'], events: true }").settings
    assert found["VIRTUAL_TABLE_KEYS"].endswith(";SecretName=virtual-table-keys)")
    assert (found["VIRTUAL_TABLE_WRITERS"], found["VIRTUAL_TABLE_EVENTS"].lower()) == ('["dataverse"]', "true")


_PRIVATE = (
    "param network = { addressPrefix: '10.9.0.0/22', fixedOutboundAddress: false }\nparam serviceBusSku = 'Premium'"
)


@needs_checker
@pytest.mark.parametrize("private", [False, True])
def test_settled_events_go_to_a_topic_that_only_the_app_may_send_to(tmp_path: Path, private: bool) -> None:
    """Entra only; in a private network behind an endpoint; without the option there is no topic."""
    network = _PRIVATE if private else ""
    it = with_options(tmp_path, f"param publishToEventGrid = true\n{network}")
    topic, option = it.one("Microsoft.EventGrid/topics"), TOPOLOGY["sinks"]["eventGrid"]
    assert (topic["properties"]["inputSchema"], topic["properties"]["disableLocalAuth"]) == (
        "CloudEventSchemaV1_0",
        True,
    )
    assert topic["properties"]["publicNetworkAccess"] == ("Disabled" if private else "Enabled")
    assert it.settings.keys() >= {"EVENT_GRID_ENDPOINT", "EVENT_GRID_CLIENT_ID", *option["settings"]}
    assert "EVENT_GRID_KEY" not in it.settings
    assert not any(name.startswith("OPERATOR_EVENTS_") for name in it.settings)
    roles = [one for one in it.of("Microsoft.Authorization/roleAssignments") if EVENT_GRID_SENDER in json.dumps(one)]
    assert len(roles) == 1
    endpoints = [one["name"] for one in it.of("Microsoft.Network/privateEndpoints") if one["name"].endswith("-evgt")]
    assert len(endpoints) == (1 if private else 0)
    groups = it.of("Microsoft.EventHub/namespaces/eventhubs/consumergroups")
    assert option["consumerGroup"] in {one["name"].rpartition("/")[2] for one in groups}


@needs_checker
def test_settled_events_go_to_a_lake(tmp_path: Path) -> None:
    """A container beside the archive, which the app may write to already, and a consumer group."""
    it, option = with_options(tmp_path, "param lake = true"), TOPOLOGY["sinks"]["lake"]
    assert it.settings["LAKE_CONTAINER_NAME"] == option["container"]
    assert it.settings.items() >= option["settings"].items()
    containers = it.of("Microsoft.Storage/storageAccounts/blobServices/containers")
    assert option["container"] in {one["name"].rpartition("/")[2] for one in containers}
    groups = it.of("Microsoft.EventHub/namespaces/eventhubs/consumergroups")
    assert option["consumerGroup"] in {one["name"].rpartition("/")[2] for one in groups}


@needs_checker
@pytest.mark.parametrize(
    ("table", "container"),
    [
        ("az://delta/integration_events", "delta"),
        (
            "abfss://5e9ad2f7-2b1c-4f7e-9d6b-5f4d8b1f0a11@onelake.dfs.fabric.microsoft.com/lakehouse-id/Tables/events",
            None,
        ),
    ],
)
def test_settled_events_go_to_a_delta_table(tmp_path: Path, table: str, container: str | None) -> None:
    """In the account of the archive its container is made; OneLake is no resource of the group."""
    it, option = with_options(tmp_path, f"param deltaTable = '{table}'"), TOPOLOGY["sinks"]["delta"]
    assert it.settings["DELTA_TABLE"] == table
    assert it.settings.items() >= option["settings"].items()
    containers = it.of("Microsoft.Storage/storageAccounts/blobServices/containers")
    assert container is None or container in {one["name"].rpartition("/")[2] for one in containers}
    groups = it.of("Microsoft.EventHub/namespaces/eventhubs/consumergroups")
    assert option["consumerGroup"] in {one["name"].rpartition("/")[2] for one in groups}


MONITORING_METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"


@needs_checker
def test_settled_events_go_to_a_table_that_has_the_columns_of_the_code(tmp_path: Path) -> None:
    """Of the rule, the table, the code and the stand-in, all four; the app alone may send, without a key."""
    it = with_options(tmp_path, "param sendToLogAnalytics = true")
    option = TOPOLOGY["sinks"]["logAnalytics"]
    stream = option["settings"]["LOG_ANALYTICS_STREAM"]
    rule = it.one("Microsoft.Insights/dataCollectionRules")
    declared = {one["name"]: one["type"] for one in rule["properties"]["streamDeclarations"][stream]["columns"]}
    assert declared == {"TimeGenerated": "datetime", **{one.name: one.kind for one in SCHEMA}} == COLUMNS
    table = it.one("Microsoft.OperationalInsights/workspaces/tables")
    made = {one["name"]: one["type"].lower() for one in table["properties"]["schema"]["columns"]}
    assert made == declared
    assert table["name"].rpartition("/")[2] == stream.removeprefix("Custom-") == "IntegrationEvents_CL"
    [flow] = rule["properties"]["dataFlows"]
    assert (rule["kind"], flow["streams"], flow["outputStream"]) == ("Direct", [stream], stream)

    assert it.settings.keys() >= {"LOG_ANALYTICS_ENDPOINT", "LOG_ANALYTICS_RULE", "LOG_ANALYTICS_CLIENT_ID"}
    assert it.settings["LOG_ANALYTICS_STREAM"] == stream
    scopes = [scope for role, scope in assigned(it) if role == MONITORING_METRICS_PUBLISHER]
    assert [scope for scope in scopes if "/dataCollectionRules/" in scope] == [rule["id"]]
    groups = it.of("Microsoft.EventHub/namespaces/eventhubs/consumergroups")
    assert option["consumerGroup"] in {one["name"].rpartition("/")[2] for one in groups}


@needs_checker
def test_settled_events_stay_in_the_network_where_telemetry_does(tmp_path: Path) -> None:
    """Through a data collection endpoint that is not public and is in the scope; the rule has none of its own."""
    network = "param network = { addressPrefix: '10.9.0.0/22', fixedOutboundAddress: false }"
    chosen = f"param serviceBusSku = 'Premium'\n{network}\nparam sendToLogAnalytics = true"
    it = with_options(tmp_path, f"{chosen}\nparam privateMonitoring = true")
    endpoint = it.one("Microsoft.Insights/dataCollectionEndpoints")
    assert endpoint["properties"]["networkAcls"] == {"publicNetworkAccess": "Disabled"}
    rule = it.one("Microsoft.Insights/dataCollectionRules")
    assert (rule.get("kind"), rule["properties"]["dataCollectionEndpointId"]) == (None, endpoint["id"])
    assert endpoint["name"] in it.settings["LOG_ANALYTICS_ENDPOINT"]
    assert rule["name"] in it.settings["LOG_ANALYTICS_RULE"]
    assert endpoint["id"] in it.content["outputs"]["monitorScope"]["linkedIds"]

    public = with_options(tmp_path, chosen)
    assert not public.of("Microsoft.Insights/dataCollectionEndpoints")
    made = public.one("Microsoft.Insights/dataCollectionRules")
    assert (made["kind"], made["properties"].get("dataCollectionEndpointId")) == ("Direct", None)
    assert made["name"] in public.settings["LOG_ANALYTICS_ENDPOINT"]
    assert made["name"] != rule["name"]


@needs_checker
def test_settled_events_go_to_an_eventstream_of_fabric(tmp_path: Path) -> None:
    """Fabric is no resource of the group: its address is a setting, and the hub gets a consumer group."""
    it = with_options(tmp_path, "param fabric = { namespace: 'es-1.servicebus.windows.net', hub: 'es_1' }")
    option = TOPOLOGY["sinks"]["fabric"]
    assert it.settings["Fabric__fullyQualifiedNamespace"] == "es-1.servicebus.windows.net"
    assert (it.settings["FABRIC_HUB_NAME"], "Fabric" in it.settings) == ("es_1", False)
    assert it.settings.keys() >= {"Fabric__clientId", *option["settings"]}
    groups = it.of("Microsoft.EventHub/namespaces/eventhubs/consumergroups")
    assert option["consumerGroup"] in {one["name"].rpartition("/")[2] for one in groups}


SENDER, LISTENER = "26baccc8-eea7-41f1-98f4-1762cc7f685d", "26e0b698-aa6d-4085-9386-aadae190014d"
"""Azure Relay Sender and Azure Relay Listener (learn.microsoft.com, Azure built-in roles for Integration)."""


@needs_checker
@pytest.mark.parametrize("principal", ["", "listenerPrincipalId: '20000000-0000-0000-0000-000000000002'"])
def test_a_relay_lets_the_app_send_and_a_listener_listen(tmp_path: Path, principal: str) -> None:
    """Nobody may do both, or anything else; without a principal, the listener has a key that may only listen."""
    given = f"param relay = {{ namespace: 'relay-contoso', hybridConnections: ['erp', 'tickets']\n{principal} }}"
    it = with_options(tmp_path, given)
    connections = it.of("Microsoft.Relay/namespaces/hybridConnections")
    assert [one["name"] for one in connections] == ["relay-contoso/erp", "relay-contoso/tickets"]
    assert all(one["properties"]["requiresClientAuthorization"] for one in connections)
    roles = [role for role, _ in assigned(it)]
    rules = it.of("Microsoft.Relay/namespaces/hybridConnections/authorizationRules")
    assert roles.count(SENDER) == 2
    assert roles.count(LISTENER) == (2 if principal else 0)
    assert [one["properties"]["rights"] for one in rules] == ([] if principal else [["Listen"]] * 2)


@needs_checker
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_there_is_no_relay_unless_it_is_asked_for(environment: str) -> None:
    assert not Expansion.golden(environment).of("Microsoft.Relay/namespaces")


@needs_checker
def test_capture_signs_in_with_the_identity(tmp_path: Path) -> None:
    """With shared keys off, Capture needs the identity on the hub and on the namespace."""
    it = with_options(tmp_path, "param capture = true")
    description = it.one("Microsoft.EventHub/namespaces/eventhubs")["properties"]["captureDescription"]
    identity = description["destination"]["identity"]["userAssignedIdentity"]
    assert list(it.one("Microsoft.EventHub/namespaces")["identity"]["userAssignedIdentities"]) == [identity]
    containers = {
        one["name"].rpartition("/")[2] for one in it.of("Microsoft.Storage/storageAccounts/blobServices/containers")
    }
    assert description["destination"]["properties"]["blobContainer"] in containers
    assert any(alert["name"].endswith("capture-backlog") for alert in it.of("Microsoft.Insights/metricAlerts"))


@needs_checker
def test_client_credentials_come_from_the_vault(tmp_path: Path) -> None:
    """ERP by OAuth and Dataverse by app registration: the secrets are references, the rest plain settings."""
    it = with_options(
        tmp_path,
        "param systems = {\n"
        "  erp: {\n"
        "    settings: { adapter: 'business-central', url: 'https://erp.contoso.example', scope: 'erp' }\n"
        "    secrets: ['clientSecret', 'clientCertificate']\n"
        "  }\n"
        "  warehouse: { settings: { adapter: 'rest-erp', managedIdentityScope: 'api://w' }, secrets: [] }\n"
        "}\n"
        "param dataverse = { url: 'https://contoso.crm4.dynamics.com', "
        "organisationId: '10000000-0000-0000-0000-000000000001', appRegistrationClientId: 'registered' }",
    ).settings
    systems = json.loads(it["SYSTEMS"])
    assert systems["erp"] == {
        "adapter": "business-central",
        "url": "https://erp.contoso.example",
        "scope": "erp",
    }
    assert systems["warehouse"]["managedIdentityScope"] == "api://w"
    assert it["SYSTEMS_ERP_CLIENT_SECRET"].endswith("SecretName=erp-client-secret)")
    assert it["SYSTEMS_ERP_CLIENT_CERTIFICATE"].endswith("SecretName=erp-client-certificate)")
    assert {name for name in it if name.startswith("SYSTEMS_")} == {
        "SYSTEMS_ERP_CLIENT_SECRET",
        "SYSTEMS_ERP_CLIENT_CERTIFICATE",
    }
    assert it["DATAVERSE_CLIENT_ID"] == "registered"
    assert it["DATAVERSE_CLIENT_SECRET"].endswith("SecretName=dataverse-client-secret)")


@needs_checker
def test_other_readers_are_there_when_they_are_asked_for(tmp_path: Path) -> None:
    """A consumer group and a right for each reader of the stream, a topic of the archive; else none."""
    assert len(Expansion.golden("dev").of("Microsoft.EventGrid/systemTopics")) == 1  # of the vault
    it = with_options(
        tmp_path,
        "param readers = [{ consumerGroup: 'explorer', principalId: '20000000-0000-0000-0000-000000000002' }]\n"
        "param archiveTopic = true",
    )
    groups = {one["name"].rpartition("/")[2] for one in it.of("Microsoft.EventHub/namespaces/eventhubs/consumergroups")}
    assert groups == {"archive", "explorer"}
    (right,) = [
        one
        for one in it.of("Microsoft.Authorization/roleAssignments")
        if one["properties"]["principalId"].startswith("20000000")
    ]
    assert "/eventhubs/integration-events/" in right["id"]
    assert len(it.of("Microsoft.EventGrid/systemTopics")) == 2


@needs_checker
@pytest.mark.parametrize(("by", "entra_only"), [("entra", True), ("keys", False)])
def test_events_may_come_through_event_grid(tmp_path: Path, by: str, entra_only: bool) -> None:
    """Access keys of the topic are off unless Dataverse needs them; no key of ours is in a template."""
    it = with_options(tmp_path, f"param eventGridTopic = '{by}'")
    topic = it.one("Microsoft.EventGrid/topics")
    assert topic["properties"]["disableLocalAuth"] is entra_only
    assert it.content["outputs"]["eventGridTopicId"] == topic["id"]
    assert not it.of("Microsoft.EventGrid/topics/eventSubscriptions")
    golden = Expansion.golden("prod")
    assert (golden.of("Microsoft.EventGrid/topics"), golden.content["outputs"]["eventGridTopicId"]) == ([], "")


FACTORY = "Microsoft.DataFactory/factories"
EXTRACT = "param dataFactory = { tables: ['account', 'opportunity'], firstDay: '2026-12-01' }"


@needs_checker
def test_a_data_factory_copies_tables_without_a_secret(tmp_path: Path) -> None:
    """With an identity of its own, which may write into one container and is known to nothing else."""
    assert not Expansion.golden("prod").of(FACTORY)
    it = with_options(tmp_path, EXTRACT)
    (identity,) = it.one(FACTORY)["identity"]["userAssignedIdentities"]
    assert identity.endswith("/id-dvint-dev-factory")
    (right,) = [
        one
        for one in it.of("Microsoft.Authorization/roleAssignments")
        if "-factory:" in one["properties"]["principalId"]
    ]
    assert right["id"].partition("/providers/Microsoft.Authorization")[0].endswith("/containers/dataverse-extracts")
    for service in it.of(f"{FACTORY}/linkedservices"):
        assert service["properties"]["typeProperties"]["credential"]["referenceName"] == "identity"
        assert "connectVia" not in {key for key, value in service["properties"].items() if value}
    assert "password" not in json.dumps(it.of(f"{FACTORY}/linkedservices")).lower()


@needs_checker
def test_a_data_factory_loads_once_and_extracts_daily(tmp_path: Path) -> None:
    """All rows without a filter; then those of a window of a day, into a folder of that day, one run at a time."""
    it = with_options(tmp_path, EXTRACT)
    copies = {}
    for one in it.of(f"{FACTORY}/pipelines"):
        (each,) = one["properties"]["activities"]
        (copy,) = each["typeProperties"]["activities"]
        copies[one["name"].rpartition("/")[2]] = copy
        assert one["properties"]["concurrency"] == 1
        assert one["properties"]["parameters"]["tables"]["defaultValue"] == ["account", "opportunity"]
    queries = {name: copy["typeProperties"]["source"]["query"] for name, copy in copies.items()}
    assert queries["initial-load"] == '<fetch><entity name="@{item()}"><all-attributes/></entity></fetch>'
    assert re.findall(r'operator="(\w+)" value="@\{pipeline\(\)\.parameters\.(\w+)\}"', queries["daily-extract"]) == [
        ("ge", "from"),
        ("lt", "to"),
    ]
    assert "formatDateTime(pipeline().parameters.from" in copies["daily-extract"]["outputs"][0]["parameters"]["path"]
    trigger = it.one(f"{FACTORY}/triggers")["properties"]
    assert trigger["pipeline"]["pipelineReference"]["referenceName"] == "daily-extract"
    assert trigger["pipeline"]["parameters"].keys() == {"from", "to"}
    window = trigger["typeProperties"]
    assert (window["frequency"], window["interval"], window["startTime"]) == ("Hour", 24, "2026-12-01T00:00:00Z")


@needs_checker
def test_a_data_factory_reaches_private_files_privately(tmp_path: Path) -> None:
    """By an endpoint of its own in the account, where the account has no public address."""
    network = "param network = { addressPrefix: '10.9.0.0/22', fixedOutboundAddress: false }"
    it = with_options(tmp_path, f"param serviceBusSku = 'Premium'\n{network}\n{EXTRACT}")
    endpoint = it.one(f"{FACTORY}/managedVirtualNetworks/managedPrivateEndpoints")["properties"]
    assert endpoint["privateLinkResourceId"] == it.named("Microsoft.Storage/storageAccounts", "stdvint")["id"]
    for service in it.of(f"{FACTORY}/linkedservices"):
        assert service["properties"]["connectVia"]["referenceName"] == "private"


@needs_checker
def test_people_can_sign_in_with_entra_and_the_intake_stays_open_for_keys(tmp_path: Path) -> None:
    """Dataverse has no token of ours, so nobody is refused by the platform; the app is told that it may trust it."""
    it = with_options(tmp_path, "param entra = { clientId: '30000000-0000-0000-0000-000000000003' }")
    (settings,) = [one for one in it.of("Microsoft.Web/sites/config") if one["name"].endswith("authsettingsV2")]
    assert settings["properties"]["platform"]["enabled"] is True
    assert settings["properties"]["globalValidation"]["unauthenticatedClientAction"] == "AllowAnonymous"
    (given,) = [one for one in it.of("Microsoft.Web/sites/config") if one["name"].endswith("appsettings")]
    assert given["properties"]["APP_SERVICE_AUTHENTICATION"] == "true"
    assert "APP_SERVICE_AUTHENTICATION" not in Expansion.golden("prod").settings


@needs_checker
def test_a_second_region_has_what_must_not_be_lost(tmp_path: Path) -> None:
    """Storage is geo-redundant, the copies of the ledger are made there, and a Premium queue is replicated."""
    it = with_options(tmp_path, "param secondaryLocation = 'northeurope'\nparam serviceBusSku = 'Premium'")
    assert it.named("Microsoft.Storage/storageAccounts", "stdvint")["sku"]["name"] == "Standard_GRS"
    assert it.named("Microsoft.Storage/storageAccounts", "stc")["location"] == "northeurope"
    replicated = it.one("Microsoft.ServiceBus/namespaces")["properties"]["geoDataReplication"]
    assert [one["roleType"] for one in replicated["locations"]] == ["Primary", "Secondary"]
    zones = with_options(tmp_path, "param secondaryLocation = 'northeurope'\nparam zoneRedundant = true")
    assert zones.named("Microsoft.Storage/storageAccounts", "stdvint")["sku"]["name"] == "Standard_GZRS"
    assert not zones.one("Microsoft.ServiceBus/namespaces")["properties"].get("geoDataReplication")


OWN_NETWORK = """param serviceBusSku = 'Premium'
param network = {
  addressPrefix: ''
  fixedOutboundAddress: false
  existingSubnets: { app: '/subscriptions/s/own/app', endpoints: '/subscriptions/s/own/endpoints' }
  existingZonesGroup: 'central-dns'
}"""


@needs_checker
def test_a_network_of_yours_is_used_and_left_alone(tmp_path: Path) -> None:
    """No virtual network, gateway, zone or link is deployed, so nothing that hands have made there is undone."""
    it = with_options(tmp_path, OWN_NETWORK)
    for kind in ("virtualNetworks", "natGateways", "privateDnsZones", "privateDnsZones/virtualNetworkLinks"):
        assert it.of(f"Microsoft.Network/{kind}") == [], kind
    assert it.one("Microsoft.Web/sites")["properties"]["virtualNetworkSubnetId"] == "/subscriptions/s/own/app"
    endpoints = it.of("Microsoft.Network/privateEndpoints")
    assert {one["properties"]["subnet"]["id"] for one in endpoints} == {"/subscriptions/s/own/endpoints"}
    for group in it.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups"):
        (config,) = group["properties"]["privateDnsZoneConfigs"]
        assert "/resourceGroups/central-dns/" in config["properties"]["privateDnsZoneId"]


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_the_outbound_address_is_of_a_kind_that_the_subnet_takes(environment: str) -> None:
    """StandardV2 would span zones, but takes no subnet that is delegated as Flex Consumption wants it.

    learn.microsoft.com, Azure NAT Gateway, Key limitations of StandardV2: not of Azure Container Apps, whose it is.
    """
    golden = Expansion.golden(environment)
    app = golden.one("Microsoft.Network/virtualNetworks")["properties"]["subnets"][0]["properties"]
    assert [it["properties"]["serviceName"] for it in app["delegations"]] == ["Microsoft.App/environments"]
    assert app["natGateway"]["id"] == golden.one("Microsoft.Network/natGateways")["id"]
    for kind in ("natGateways", "publicIPAddresses"):
        assert golden.one(f"Microsoft.Network/{kind}")["sku"]["name"] == "Standard"


@needs_checker
def test_a_budget_sends_mail_before_it_is_spent(tmp_path: Path) -> None:
    """At 80 % of what was spent and at 100 % of what is foreseen, to the action group of the alerts."""
    it = with_options(tmp_path, "param budget = { monthlyAmount: 300, firstMonth: '2026-12' }")
    budget = it.one("Microsoft.Consumption/budgets")["properties"]
    assert (budget["amount"], budget["timePeriod"]["startDate"]) == (300, "2026-12-01T00:00:00Z")
    group = it.one("Microsoft.Insights/actionGroups")["id"]
    assert {tuple(one["contactGroups"]) for one in budget["notifications"].values()} == {(group,)}
    assert not Expansion.golden("dev").of("Microsoft.Consumption/budgets")


@needs_checker
def test_telemetry_can_stay_in_the_network(tmp_path: Path) -> None:
    """Workspace and component take nothing from outside, and the scope has both; people still read from anywhere."""
    network = "param network = { addressPrefix: '10.9.0.0/22', fixedOutboundAddress: false }"
    it = with_options(tmp_path, f"param serviceBusSku = 'Premium'\n{network}\nparam privateMonitoring = true")
    component = it.one("Microsoft.Insights/components")
    workspace = it.one("Microsoft.OperationalInsights/workspaces")
    for one in (component, workspace):
        assert one["properties"]["publicNetworkAccessForIngestion"] == "Disabled"
        assert one["properties"].get("publicNetworkAccessForQuery") in (None, "Enabled")
    scope = it.content["outputs"]["monitorScope"]
    assert scope["linkedIds"] == [workspace["id"], component["id"]]
    assert scope["networkId"] == it.one("Microsoft.Network/virtualNetworks")["id"]
    assert scope["subnetId"] == f"{scope['networkId']}/subnets/endpoints"
    own = with_options(tmp_path, f"{OWN_NETWORK}\nparam privateMonitoring = true").content["outputs"]["monitorScope"]
    assert (own["networkId"], own["zonesGroup"]) == ("", "central-dns")
    for environment in ENVIRONMENTS:
        golden = Expansion.golden(environment)
        assert golden.content["outputs"]["monitorScope"] == {}
        taken = golden.one("Microsoft.Insights/components")["properties"]["publicNetworkAccessForIngestion"]
        assert taken == "Enabled"


@needs_checker
def test_the_checker_would_find_a_relay_role_on_a_namespace(tmp_path: Path) -> None:
    """What is expected of Azure Relay hides nothing else: not even one of its roles in another place."""
    wide = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Relay/namespaces/relay-contoso"
    assert not ON_A_HYBRID_CONNECTION(wide)
    assert ON_A_HYBRID_CONNECTION(f"{wide}/hybridConnections/erp")

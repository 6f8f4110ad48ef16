"""Alerts and workbook ask for metrics, words and fields that exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from integration.telemetry import logs, metrics
from integration.worker import DeadLettered
from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import ENVIRONMENTS, INFRA, Expansion
from tests.contract.infra.telemetry_columns import COLUMNS, asked

TOPOLOGY = json.loads((INFRA / "topology.json").read_text(encoding="utf-8"))
QUERIES = sorted((INFRA / "queries").glob("*.kql"))
CODE = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "integration").rglob("*.py"))
METRICS = {
    "Microsoft.ServiceBus/namespaces": {
        "ActiveMessages": {"Average", "Minimum", "Maximum"},
        "DeadletteredMessages": {"Average", "Minimum", "Maximum"},
        "Size": {"Average", "Minimum", "Maximum"},
        "ThrottledRequests": {"Total"},
        "ServerErrors": {"Total"},
    },
    "Microsoft.EventHub/namespaces": {
        "ThrottledRequests": {"Total"},
        "QuotaExceededErrors": {"Total"},
        "CaptureBacklog": {"Total"},
    },
}
"""Metrics and aggregations of Azure Monitor's reference, those that are used."""


def words(text: str) -> set[str]:
    """What a query wants `what` to be."""
    compared = re.findall(r'what\)? == "([^"]+)"', text)
    listed = [word for group in re.findall(r"what\)? in \(([^)]*)\)", text) for word in re.findall(r'"([^"]+)"', group)]
    return {*compared, *listed}


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_queries_ask_for_what_is_logged(query: Path) -> None:
    """Words that the code says, fields that it can log, functions that exist, tables of Application Insights."""
    text = "\n".join(line for line in query.read_text(encoding="utf-8").splitlines() if not line.startswith("//"))
    assert words(text) <= set(re.findall(r'_log\.\w+\(\s*"([a-z-]+)"', CODE))
    assert set(re.findall(r"\bit\.(\w+)", text)) <= {"what", *logs._WIRE_NAMES.values()}
    assert set(re.findall(r"^(?:let \w+ = )?(\w+)$", text, re.MULTILINE)) - tabular(text) <= {
        "requests",
        "traces",
        "exceptions",
        "availabilityResults",
        *COLUMNS,
    }
    if "requests" in text:
        (named,) = re.findall(r"where name in \(([^)]*)\)", text)
        intake = {it["name"] for it in TOPOLOGY["functions"]["http"] if it["intake"]}
        others = {it["name"] for kind in ("serviceBus", "eventHubs") for it in TOPOLOGY["functions"][kind]}
        others |= {it["function"] for it in TOPOLOGY["serviceEndpoints"].values()}
        others |= {*TOPOLOGY["webhooks"]["functions"].values(), *(it["function"] for it in TOPOLOGY["sinks"].values())}
        assert set(re.findall(r'"(\w+)"', named)) in (intake, others)


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_queries_ask_for_metrics_and_attributes_that_exist(query: Path) -> None:
    """Those of the instruments, and columns of the tables; of spans, tests/end_to_end/test_traces.py sees to it."""
    text = query.read_text(encoding="utf-8")
    known = {it.name: it for it in metrics.INSTRUMENTS}
    for it in asked(text):
        assert it.columns <= COLUMNS[it.table]
        if it.table == "customMetrics":
            assert it.names
            assert it.names <= known.keys()
            assert it.attributes <= {name for metric in it.names for name in known[metric].attributes}
    assert bool(asked(text)) == bool(re.search(rf"\b(?:{'|'.join(COLUMNS)})\b", text))


def tabular(text: str) -> set[str]:
    return set(re.findall(r"^let (\w+) =", text, re.MULTILINE))


def test_the_alert_about_failures_leaves_out_dead_lettered_events() -> None:
    """Their executions fail on purpose, with an exception that the query knows by the name of its class."""
    query = (INFRA / "queries" / "failures.kql").read_text(encoding="utf-8")
    assert re.findall(r'innermostMessage has "(\w+)"', query) == [DeadLettered.__name__]


def test_every_query_is_used() -> None:
    """A query file is in an alert or in the workbook."""
    modules = "\n".join(path.read_text(encoding="utf-8") for path in (INFRA / "modules").glob("*.bicep"))
    assert {path.name for path in QUERIES} == set(re.findall(r"'\.\./queries/([^']+)'", modules))


@pytest.fixture(params=ENVIRONMENTS)
def golden(request: pytest.FixtureRequest) -> Expansion:
    return Expansion.golden(request.param)


def test_metric_alerts_watch_metrics_that_exist(golden: Expansion) -> None:
    """With an aggregation that the metric has, on a namespace that is deployed."""
    deployed = {resource["id"] for resource in golden.resources}
    for alert in golden.of("Microsoft.Insights/metricAlerts"):
        for criterion in alert["properties"]["criteria"]["allOf"]:
            assert criterion["timeAggregation"] in METRICS[criterion["metricNamespace"]][criterion["metricName"]]
        assert set(alert["properties"]["scopes"]) <= deployed


def test_log_alerts_measure_what_their_query_gives(golden: Expansion) -> None:
    """The measured column and the dimensions are columns of the query's last summary."""
    for alert in golden.of("Microsoft.Insights/scheduledQueryRules"):
        (criterion,) = alert["properties"]["criteria"]["allOf"]
        summary = criterion["query"].rpartition("| summarize ")[2]
        columns = set(re.findall(r"(\w+) =", summary))
        assert criterion["metricMeasureColumn"] in columns
        assert {it["name"] for it in criterion["dimensions"]} <= columns


def test_alerts_say_once_that_they_fire_and_once_that_they_are_over(golden: Expansion) -> None:
    """An alert that keeps no state sends a mail with every evaluation, every five minutes."""
    for kind in ("metricAlerts", "scheduledQueryRules"):
        alerts = golden.of(f"Microsoft.Insights/{kind}")
        assert alerts
        assert all(alert["properties"]["autoMitigate"] for alert in alerts)


def test_the_queue_is_as_large_as_its_tier_allows_and_its_size_is_watched(golden: Expansion) -> None:
    """By default a queue has 1 GB, which some 70,000 waiting events fill: then the intake answers 503."""
    tier = golden.one("Microsoft.ServiceBus/namespaces")["sku"]["name"]
    megabytes = {"Standard": 5120, "Premium": 81920}[tier]
    assert golden.one("Microsoft.ServiceBus/namespaces/queues")["properties"]["maxSizeInMegabytes"] == megabytes
    (size,) = [
        criterion
        for alert in golden.of("Microsoft.Insights/metricAlerts")
        for criterion in alert["properties"]["criteria"]["allOf"]
        if criterion["metricName"] == "Size"
    ]
    assert size["threshold"] == int(megabytes * 2**20 * 0.7)


def test_production_notices_that_nothing_comes_in() -> None:
    """Fewer than one event: that is how disabled steps, or access rules that keep Dataverse out, are seen."""
    (alert,) = [
        it
        for it in Expansion.golden("prod").of("Microsoft.Insights/scheduledQueryRules")
        if it["name"].endswith("quiet")
    ]
    (criterion,) = alert["properties"]["criteria"]["allOf"]
    assert (criterion["operator"], criterion["threshold"]) == ("LessThan", 1)
    assert (
        "summarize events = count()\n" in criterion["query"]
    )  # without `by`, which gives no row where there is nothing


def test_every_alert_reaches_somebody(golden: Expansion) -> None:
    """All alerts go to the action group, and it has a mail address."""
    group = golden.one("Microsoft.Insights/actionGroups")
    assert group["properties"]["emailReceivers"]
    assert all(it["useCommonAlertSchema"] for it in group["properties"]["webhookReceivers"])
    assert len(group["properties"]["webhookReceivers"]) == 1
    for alert in golden.of("Microsoft.Insights/metricAlerts"):
        assert [it["actionGroupId"] for it in alert["properties"]["actions"]] == [group["id"]]
    for alert in golden.of("Microsoft.Insights/scheduledQueryRules"):
        assert alert["properties"]["actions"]["actionGroups"] == [group["id"]]


def test_what_must_be_watched_is_watched(golden: Expansion) -> None:
    """Dead letters, active messages, failures, throttling, 5xx and refusals at the intake, oldest unsettled event."""
    names = {
        alert["name"].split("-", 3)[3]
        for kind in ("metricAlerts", "scheduledQueryRules")
        for alert in golden.of(f"Microsoft.Insights/{kind}")
    }
    assert names >= {
        "deadletter",
        "backlog",
        "queue-full",
        "failures",
        "servicebus-throttled",
        "intake-errors",
        "refused",
        "oldest-unsettled",
        "unauthorised",
        "sinks-behind",
        "set-aside",
        "copy-missing",
    }


def test_what_azure_says_of_itself_is_heard(golden: Expansion) -> None:
    """Resources that are unavailable, incidents of the services, and secrets whose date comes near."""
    group = golden.one("Microsoft.Insights/actionGroups")["id"]
    categories = set()
    for alert in golden.of("Microsoft.Insights/activityLogAlerts"):
        first, *_ = alert["properties"]["condition"]["allOf"]
        categories.add(first["equals"])
        assert [it["actionGroupId"] for it in alert["properties"]["actions"]["actionGroups"]] == [group]
    assert categories == {"ResourceHealth", "ServiceHealth"}
    subscription = golden.one("Microsoft.EventGrid/systemTopics/eventSubscriptions")["properties"]
    assert subscription["destination"]["properties"]["actionGroups"] == [group]
    assert "Microsoft.KeyVault.SecretNearExpiry" in subscription["filter"]["includedEventTypes"]
    assert (
        golden.one("Microsoft.EventGrid/systemTopics")["properties"]["source"]
        == (golden.one("Microsoft.KeyVault/vaults")["id"])
    )


def test_the_copy_of_the_ledger_is_missed(golden: Expansion) -> None:
    """Fewer than one within two days, counted without `by`, so that there is a row where there is nothing."""
    (alert,) = [it for it in golden.of("Microsoft.Insights/scheduledQueryRules") if it["name"].endswith("copy-missing")]
    (criterion,) = alert["properties"]["criteria"]["allOf"]
    assert (criterion["operator"], criterion["threshold"], alert["properties"]["windowSize"]) == ("LessThan", 1, "P2D")
    assert "summarize copies = count()\n" in criterion["query"]


def test_the_workbook_is_a_workbook(golden: Expansion) -> None:
    """Its content is the JSON that workbooks have: a time range, and panels that have a query each."""
    content: dict[str, Any] = json.loads(golden.one("Microsoft.Insights/workbooks")["properties"]["serializedData"])
    assert content["version"] == "Notebook/1.0"
    first, *panels = content["items"]
    (parameter,) = first["content"]["parameters"]
    assert panels
    for panel in panels:
        assert panel["content"]["timeContextFromParameter"] == parameter["name"]
        assert panel["content"]["query"]

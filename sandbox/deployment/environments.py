"""The environments as they are deployed, read from the golden expansions of their parameter files."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sandbox.repository import REPOSITORY

_GOLDEN = REPOSITORY / "infra" / "golden"
_ORDER = ("dev", "test", "staging", "prod")


REFERENCE = re.compile(r"@Microsoft\.KeyVault\(VaultName=([^;]+);SecretName=([^;)]+)\)")
"""The value of a setting that refers to a secret: the name of the vault, and that of the secret."""


def names() -> tuple[str, ...]:
    """The environments that have an expansion."""
    return tuple(name for name in _ORDER if (_GOLDEN / f"{name}.json").is_file())


def resources_of(name: str) -> list[dict[str, Any]]:
    """The resources of the environment `name`, one of `names()`."""
    resources: list[dict[str, Any]] = _expansion(name)["resources"]
    return resources


def outputs_of(name: str) -> dict[str, Any]:
    """The outputs of the environment `name`, one of `names()`."""
    outputs: dict[str, Any] = _expansion(name)["outputs"]
    return outputs


def _expansion(name: str) -> dict[str, Any]:
    expansion: dict[str, Any] = json.loads((_GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return expansion


@dataclass(frozen=True, slots=True)
class Deployed:
    """What of an environment decides its cost: sizes, tiers, and numbers of things that are billed by the hour."""

    name: str
    memory_gb: float
    most_instances: int
    http_at_once: int
    """HTTP requests that one instance takes at once."""
    always_ready: Mapping[str, int]
    """Instances by scale group: `http`, `function:<name>`."""
    premium: bool
    """Whether Service Bus is of the tier Premium, with one messaging unit."""
    throughput_units: int
    private_endpoints: int
    nat_gateways: int
    hybrid_connections: int
    quick_log_alerts: int
    """Alerts whose query runs every five minutes."""
    slow_log_alerts: int
    """Alerts whose query runs every quarter of an hour, or more seldom."""
    metric_alerts: int
    availability_tests_a_day: float
    """Requests of the availability test, of all its places."""
    log_limit_gb: float | None
    """Most gigabytes of logs a day; None for no limit."""

    @classmethod
    def read(cls, name: str) -> Self:
        """The environment `name`, one of `names()`."""
        resources = resources_of(name)

        def of(kind: str) -> list[dict[str, Any]]:
            return [it for it in resources if it["type"].lower() == kind.lower()]

        scale = of("Microsoft.Web/sites")[0]["properties"]["functionAppConfig"]["scaleAndConcurrency"]
        logs = of("Microsoft.OperationalInsights/workspaces")[0]["properties"]
        frequencies = [it["properties"]["evaluationFrequency"] for it in of("Microsoft.Insights/scheduledQueryRules")]
        test = outputs_of(name)["webTest"]
        quota = (logs.get("workspaceCapping") or {}).get("dailyQuotaGb", -1)
        return cls(
            name=name,
            memory_gb=scale["instanceMemoryMB"] / 1024,
            most_instances=scale["maximumInstanceCount"],
            http_at_once=scale["triggers"]["http"]["perInstanceConcurrency"],
            always_ready={it["name"]: it["instanceCount"] for it in scale["alwaysReady"]},
            premium=of("Microsoft.ServiceBus/namespaces")[0]["sku"]["name"] == "Premium",
            throughput_units=of("Microsoft.EventHub/namespaces")[0]["sku"]["capacity"],
            private_endpoints=len(of("Microsoft.Network/privateEndpoints")),
            nat_gateways=len(of("Microsoft.Network/natGateways")),
            hybrid_connections=len(of("Microsoft.Relay/namespaces/hybridConnections")),
            quick_log_alerts=frequencies.count("PT5M"),
            slow_log_alerts=len(frequencies) - frequencies.count("PT5M"),
            metric_alerts=len(of("Microsoft.Insights/metricAlerts")),
            availability_tests_a_day=len(test["locations"]) * 86_400 / test["frequencySeconds"] if test else 0,
            log_limit_gb=None if quota < 0 else quota,
        )

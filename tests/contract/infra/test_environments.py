"""Staging is production but for what is named here, and what-if sees as much of each environment as it can."""

import re
from collections import Counter

from tests.contract.infra.bicep import ENVIRONMENTS, INFRA, Expansion

MAIN = (INFRA / "main.bicep").read_text(encoding="utf-8")
MODULES = dict(re.findall(r"^module (\w+) '[^']+' = (?:if .*? )?\{\n(.*?)^\}", MAIN, re.MULTILINE | re.DOTALL))
MADE_BY = {
    "identity": "identity",
    "workspace": "monitoring",
    "component": "monitoring",
    "actionGroup": "monitoring",
    "network": "vnet",
    "appSubnet": "vnet",
    "endpointSubnet": "vnet",
    "storage": "storage",
    "packageIdentity": "packageIdentity",
    "packageStore": "packageStore",
    "copies": "copies",
    "serviceBus": "serviceBus",
    "eventHubs": "eventHubs",
    "keyVault": "keyVault",
    "app": "functionApp",
    "sasIntake": "intake",
    "businessEvents": "businessEventsQueue",
    "eventGrid": "settledTopic",
    "settledRule": "settledTable",
    "settledEndpoint": "settledTable",
    "factoryIdentity": "factoryIdentity",
}
"""The module that makes what a name or an id of main.bicep stands for."""
OF_STAGING_ALONE = {"environmentName", "network", "alertLimits", "logRetentionDays"}


def parameters(environment: str) -> dict[str, str]:
    """The parameters of a file, as text without comments."""
    text = (INFRA / f"main.{environment}.bicepparam").read_text(encoding="utf-8")
    plain = "\n".join(line for line in text.splitlines() if not line.strip().startswith("//"))
    return {part.split()[0]: part.strip() for part in plain.split("\nparam ")[1:]}


def test_staging_is_production_but_for_what_is_named_here() -> None:
    """Tier, zones, scale, access rules, locks: what first runs in production would first fail there."""
    staging, production = parameters("staging"), parameters("prod")
    differing = {name for name in staging.keys() | production.keys() if staging.get(name) != production.get(name)}
    assert differing == OF_STAGING_ALONE
    staged, deployed = (Counter(it["type"] for it in Expansion.golden(name).resources) for name in ("staging", "prod"))
    assert staged < deployed
    assert deployed - staged == Counter({"Microsoft.Insights/scheduledQueryRules": 1})  # that nothing comes in


def test_what_if_can_look_into_modules() -> None:
    """It shows nothing of a module that needs an output of another one; only role assignments still do."""
    needing = {name: set(re.findall(r"\w+\.\??outputs\.\w+", body)) for name, body in MODULES.items()}
    assert {name: outputs for name, outputs in needing.items() if outputs} == {
        "storageRoles": {"identity.outputs.principalId"},
        "intakeRoles": {"identity.outputs.principalId"},
        "businessEventsRoles": {"identity.outputs.principalId"},
        "settledTopicRoles": {"identity.outputs.principalId"},
        "settledTableRoles": {"identity.outputs.principalId"},
        "copiesRoles": {"identity.outputs.principalId"},
        "packageRoles": {"packageIdentity.outputs.principalId"},
        "roles": {"identity.outputs.principalId"},
        "relayRoles": {"identity.outputs.principalId"},
        "factoryRoles": {"factoryIdentity.?outputs.principalId"},
    }


def dependencies(module: str) -> set[str]:
    """What is deployed before a module, directly or not."""
    body = MODULES[module]
    (listed,) = re.findall(r"dependsOn: \[\n(.*?)\]", body, re.DOTALL) or [""]
    direct = {*listed.split(), *(it for it in MODULES if f"{it}.outputs" in body)}
    return direct.union(*(dependencies(it) for it in direct))


def test_modules_wait_for_what_they_name() -> None:
    """A name is no dependency for Bicep, so each module lists the modules that make what it names."""
    for module, body in MODULES.items():
        named = {MADE_BY[it] for it in re.findall(r"\b(?:names|ids)\.(\w+)", body)} - {module}
        assert named <= dependencies(module), module


def test_the_vault_keeps_deleted_secrets_equally_long_everywhere() -> None:
    """The number of days cannot be changed once a vault is there, so protecting it later must not change it."""
    days = {
        Expansion.golden(name).one("Microsoft.KeyVault/vaults")["properties"]["softDeleteRetentionInDays"]
        for name in ENVIRONMENTS
    }
    assert days == {90}

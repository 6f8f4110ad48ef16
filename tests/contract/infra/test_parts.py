"""The ARM templates beside the Bicep files take what main.bicep gives, and hold against Azure's types."""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.infra.bicep import CHECKER, INFRA, Expansion
from tests.contract.infra.test_bicep import needs_checker, with_options

TEMPLATES = ("webtest.json", "monitorscope.json")
FUNCTIONS = {
    *(
        "and",
        "concat",
        "copyIndex",
        "createArray",
        "createObject",
        "empty",
        "environment",
        "if",
        "last",
        "length",
        "not",
    ),
    *("parameters", "replace", "resourceGroup", "resourceId", "split", "subscription", "union", "uniqueString"),
    "variables",
}
"""Functions of ARM templates (learn.microsoft.com, ARM template functions), those that are used."""
# Azure/bicep-types-az, generated/applicationinsights/microsoft.insights/2022-06-15/types.md and
# generated/monitor/microsoft.insights/2021-07-01-preview/types.md: `!` is required.
TYPES: dict[str, dict[str, Any]] = {
    "Microsoft.Insights/webtests@2022-06-15": {
        "Description": str,
        "Enabled": bool,
        "Frequency": int,
        "Kind!": ("standard", "ping", "multistep"),
        "Locations!": [{"Id": str}],
        "Name!": str,
        "Request": {
            "FollowRedirects": bool,
            "Headers": list,
            "HttpVerb": str,
            "ParseDependentRequests": bool,
            "RequestBody": str,
            "RequestUrl": str,
        },
        "RetryEnabled": bool,
        "SyntheticMonitorId!": str,
        "Timeout": int,
        "ValidationRules": {
            "ExpectedHttpStatusCode": int,
            "IgnoreHttpStatusCode": bool,
            "SSLCertRemainingLifetimeCheck": int,
            "SSLCheck": bool,
        },
    },
    "Microsoft.Insights/privateLinkScopes@2021-07-01-preview": {
        "accessModeSettings!": {
            "ingestionAccessMode!": ("Open", "PrivateOnly"),
            "queryAccessMode!": ("Open", "PrivateOnly"),
        }
    },
    "Microsoft.Insights/privateLinkScopes/scopedResources@2021-07-01-preview": {"linkedResourceId": str},
}


def template(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((INFRA / name).read_text(encoding="utf-8"))
    return content


def texts(node: Any) -> Iterator[str]:
    """Every string in a document."""
    if isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def evaluated(node: Any) -> Any:
    """As the checker's expansions are: `<<...>>` for what only Azure works out, one entry for what is repeated."""
    if isinstance(node, dict):
        repeated = {it["name"]: [evaluated(it["input"])] for it in node.get("copy", []) if isinstance(it, dict)}
        plain = {key: evaluated(value) for key, value in node.items() if key not in ("copy", "dependsOn", "condition")}
        return plain | repeated
    if isinstance(node, list):
        return [evaluated(it) for it in node]
    return f"<<{node[1:-1]}>>" if isinstance(node, str) and node.startswith("[") else node


@pytest.mark.parametrize("name", TEMPLATES)
def test_expressions_name_what_there_is(name: str) -> None:
    """Balanced, with functions that exist, and parameters and variables that are declared and used."""
    content = template(name)
    expressions = [
        it for it in texts({key: content[key] for key in ("variables", "resources") if key in content}) if it[:1] == "["
    ]
    assert expressions
    for it in expressions:
        bare = re.sub(r"'[^']*'", "", it)
        assert bare.endswith("]"), it
        assert all(bare.count(left) == bare.count(right) for left, right in ("()", "[]")), it
        assert set(re.findall(r"(\w+)\(", bare)) <= FUNCTIONS, it
    for kind in ("parameters", "variables"):
        named = {found for it in expressions for found in re.findall(rf"{kind}\('(\w+)'\)", it)}
        assert named == content.get(kind, {}).keys()
    assert all(it["metadata"]["description"] for it in content["parameters"].values())


def hold(value: Any, wanted: Any, path: str) -> Iterator[str]:
    """What is wrong with a value; what only Azure works out may be anything."""
    if isinstance(value, str) and value.startswith("<<"):
        return
    if isinstance(wanted, dict):
        names = {name.rstrip("!"): it for name, it in wanted.items()}
        yield from (f"{path}.{name}: not a property" for name in value.keys() - names.keys())
        yield from (f"{path}.{name}: missing" for name in wanted if name.endswith("!") and name[:-1] not in value)
        for name in value.keys() & names.keys():
            yield from hold(value[name], names[name], f"{path}.{name}")
    elif isinstance(wanted, list):
        for it in value:
            yield from hold(it, wanted[0], path)
    elif not (value in wanted if isinstance(wanted, tuple) else type(value) is wanted):
        yield f"{path}: {value!r}"


@needs_checker
@pytest.mark.parametrize("name", TEMPLATES)
def test_resources_hold_against_azures_types(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the checker knows by its own types, the others by what is copied from Azure's above."""
    monkeypatch.syspath_prepend(str(CHECKER))
    types, policy = importlib.import_module("btypes"), importlib.import_module("policy")
    known = types.Types(str(CHECKER / "azure-types"))
    found: list[str] = []
    for it in evaluated(template(name)["resources"]):
        kind = f"{it.pop('type')}@{it.pop('apiVersion')}"
        resource = known.resource(kind)
        if resource is None:
            found += hold(it["properties"], TYPES[kind], kind)
        else:
            policy.check_obj(it, resource[0].prim(), kind, found, True)
    assert found == []
    for module in ("btypes", "policy"):
        sys.modules.pop(module)


def test_a_mistake_in_a_part_is_found() -> None:
    """A misspelt property, a value that is none, and one that is missing."""
    wanted = TYPES["Microsoft.Insights/privateLinkScopes@2021-07-01-preview"]
    wrong = {"accessModeSettings": {"ingestionAccessMode": "Closed", "queryAcessMode": "Open"}}
    assert len(list(hold(wrong, wanted, "it"))) == 3


@needs_checker
def test_main_gives_each_part_what_it_takes(tmp_path: Path) -> None:
    """All its parameters and no other: those of the test from production, those of the scope with the option on."""
    network = "param network = { addressPrefix: '10.9.0.0/22', fixedOutboundAddress: false }"
    private = with_options(tmp_path, f"param serviceBusSku = 'Premium'\n{network}\nparam privateMonitoring = true")
    assert private.content["outputs"]["monitorScope"].keys() == template("monitorscope.json")["parameters"].keys()
    outputs = Expansion.golden("prod").content["outputs"]
    assert outputs["webTest"].keys() == template("webtest.json")["parameters"].keys()


def test_results_of_the_test_go_to_the_component() -> None:
    """Azure finds it by this tag."""
    (resource,) = template("webtest.json")["resources"]
    assert "concat('hidden-link:', parameters('componentId')), 'Resource'" in resource["tags"]

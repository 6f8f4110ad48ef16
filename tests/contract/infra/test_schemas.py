"""azure-pipelines.yml and azure.yaml hold against the schemas of their services.

schemas/azure-pipelines.json is service-schema.json of microsoft/azure-pipelines-vscode (commit 9e40e81, of September
2025), with the tasks that are used here; it names UseNode@1 without inputs, which are added from the task's reference.
schemas/azd.json is schemas/alpha/azure.yaml.json of Azure/azure-dev (commit 48865ed, of August 2026), without what it
refers to elsewhere. Both are without texts for editors, under the MIT licence, Copyright (c) Microsoft Corporation.
"""

import copy
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from sandbox.repository import REPOSITORY
from tests.contract.node_packages import installed, run

PACKAGE = Path(__file__).parent / "schemas"
PIPELINES = ("azure-pipelines.yml", ".azuredevops/drift.yml")


def findings(tmp_path: Path, schema: str, documents: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the schema finds in documents, by their names."""
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    packages = installed(PACKAGE, "JSON schemas")
    words = run(PACKAGE / "validate.mjs", packages, PACKAGE / schema, *(tmp_path / name for name in documents))
    found: list[dict[str, str]] = json.loads(" ".join(words))
    return found


def expanded(node: Any, parameters: Mapping[str, Any]) -> Any:
    """A pipeline as Azure DevOps expands it: conditions taken, loops unrolled, templates put in, values filled in."""
    if isinstance(node, dict):
        return {key: expanded(value, parameters) for key, value in node.items()}
    if isinstance(node, str):
        whole = re.fullmatch(r"\$\{\{ parameters\.(\w+) \}\}", node)
        return (
            parameters[whole[1]] if whole else re.sub(r"\$\{\{ (?:parameters\.)?(\w+) \}\}", value_of(parameters), node)
        )
    if not isinstance(node, list):
        return node
    items: list[Any] = []
    for it in node:
        key, inner = next(iter(it.items())) if isinstance(it, dict) else ("", "")
        if key.startswith("${{ if "):
            items += expanded(inner, parameters)
        elif loop := re.fullmatch(r"\$\{\{ each (\w+) in parameters\.(\w+) \}\}", key):
            items += [one for value in parameters[loop[2]] for one in expanded(inner, {**parameters, loop[1]: value})]
        elif key == "template":
            items += template(REPOSITORY / inner, expanded(it["parameters"], parameters))["stages"]
        else:
            items.append(expanded(it, parameters))
    return items


def value_of(parameters: Mapping[str, Any]) -> Any:
    """What stands for `${{ name }}` in the middle of a text; an expression that is none of these stays."""
    return lambda match: str(parameters.get(match[1], match[0]))


def template(path: Path, given: Mapping[str, Any]) -> Any:
    """A file with its parameters filled in: those that are given, or their defaults. Every scalar is a string there."""
    content = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 -- which makes nothing but strings
    defaults = {it["name"]: it["default"] for it in content.get("parameters", []) if "default" in it}
    body = {key: value for key, value in content.items() if key != "parameters"}
    return expanded(body, {**defaults, **given}) | {key: content[key] for key in ("parameters",) if key in content}


def pipeline(name: str) -> Any:
    return template(REPOSITORY / name, {})


def test_the_pipelines_are_as_azure_devops_wants_them(tmp_path: Path) -> None:
    """With every stage of every environment in its place, and nothing left of the expressions that choose them."""
    documents = {Path(name).name: pipeline(name) for name in PIPELINES}
    assert findings(tmp_path, "azure-pipelines.json", documents) == []
    stages = [it["stage"] for it in documents["azure-pipelines.yml"]["stages"]]
    assert stages == ["ci", "test_plan", "test", "staging_plan", "staging", "prod_plan", "prod"]
    assert "${{ if" not in json.dumps(documents)


def without(document: Any, *path: Any) -> Any:
    """A copy with one entry taken out."""
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


def test_mistakes_in_a_pipeline_are_found(tmp_path: Path) -> None:
    """A misspelt key of a job, a task that does not exist, an input that its task does not have, and a missing one."""
    right = pipeline("azure-pipelines.yml")
    key, task, given = (copy.deepcopy(right) for _ in range(3))
    key["stages"][0]["jobs"][0]["timeoutInMinute"] = "30"
    task["stages"][0]["jobs"][0]["steps"][0]["task"] = "UsePythonVersion@9"
    steps = given["stages"][1]["jobs"][0]["steps"]
    steps[0]["inputs"]["inlineScripts"] = "true"
    script = without(right, "stages", 1, "jobs", 0, "steps", 0, "inputs", "azureSubscription")
    broken = {"key.json": key, "task.json": task, "input.json": given, "missing.json": script}
    found = findings(tmp_path, "azure-pipelines.json", {"right.json": right, **broken})
    assert [it["file"] for it in found] == list(broken)


def test_azure_yaml_is_as_azd_wants_it(tmp_path: Path) -> None:
    """And a host that there is not, or a misspelt setting of the stack, is found."""
    right = yaml.safe_load((REPOSITORY / "azure.yaml").read_text(encoding="utf-8"))
    host, stack = copy.deepcopy(right), copy.deepcopy(right)
    host["services"]["app"]["host"] = "functions"
    stack["infra"]["deploymentStacks"]["actionOnUnmanage"]["resources"] = "remove"
    found = findings(tmp_path, "azd.json", {"right.json": right, "host.json": host, "stack.json": stack})
    assert [it["file"] for it in found] == ["host.json", "stack.json"]


@pytest.mark.parametrize("name", [*PIPELINES, ".azuredevops/environment.yml"])
def test_templates_name_parameters_that_they_have(name: str) -> None:
    """An expression about a parameter that is not declared is empty, and Azure DevOps says nothing."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    declared = {it["name"] for it in yaml.safe_load(text)["parameters"]}
    assert set(re.findall(r"parameters\.(\w+)", text)) <= declared

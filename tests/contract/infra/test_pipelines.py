"""The pipelines name files, variables, versions and environments that exist. What they do, only their services show."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import ENVIRONMENTS, INFRA

WORKFLOWS = REPOSITORY / ".github" / "workflows"
AZURE_DEVOPS = REPOSITORY / ".azuredevops" / "environment.yml"
FILES = [REPOSITORY / "azure.yaml", REPOSITORY / "azure-pipelines.yml", AZURE_DEVOPS, *sorted(WORKFLOWS.glob("*.yml"))]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in FILES)


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_they_are_yaml(path: Path) -> None:
    """A mapping at the top, without a tab or a duplicate that YAML would forgive."""
    assert isinstance(read(path), dict)
    assert "\t" not in path.read_text(encoding="utf-8")


def test_scripts_that_are_called_exist_and_can_be_run() -> None:
    """Every script by its path, marked as executable, and valid for bash."""
    scripts = set(re.findall(r"(?<![\w/])(?:infra/\w+\.sh|\.ci/run)\b", TEXT))
    assert scripts == {"infra/publish.sh", "infra/smoke.sh", ".ci/run"}
    for name in scripts:
        assert (REPOSITORY / name).stat().st_mode & 0o100, name
        assert subprocess.run(["bash", "-n", name], cwd=REPOSITORY, check=False).returncode == 0  # noqa: S603, S607 -- our scripts


def test_every_variable_of_the_parameter_files_is_passed_on() -> None:
    """What a .bicepparam reads from the environment is in example.env, and both jobs of the workflow set it."""
    read_by_parameters = {
        name
        for path in INFRA.glob("main.*.bicepparam")
        for name in re.findall(r"readEnvironmentVariable\('(\w+)'", path.read_text(encoding="utf-8"))
    }
    examples = set(re.findall(r"^(\w+)=", (INFRA / "example.env").read_text(encoding="utf-8"), re.MULTILINE))
    assert examples == read_by_parameters | {"AZURE_ENV_NAME"}
    for job in read(WORKFLOWS / "environment.yml")["jobs"].values():
        assert {name: f"${{{{ vars.{name} }}}}" for name in read_by_parameters} == job["env"]


def test_environments_have_parameters() -> None:
    """An environment that is deployed has its parameter file; all but dev, which is deployed by hand, are."""
    jobs = read(WORKFLOWS / "deploy.yml")["jobs"]
    deployed = [job["with"]["environment"] for job in jobs.values() if "with" in job]
    stages = read(REPOSITORY / "azure-pipelines.yml")["stages"]
    assert deployed == [it["parameters"]["environment"] for it in stages if "template" in it]
    assert deployed == [name for name in ENVIRONMENTS if name != "dev"]
    for name in ENVIRONMENTS:
        assert (INFRA / f"main.{name}.bicepparam").is_file()


def test_the_python_that_is_deployed_is_tested() -> None:
    """The default of the template is one of the versions that the tests run on in both services."""
    (deployed,) = re.findall(r"param pythonVersion string = '([\d.]+)'", (INFRA / "main.bicep").read_text("utf-8"))
    github = read(WORKFLOWS / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    (stage,) = [it for it in read(REPOSITORY / "azure-pipelines.yml")["stages"] if it.get("stage") == "ci"]
    (job,) = [it for it in stage["jobs"] if it["job"] == "test"]
    assert deployed in github
    assert sorted(it["python"] for it in job["strategy"]["matrix"].values()) == sorted(github)


def test_there_is_a_gate_before_every_deployment() -> None:
    """The what-if runs without, the deployment within the environment whose approvals somebody gives."""
    plan, deploy = (read(WORKFLOWS / "environment.yml")["jobs"][name] for name in ("plan", "deploy"))
    assert plan["environment"] == f"{deploy['environment']}-plan"
    assert deploy["needs"] == "plan"
    looking, doing = read(AZURE_DEVOPS)["stages"]
    assert doing["dependsOn"] == looking["stage"]
    assert "environment" in doing["jobs"][0]


def test_no_pipeline_holds_a_secret() -> None:
    """Sign-in is by federation: no secrets context, no publish profile, no key."""
    assert not re.search(r"secrets\.|publish-profile|client-secret|password", TEXT, re.IGNORECASE)


def test_azd_finds_the_app() -> None:
    """The Azure Developer CLI looks for a resource with the service's name in its tag."""
    (service,) = read(REPOSITORY / "azure.yaml")["services"]
    module = (INFRA / "modules" / "functionapp.bicep").read_text(encoding="utf-8")
    assert f"'azd-service-name': '{service}'" in module

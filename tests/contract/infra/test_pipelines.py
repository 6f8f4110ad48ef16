"""The pipelines name files, variables, versions and environments that exist. What they do, only their services show."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import ENVIRONMENTS, INFRA

WORKFLOWS = REPOSITORY / ".github" / "workflows"
AZURE_DEVOPS = REPOSITORY / ".azuredevops" / "environment.yml"
AZURE_DEVOPS_DRIFT = REPOSITORY / ".azuredevops" / "drift.yml"
FILES = [
    REPOSITORY / "azure.yaml",
    REPOSITORY / "azure-pipelines.yml",
    AZURE_DEVOPS,
    AZURE_DEVOPS_DRIFT,
    *sorted(WORKFLOWS.glob("*.yml")),
]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in FILES)


DEPENDABOT = REPOSITORY / ".github" / "dependabot.yml"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def deploying_stages() -> list[dict[str, Any]]:
    """The stages of azure-pipelines.yml that are there where the parameter `deploy` is set; staging if asked for."""
    (stages,) = [it["${{ if parameters.deploy }}"] for it in read(REPOSITORY / "azure-pipelines.yml")["stages"][1:]]
    found = [it for stage in stages for it in stage.get("${{ if parameters.staging }}", [stage])]
    assert all("template" in it for it in found)
    return found


def jobs_of_an_environment() -> tuple[Any, Any]:
    """The one that plans, which environment.yml calls, and the one that deploys."""
    environment = read(WORKFLOWS / "environment.yml")["jobs"]
    assert environment["plan"]["uses"] == "./.github/workflows/plan.yml"
    return read(WORKFLOWS / "plan.yml")["jobs"]["plan"], environment["deploy"]


@pytest.mark.parametrize("path", [*FILES, DEPENDABOT], ids=lambda path: path.name)
def test_they_are_yaml(path: Path) -> None:
    """A mapping at the top, without a tab or a duplicate that YAML would forgive."""
    assert isinstance(read(path), dict)
    assert "\t" not in path.read_text(encoding="utf-8")


def test_scripts_that_are_called_exist_and_can_be_run() -> None:
    """Every script by its path; those for bash are marked as executable and valid."""
    scripts = set(re.findall(r"(?<![\w/])(?:infra/\w+\.sh|\.ci/\w+)\b", TEXT))
    assert scripts == {"infra/publish.sh", "infra/smoke.sh", ".ci/run", ".ci/scan"}
    programs = set(re.findall(r"python3? (infra/\w+\.py)\b", TEXT))
    assert {"infra/what_if.py", "infra/deploy.py", "infra/stale_roles.py"} < programs
    assert all((REPOSITORY / name).is_file() for name in programs)
    for name in scripts:
        assert (REPOSITORY / name).stat().st_mode & 0o100, name
        assert subprocess.run(["bash", "-n", name], cwd=REPOSITORY, check=False).returncode == 0  # noqa: S603, S607 -- our scripts


def test_every_variable_of_the_parameter_files_is_passed_on() -> None:
    """What a .bicepparam reads from the environment is in example.env; what plans and what deploys set it."""
    read_by_parameters = {
        name
        for path in INFRA.glob("main.*.bicepparam")
        for name in re.findall(r"readEnvironmentVariable\('(\w+)'", path.read_text(encoding="utf-8"))
    }
    examples = set(re.findall(r"^(\w+)=", (INFRA / "example.env").read_text(encoding="utf-8"), re.MULTILINE))
    assert examples == read_by_parameters | {"AZURE_ENV_NAME"}
    plan, deploy = jobs_of_an_environment()
    for job in (plan, deploy):
        assert {name: f"${{{{ vars.{name} }}}}" for name in read_by_parameters} == job["env"]


def test_environments_have_parameters() -> None:
    """An environment that is deployed has its parameters; dev is deployed by hand, staging where it is asked for."""
    jobs = read(WORKFLOWS / "deploy.yml")["jobs"]
    deployed = [job["with"]["environment"] for job in jobs.values() if "with" in job]
    assert deployed == [it["parameters"]["environment"] for it in deploying_stages()]
    assert deployed == [name for name in ENVIRONMENTS if name != "dev"]
    for name in ENVIRONMENTS:
        assert (INFRA / f"main.{name}.bicepparam").is_file()


def test_the_python_that_is_deployed_is_tested() -> None:
    """The default of the template is among those that pyproject.toml promises; both services test all of these.

    GitHub tries the next one as well, and waits for it no more than for what is not promised.
    """
    (deployed,) = re.findall(r"param pythonVersion string = '([\d.]+)'", (INFRA / "main.bicep").read_text("utf-8"))
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert deployed in promised
    assert project["requires-python"] == f">={promised[0]}"
    github = read(WORKFLOWS / "ci.yml")["jobs"]["test"]
    *same, following = github["strategy"]["matrix"]["python"]
    assert same == promised
    assert github["continue-on-error"] == f"${{{{ matrix.python == '{following}' }}}}"
    (job,) = [it for it in read(REPOSITORY / "azure-pipelines.yml")["stages"][0]["jobs"] if it["job"] == "test"]
    assert [it["python"] for it in job["strategy"]["matrix"].values()] == promised


def test_a_fork_deploys_nothing() -> None:
    """It has neither the variable nor the parameter; both are off where nobody has set them."""
    deploy = read(WORKFLOWS / "deploy.yml")
    conditions = {name: str(job.get("if")).split(" && ") for name, job in deploy["jobs"].items()}
    assert [name for name, parts in conditions.items() if parts[0] != "vars.DEPLOY_ENABLED == 'true'"] == ["ci"]
    assert not [name for name, parts in conditions.items() if "||" in str(parts)]
    pipeline = read(REPOSITORY / "azure-pipelines.yml")
    assert {it["name"]: it["default"] for it in pipeline["parameters"]}["deploy"] is False
    assert [it["stage"] for it in pipeline["stages"] if "stage" in it] == ["ci"]
    assert deploying_stages()


def test_only_what_deploys_may_sign_in_to_azure() -> None:
    """A token for Azure is given to the jobs that deploy; checks, also of a pull request, only read."""
    for path in WORKFLOWS.glob("*.yml"):
        if path.name not in ("environment.yml", "plan.yml"):
            assert read(path)["permissions"] == {"contents": "read"}, path.name
    jobs = read(WORKFLOWS / "deploy.yml")["jobs"]
    holders = {name for name, job in jobs.items() if job.get("permissions", {}).get("id-token")}
    assert holders == {"attest", "test", "staging", "prod"}


def test_staging_comes_before_prod_where_it_is_asked_for() -> None:
    """Prod waits for it, goes on where it was left out, and stops where it failed."""
    jobs = read(WORKFLOWS / "deploy.yml")["jobs"]
    assert jobs["staging"]["if"].endswith("&& inputs.staging")
    assert jobs["prod"]["needs"] == ["test", "staging"]
    assert {"needs.test.result == 'success'", "!failure()", "!cancelled()"} <= set(jobs["prod"]["if"].split(" && "))
    *_, staging, prod = deploying_stages()
    assert staging["parameters"] == {**prod["parameters"], "environment": "staging", "after": "test"}
    assert prod["parameters"]["after"] == "${{ iif(parameters.staging, 'staging', 'test') }}"


def test_every_night_somebody_looks_whether_azure_is_as_the_templates_say() -> None:
    """In each environment that main is deployed to, as the planner, on both services."""
    drift = read(WORKFLOWS / "drift.yml")
    (job,) = drift["jobs"].values()
    deployed = [it["parameters"]["environment"] for it in deploying_stages()]
    kept = [name for name in deployed if name != "staging"]
    assert job["strategy"]["matrix"]["environment"] == kept
    assert (job["uses"], job["with"]["drift"]) == ("./.github/workflows/plan.yml", True)
    assert "schedule" in drift[True]  # YAML 1.1 takes `on` for true
    pipeline = read(AZURE_DEVOPS_DRIFT)
    assert pipeline["parameters"][0]["default"] == kept
    assert pipeline["schedules"][0]["always"] is True
    assert "what_if.py --drift" in str(pipeline["jobs"])


def test_every_night_somebody_looks_whether_the_identity_has_other_roles() -> None:
    """What-if shows no role assignments, so a right that was given by hand would be drift that nobody sees."""
    (step,) = [it for it in read(WORKFLOWS / "plan.yml")["jobs"]["plan"]["steps"] if "stale_roles" in it.get("run", "")]
    assert step["if"] == "inputs.drift && !cancelled()"
    script = str(read(AZURE_DEVOPS_DRIFT)["jobs"])
    assert "stale_roles.py" in script
    assert script.count("|| drifted=1") == 2


def test_both_services_deploy_by_the_same_script() -> None:
    """The one that the page names: whoever deploys by hand leaves behind what a pipeline would."""
    _, deploy = jobs_of_an_environment()
    (step,) = [it["run"] for it in deploy["steps"] if it.get("id") == "infra"]
    call = 'infra/deploy.py "$GROUP" "infra/main.$ENVIRONMENT.bicepparam" --outputs "$GITHUB_OUTPUT"'
    assert call in step
    assert "infra/deploy.py" in str(read(AZURE_DEVOPS)["stages"][1])
    assert "az deployment group create" not in TEXT


def test_the_package_comes_with_the_list_of_what_is_in_it() -> None:
    """Both services make it beside the package and keep it with it."""
    for path in (WORKFLOWS / "ci.yml", REPOSITORY / "azure-pipelines.yml"):
        text = path.read_text(encoding="utf-8")
        assert "python infra/package.py dist/app.zip\n" in text
        assert "python infra/sbom.py dist/app.cdx.json\n" in text


def test_the_runner_of_prod_can_be_chosen() -> None:
    """Access rules keep hosted ones out. An input, as an environment's variables are not known where one is chosen."""
    environment = read(WORKFLOWS / "environment.yml")
    assert environment["jobs"]["deploy"]["runs-on"] == "${{ inputs.runner }}"
    given = read(WORKFLOWS / "deploy.yml")["jobs"]["prod"]["with"]
    assert given["runner"] == "${{ vars.PROD_RUNNER || 'ubuntu-latest' }}"
    assert deploying_stages()[-1]["parameters"]["pool"] == "${{ parameters.prodPool }}"
    assert read(AZURE_DEVOPS)["stages"][1]["jobs"][0]["pool"] == "${{ parameters.pool }}"


def test_a_pull_request_shows_what_it_would_change() -> None:
    """In each environment that main is deployed to, as the planner, and not for a fork, which would get no token."""
    (job,) = read(WORKFLOWS / "what-if.yml")["jobs"].values()
    deployed = [it["parameters"]["environment"] for it in deploying_stages()]
    assert job["strategy"]["matrix"]["environment"] == [name for name in deployed if name != "staging"]
    assert job["uses"] == "./.github/workflows/plan.yml"
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]


def test_a_change_that_is_refused_stops_the_deployment() -> None:
    """Both services run the script that refuses; a pipe would hide its status without pipefail."""
    plan, _ = jobs_of_an_environment()
    (step,) = [it["run"] for it in plan["steps"] if "infra/what_if.py" in it.get("run", "")]
    assert step.startswith("set -o pipefail\n")
    assert "infra/what_if.py" in str(read(AZURE_DEVOPS)["stages"][0])


def test_no_script_is_put_together_from_values() -> None:
    """What comes from elsewhere reaches a script as a variable of its environment, never as a part of its text."""
    for path in WORKFLOWS.glob("*.yml"):
        for job in read(path)["jobs"].values():
            for step in job.get("steps", []):
                assert "${{" not in step.get("run", ""), f"{path.name}: {step['run']}"


def test_actions_are_pinned_by_commit() -> None:
    """A tag can be moved; beside each commit stands the version that it is."""
    used = [
        line for path in WORKFLOWS.glob("*.yml") for line in path.read_text("utf-8").splitlines() if "uses: " in line
    ]
    outside = [line for line in used if "uses: ./" not in line]
    assert outside
    for line in outside:
        assert re.search(r"uses: [\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_there_is_a_gate_before_every_deployment() -> None:
    """The what-if runs without, the deployment within the environment whose approvals somebody gives."""
    plan, deploy = jobs_of_an_environment()
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

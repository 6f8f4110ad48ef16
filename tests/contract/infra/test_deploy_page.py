"""docs/how-to/deploy.md names parameters, outputs, roles, secrets and numbers that exist."""

import re

from sandbox.commands.catalogue import find
from sandbox.commands.secrets import FIRST_CALLERS
from sandbox.deployment.inventory import ROLES
from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import ENVIRONMENTS, INFRA, Expansion
from tests.contract.infra.test_deployed_settings import VAULT

PAGE = (REPOSITORY / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
MAIN = (INFRA / "main.bicep").read_text(encoding="utf-8")
GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_the_deployer_may_assign_the_roles_that_are_assigned_and_no_other() -> None:
    """The condition on the page lists what the modules give."""
    (listed,) = re.findall(r"ROLES='\{([^}]+)\}'", PAGE)
    modules = "\n".join(path.read_text(encoding="utf-8") for path in (INFRA / "modules").glob("roles*.bicep"))
    assert set(re.findall(GUID, listed)) == set(re.findall(GUID, modules)) == ROLES.keys()
    (names,) = re.findall(r"may assign: ([^.]+)\.", PAGE)
    assert set(re.split(r",\s+", names)) == set(ROLES.values())


def test_outputs_that_commands_read_exist() -> None:
    """`$(output name)` is an output of the template."""
    named = set(re.findall(r"\$\(output (\w+)\)", PAGE))
    assert named
    assert named <= set(re.findall(r"^output (\w+) ", MAIN, re.MULTILINE))


def test_parameters_of_the_table_exist() -> None:
    """Each is a parameter of main.bicep; what follows the dot is a property of its type."""
    (table,) = re.findall(r"\| to \| set \|\n((?:\|.*\n)+)", PAGE)
    types = (INFRA / "modules" / "types.bicep").read_text(encoding="utf-8")
    named = re.findall(r"`(\w+)(?:\.(\w+))?`", "\n".join(line.split("|")[2] for line in table.splitlines()))
    assert named
    for parameter, member in named:
        assert re.search(rf"^param {parameter} ", MAIN, re.MULTILINE), parameter
        assert not member or re.search(rf"^  {member}: ", types, re.MULTILINE), member


def test_secrets_that_are_stored_are_those_that_settings_refer_to() -> None:
    """A reference without its secret would keep the app from starting. No environment here has virtual tables."""
    (section,) = re.findall(r"## 3\. Secrets\n(.*?)\n## ", PAGE, re.DOTALL)
    stored = {*FIRST_CALLERS.keys() - {"virtual-table-keys"}, *re.findall(r"run\.py secrets set ([\w-]+)", section)}
    for environment in ENVIRONMENTS:
        references = (VAULT.fullmatch(value) for value in Expansion.golden(environment).settings.values())
        assert stored == {reference[2] for reference in references if reference}


def test_the_number_of_alerts_is_that_of_the_alerts() -> None:
    """Where pages give it."""
    golden = Expansion.golden("dev")
    alerts = golden.of("Microsoft.Insights/metricAlerts") + golden.of("Microsoft.Insights/scheduledQueryRules")
    architecture = (REPOSITORY / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    assert re.findall(r"(\d+) alerts", PAGE + architecture) == [str(len(alerts))] * 2


def test_every_command_finds_what_it_needs() -> None:
    """Read from top to bottom, each shell variable has a value before it is used, and each of our commands exists."""
    known = set(re.findall(r"choose `(\w+)`, `(\w+)` and `(\w+)`", PAGE)[0])
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        plain = re.sub(r"'[^']*'", "''", block)  # what is quoted so is not for this shell
        for line in plain.splitlines():
            used = set(re.findall(r"\$\{?([A-Z][A-Z_]*)\b", line))
            given = set(re.findall(r"(?:^|\s|export )([A-Z][A-Z_]*)=", line)) | set(re.findall(r"read -rs (\w+)", line))
            assert used <= known | given, line
            known |= given
    for command in re.findall(r"run\.py ([a-z-]+)", PAGE):
        assert find(command) is not None, command
    for script in re.findall(r"\b(infra/\w+\.(?:py|sh))\b", PAGE):
        assert (REPOSITORY / script).is_file(), script

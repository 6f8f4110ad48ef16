"""Deploy the infrastructure of an environment: python3 infra/deploy.py GROUP PARAMETERS.

Needs az, signed in; nothing else. May be repeated at any time: what is as it should be stays as it is.

1. Deploys infra/main.bicep as the deployment stack `integration`. A stack knows what it has made, and so which
   role assignments the templates no longer give: these are deleted. Everything else that left the templates is only
   named: it may hold data. Where neither templates nor values have changed since, this is left out (--always does it
   nevertheless), because setting the app's settings anew restarts it.
2. Sets how instances are replaced (updateStrategy).
3. Makes, changes or deletes the availability test (availability, infra/webtest.json) and the private link scope of
   Azure Monitor (privateMonitoring, infra/monitorscope.json), each as a stack of its own.

The last two are not in main.bicep because the types that it is checked with do not have them.
"""

import argparse
import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

INFRA = Path(__file__).resolve().parent
STACK = "integration"
PARTS = {
    "webTest": ("integration-web-test", "webtest.json"),
    "monitorScope": ("integration-monitor", "monitorscope.json"),
}
"""By the output of main.bicep that has its parameters: a stack of its own, and its template."""
ASSIGNMENT = "/providers/Microsoft.Authorization/roleAssignments/"
UNDENIED = ["--deny-settings-mode", "none", "--yes"]


class AzFailed(Exception):
    """A command of az failed; it has said why. Carries its status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"az ended with {status}")
        self.status = status


def main() -> int:
    """Deploy, and say what was done beyond that."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("group", help="the resource group")
    parser.add_argument("parameters", help="the parameter file, such as infra/main.test.bicepparam")
    parser.add_argument(
        "--outputs", type=Path, help="a file to which name and address of the app are added, as NAME=value"
    )
    parser.add_argument("--always", action="store_true", help="deploy also what has not changed")
    given = parser.parse_args()
    try:
        stacks = {it["name"]: it for it in ask("stack", "group", "list", "--resource-group", given.group)}
        content = digest(Path(given.parameters))
        if is_deployed(stacks.get(STACK), content) and not given.always:
            print("Templates and values are those that were deployed last: not deployed again.")
            stack = ask("stack", "group", "show", "--resource-group", given.group, "--name", STACK)
        else:
            options = ["--parameters", given.parameters, "--tags", f"digest={content}"]
            stack = create_stack(given.group, STACK, "detachAll", *options)
        take_away(stack.get("detachedResources") or [])
        outputs = {name: it["value"] for name, it in stack["outputs"].items()}
        set_update_strategy(given.group, outputs["functionAppName"], outputs["updateStrategy"])
        for output, (name, template) in PARTS.items():
            set_part(given.group, name, template, outputs[output], exists=name in stacks)
    except AzFailed as failed:
        return failed.status
    if given.outputs:
        with given.outputs.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={shlex.quote(outputs[name])}\n" for name in ("functionAppName", "functionAppUrl"))
    print(f"Deployed: {outputs['functionAppName']}, {outputs['functionAppUrl']}")
    return 0


def digest(parameters: Path) -> str:
    """Of all that a deployment is made from: the templates, what they read, and the values of the environment."""
    found = hashlib.sha256()
    for file in sorted([*INFRA.rglob("*.bicep"), *INFRA.glob("*.json"), *INFRA.rglob("*.kql"), parameters.resolve()]):
        found.update(f"{file.name} ".encode() + file.read_bytes())
    examples = (INFRA / "example.env").read_text(encoding="utf-8").splitlines()
    for name in (line.split("=", 1)[0] for line in examples if "=" in line and not line.startswith("#")):
        found.update(f"{name}={os.environ.get(name, '')} ".encode())
    return found.hexdigest()


def is_deployed(stack: Mapping[str, Any] | None, content: str) -> bool:
    """Whether a stack is there whose last deployment succeeded and was of this content."""
    if stack is None or str(stack.get("provisioningState")).lower() != "succeeded":
        return False
    return (stack.get("tags") or {}).get("digest") == content


def take_away(detached: list[dict[str, Any]]) -> None:
    """Delete the role assignments among what the templates no longer have, and name the rest.

    Whoever deploys may only take away roles that he may also assign (docs/how-to/deploy.md, In a pipeline). One that he
    may not is left to the owner, and the nightly drift job goes on naming it.
    """
    ids = [str(it["id"]) for it in detached]
    assignments = [it for it in ids if ASSIGNMENT.lower() in it.lower()]
    for it in assignments:
        print(f"- {it}: the templates no longer give this role")
        try:
            az("role", "assignment", "delete", "--ids", it)
        except AzFailed:
            print(f"It was not deleted; an owner has to: az role assignment delete --ids {it}", file=sys.stderr)
    for it in ids:
        if it not in assignments:
            print(f"? {it}: no longer in the templates, and left as it is; az resource delete --ids deletes it")


def set_update_strategy(group: str, app: str, wanted: str) -> None:
    """Change the strategy where it is another one; an app that has never had one replaces all instances at once."""
    command = ["functionapp", "update-strategy", "config"]
    where = ["--resource-group", group, "--name", app]
    if ((ask(*command, "show", *where) or {}).get("type") or "Recreate") != wanted:
        print(f"~ {app}: instances are replaced by {wanted}")
        az(*command, "set", *where, "--type", wanted)


def set_part(group: str, name: str, template: str, parameters: Mapping[str, Any], *, exists: bool) -> None:
    """Bring a part to these parameters; without any, delete it with all that its stack has made."""
    if parameters:
        values = json.dumps({name: {"value": value} for name, value in parameters.items()})
        file = str(INFRA / template)
        create_stack(group, name, "deleteResources", "--template-file", file, "--parameters", values)
    elif exists:
        print(f"- {name}")
        az(
            *("stack", "group", "delete", "--resource-group", group, "--name", name),
            *("--action-on-unmanage", "deleteResources", "--yes"),
        )


def create_stack(group: str, name: str, unmanaged: str, *given: str) -> dict[str, Any]:
    """Create or update a deployment stack, and return what az says of it: `outputs`, `detachedResources` and more."""
    stack: dict[str, Any] = ask(
        *("stack", "group", "create", "--resource-group", group, "--name", name, *given),
        *("--action-on-unmanage", unmanaged, *UNDENIED),
    )
    return stack


def ask(*words: str) -> Any:
    """What a command of az answers, from JSON."""
    return json.loads(az(*words, "--output", "json") or "null")


def az(*words: str) -> str:
    """Run a command of az, whose messages go to the terminal."""
    done = subprocess.run(["az", *words], stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603, S607 -- az, without a shell
    if done.returncode:
        raise AzFailed(done.returncode)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

"""Name the roles of the app's identity that the templates do not give: python3 infra/stale_roles.py GROUP ENVIRONMENT.

infra/deploy.py takes away what a deployment stack has given and the templates no longer do. A stack knows nothing of
roles that somebody assigned by hand, that were there before it, or that a deployment which broke off has left; and
what-if shows no role assignments at all. This looks at what the identity really has, so the nightly drift job runs it.

Needs az, signed in, and may be run by somebody who may only read. Compares with infra/golden/<environment>.json: the
role, the type of the resource, and the name of the queue or hub; names of accounts and namespaces end with a hash, and
are not compared. Ends with 1 if there are any.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parent / "golden"
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"


def main() -> int:
    """Print each stale assignment, and the command that deletes all of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("group", help="the resource group")
    parser.add_argument("environment", choices=sorted(path.stem for path in GOLDEN.glob("*.json")))
    given = parser.parse_args()
    resources = expansion(given.environment)
    (name,) = [it["name"] for it in resources if it["type"] == IDENTITIES and not it["name"].endswith("-package")]
    try:
        principal = az("identity", "show", "--resource-group", given.group, "--name", name)["principalId"]
        group = az("group", "show", "--name", given.group)["id"]
        found = az("rest", "--method", "get", "--url", question(group, principal))["value"]
    except subprocess.CalledProcessError as failed:
        return failed.returncode
    wanted = rights(resources)
    stale = [it for it in found if right(it["properties"]["roleDefinitionId"], it["properties"]["scope"]) not in wanted]
    for it in stale:
        print(f"role {it['properties']['roleDefinitionId'].rpartition('/')[2]} on {it['properties']['scope']}")
    if stale:
        print(f"\nTo delete: az role assignment delete --ids {' '.join(it['id'] for it in stale)}")
        return 1
    print("The identity has no role but those of the templates.")
    return 0


def question(group: str, principal: str) -> str:
    """What lists the roles of a principal at the group, above it and below (Role Assignments - List For Scope)."""
    return (
        f"https://management.azure.com{group}{ASSIGNMENTS}?api-version=2022-04-01&$filter=principalId eq '{principal}'"
    )


def az(*words: str) -> Any:
    """The answer of az. Raises `CalledProcessError`; az has said why."""
    command = ["az", *words, "--output", "json"]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)  # noqa: S603 -- az, without a shell


def expansion(environment: str) -> list[dict[str, Any]]:
    """The resources of an environment."""
    content: dict[str, Any] = json.loads((GOLDEN / f"{environment}.json").read_text(encoding="utf-8"))
    resources: list[dict[str, Any]] = content["resources"]
    return resources


def rights(resources: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """What the templates give the identity that the app runs as; the package has another one."""
    made = [it for it in resources if ASSIGNMENTS in it["id"] and not of_package(it)]
    return {right(it["properties"]["roleDefinitionId"], it["id"].rpartition(ASSIGNMENTS)[0]) for it in made}


def of_package(assignment: dict[str, Any]) -> bool:
    """Whether an assignment is the package's identity's: the expansion names whose principal it is."""
    return "-package:" in assignment["properties"]["principalId"]


def right(role: str, scope: str) -> tuple[str, str]:
    """The role's id and what it is on: the type of the resource, with the name of a part such as a queue."""
    parts = scope.rpartition("/providers/")[2].lower().split("/")
    return role.rpartition("/")[2], "/".join([*parts[:2], *parts[3:]])


if __name__ == "__main__":
    sys.exit(main())

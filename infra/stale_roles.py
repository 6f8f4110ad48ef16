"""Name the roles of the app's identity that the templates no longer give: python3 infra/stale_roles.py dev CLIENT_ID.

Deployments are incremental, so a right that a release takes out of the templates stays until somebody deletes it. Needs
az, signed in. Compares what the identity has with infra/golden/<environment>.json: the role, the type of the resource,
and the name of the queue or hub; names of accounts and namespaces end with a hash, and are not compared. Ends with 1 if
there are any.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parent / "golden"
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments/"


def main() -> int:
    """Print each stale assignment, and the command that deletes all of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("environment", choices=sorted(path.stem for path in GOLDEN.glob("*.json")))
    parser.add_argument("client_id", help="the identity's client id: the output identityClientId")
    given = parser.parse_args()
    asked = ["az", "role", "assignment", "list", "--assignee", given.client_id, "--all", "--output", "json"]
    answer = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 -- az, without a shell
    if answer.returncode:
        return answer.returncode
    wanted = templates(given.environment)
    stale = [it for it in json.loads(answer.stdout) if right(it["roleDefinitionId"], it["scope"]) not in wanted]
    for it in stale:
        print(f"{it['roleDefinitionName']} on {it['scope']}")
    if stale:
        print(f"\nTo delete: az role assignment delete --ids {' '.join(it['id'] for it in stale)}")
        return 1
    print("The identity has no role but those of the templates.")
    return 0


def templates(environment: str) -> set[tuple[str, str]]:
    """What the templates give the identity that the app runs as; the package has another one."""
    expansion: dict[str, Any] = json.loads((GOLDEN / f"{environment}.json").read_text(encoding="utf-8"))
    made = [it for it in expansion["resources"] if ASSIGNMENTS in it["id"] and not of_package(it)]
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

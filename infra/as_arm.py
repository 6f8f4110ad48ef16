"""Write the golden expansions as ARM templates, which static scanners read: python3 infra/as_arm.py dist/arm.

Not for deployment: what only Azure knows stands in them as `<<...>>`. Standard library only.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parent / "golden"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
KEPT = ("type", "name", "apiVersion", "location", "tags", "kind", "sku", "identity", "properties")


def main() -> int:
    """Write a template for each environment."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder to write to")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for golden in sorted(GOLDEN.glob("*.json")):
        expansion = json.loads(golden.read_text(encoding="utf-8"))
        (folder / golden.name).write_text(json.dumps(template(expansion), indent=1) + "\n", encoding="utf-8")
    return 0


def template(expansion: dict[str, Any]) -> dict[str, Any]:
    """The resources of an expansion, with the properties that a template gives them."""
    resources = [{name: it[name] for name in KEPT if name in it} for it in expansion["resources"]]
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}


if __name__ == "__main__":
    sys.exit(main())

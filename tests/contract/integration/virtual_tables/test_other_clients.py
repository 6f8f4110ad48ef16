"""Clients that others wrote read the service: OASIS's parser of CSDL, its schemas for the rows, and o.js."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.contract.integration.virtual_tables.over_http import over_http
from tests.contract.integration.virtual_tables.provider import Provider
from tests.contract.node_packages import installed

PACKAGE = Path(__file__).parent / "odata_client"


def test_metadata_and_rows_hold_for_the_libraries_of_others(provider: Provider) -> None:
    packages = installed(PACKAGE, "OASIS's OData libraries")
    with over_http(provider) as root:
        command = [shutil.which("node") or "node", str(PACKAGE / "check.mjs"), str(packages), root]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 -- ours
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["faults"] == []
    assert found["messages"] == []
    assert found["sets"]["erpcustomers"] == 20
    assert found["sets"].keys() == {"erpcustomers", "erporders", "erpproducts"}

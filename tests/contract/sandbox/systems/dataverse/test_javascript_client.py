"""dynamics-web-api from npm, unmodified: its operations against the stand-in, and what is refused to it."""

from pathlib import Path

import pytest

from tests.contract.node_packages import installed, run
from tests.contract.sandbox.systems.dataverse_client import Dataverse

PACKAGE = Path(__file__).parent / "node"
OPERATIONS = [
    *("create", "retrieve", "update", "updateSingleProperty", "upsert", "retrieveMultiple", "trackChanges", "count"),
    *(
        "associateSingleValued",
        "fetch",
        "apply",
        "associate",
        "callFunction",
        "callAction",
        "entities",
        "attributes",
        "relationships",
    ),
    *("retrieveCsdlMetadata", "deleteRecord", "batch", "refusals"),
]


@pytest.fixture(scope="module")
def client() -> Path:
    """The folder of the pinned client."""
    return installed(PACKAGE, "dynamics-web-api")


def test_the_operations_of_dynamics_web_api(client: Path, application: Dataverse) -> None:
    url, authority = application.environment["url"], {"NODE_EXTRA_CA_CERTS": application.environment["ca_file"]}
    done = run(PACKAGE / "operations.mjs", client, url, application.token, environment=authority)
    assert done == OPERATIONS

"""What pulls from Dataverse, on the stand-in."""

import pytest

from integration.dataverse import DataverseClient
from tests.contract.integration.dataverse.test_client import Person
from tests.contract.integration.pull.support import Pulling
from tests.contract.sandbox.systems.stand_in import StandIn


@pytest.fixture
def pulling(dataverse: DataverseClient, dataverse_system: StandIn) -> Pulling:
    return Pulling(dataverse, dataverse_system, Person(dataverse_system))

"""What tests of steps need."""

import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver, register_webhook


@pytest.fixture
def endpoint(application: Dataverse, receiver: Receiver) -> str:
    """A webhook that is registered for the receiver."""
    return register_webhook(application, receiver.url)

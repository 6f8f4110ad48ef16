"""What every test of the protection may ask for."""

import pytest

from tests.unit.integration.protection.parts import Store
from tests.unit.integration.transport.parts import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still."""
    return ManualClock()


@pytest.fixture
def shared() -> Store:
    """A store that several instances share."""
    return Store()

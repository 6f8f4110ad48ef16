"""What the transport's tests have, offered here too."""

from tests.unit.integration.transport.conftest import clock as clock  # noqa: PLC0414 -- a fixture
from tests.unit.integration.transport.conftest import server as server  # noqa: PLC0414 -- a fixture

"""The clock of the transport's tests, offered here too."""

from tests.unit.integration.transport.conftest import clock as clock  # noqa: PLC0414 -- a fixture

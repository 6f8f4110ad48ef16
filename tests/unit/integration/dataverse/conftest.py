"""The raw HTTP server of the transport's tests, offered here too."""

from tests.unit.integration.transport.conftest import server as server  # noqa: PLC0414 -- a fixture, offered here too

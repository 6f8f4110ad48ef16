"""What all tests of the relay need."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.contract.sandbox.azure.relay.relay_process import PATIENCE


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client's session, which gives up late."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
        yield session

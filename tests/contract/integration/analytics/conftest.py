"""The places that sinks write to, one after the other."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox.systems.event_grid.api import build_app as event_grid_app
from sandbox.systems.logs_ingestion.api import build_app as logs_ingestion_app
from tests.contract.integration.analytics.targets import Archive, Delta, EventGrid, Fabric, Lake, LogAnalytics, Target

_OF_SERVICES: dict[str, tuple[Callable[[], web.Application], Callable[[str], Target]]] = {
    "event-grid": (lambda: event_grid_app("event-grid-sandbox-key"), EventGrid),
    "log-analytics": (logs_ingestion_app, LogAnalytics),
}
_OTHERS: dict[str, Callable[[], Target]] = {"archive": Archive, "fabric": Fabric, "lake": Lake}


@pytest.fixture
def delta(tmp_path: Path) -> Delta:
    """A Delta table that is not there yet."""
    return Delta(tmp_path)


@pytest.fixture(params=["delta", *_OTHERS, *_OF_SERVICES])
async def target(request: pytest.FixtureRequest) -> AsyncIterator[Target]:
    """Each place, empty."""
    if request.param == "delta":
        yield request.getfixturevalue("delta")
        return
    if request.param in _OTHERS:
        yield _OTHERS[request.param]()
        return
    app, of = _OF_SERVICES[request.param]
    server = TestServer(app())
    await server.start_server(auto_decompress=False)  # as sandbox.systems.http_server.serve does
    one = of(f"http://127.0.0.1:{server.port}")
    yield one
    await one.transport.aclose()  # type: ignore[attr-defined]
    await server.close()

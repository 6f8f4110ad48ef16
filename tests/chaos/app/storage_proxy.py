"""`python -m tests.chaos.app.storage_proxy --port P --to URL`: stands before tables or blobs, and takes faults.

Azurite takes none; through this, a call to the ledger or to blobs can be lost before or after it was done.
"""

import argparse
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import web
from yarl import URL

from sandbox.client import StandIn, eventually
from sandbox.machine.process import HttpProbe
from sandbox.repository import REPOSITORY
from sandbox.systems.http_server import serve, stand_in

_NOT_PASSED_ON = {"host", "content-length", "transfer-encoding", "content-encoding", "connection", "keep-alive"}


@contextmanager
def before(storage: str, port: int) -> Iterator[StandIn]:
    """A proxy on this port, in front of the tables or blobs at this URL."""
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-m", "tests.chaos.app.storage_proxy", "--port", str(port), "--to", storage)
    with subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL) as process:  # noqa: S603 -- our own
        try:
            eventually(HttpProbe(f"{url}/control/health"), within=30, what="the proxy")
            yield StandIn(url)
        finally:
            process.terminate()


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="tests.chaos.app.storage_proxy", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--to", required=True)
    given = parser.parse_args()
    return serve(_build(given.to), port=given.port)


def _build(to: str) -> web.Application:
    app = stand_in()
    sessions: list[aiohttp.ClientSession] = []

    async def lifespan(_: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            sessions.append(session)
            yield

    async def pass_on(request: web.Request) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
        url = URL(f"{to}{request.raw_path}", encoded=True)
        # Signatures cover the content type: none may be added where there is none.
        async with sessions[0].request(
            request.method,
            url,
            headers=headers,
            data=await request.read() or None,
            skip_auto_headers={"Content-Type"},
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_PASSED_ON}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())

    app.cleanup_ctx.append(lifespan)
    app.router.add_route("*", "/{rest:.*}", pass_on)
    return app


if __name__ == "__main__":
    sys.exit(main())

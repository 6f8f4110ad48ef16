"""Clients that others wrote read the service: OASIS's parser of CSDL, its schemas for the rows, and o.js."""

import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.contract.integration.virtual_tables.provider import ROOT, Provider
from tests.contract.node_packages import installed

PACKAGE = Path(__file__).parent / "odata_client"


@contextmanager
def over_http(provider: Provider) -> Iterator[str]:
    """The address of the provider on this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/api/odata/")
            answer = provider.ask_url(ROOT + path, accept=self.headers.get("Accept", ""))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{urlsplit(ROOT).path}"
        finally:
            server.shutdown()
            thread.join()


def test_metadata_and_rows_hold_for_the_libraries_of_others(provider: Provider) -> None:
    packages = installed(PACKAGE, "OASIS's OData libraries")
    with over_http(provider) as root:
        command = [shutil.which("node") or "node", str(PACKAGE / "check.mjs"), str(packages), root]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 -- ours
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["faults"] == []
    assert found["messages"] == []
    assert found["sets"]["erpcustomers"] == 20
    assert found["sets"].keys() == {"erpcustomers", "erporders", "erpproducts"}

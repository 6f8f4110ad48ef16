"""How long a call to Blob Storage may take that is lost once: less than whoever waits for it has time."""

import http.server
import json
import threading
import time
from collections.abc import Iterator

import pytest

from integration.composition.connections import blob_account
from integration.settings import Settings
from sandbox.repository import REPOSITORY

EXAMPLE = json.loads((REPOSITORY / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]


@pytest.fixture
def busy_storage() -> Iterator[str]:
    """A storage account that is busy for its first two calls; its connection string."""
    answers = iter((503, 503, 202))

    class Busy(http.server.BaseHTTPRequestHandler):
        def do_DELETE(self) -> None:
            self.send_response(next(answers))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/account"
        yield f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey=a2V5;BlobEndpoint={url};"
        server.shutdown()


def test_a_call_that_blob_storage_is_too_busy_for_is_made_again_within_seconds(busy_storage: str) -> None:
    """By default its SDK waits 15 seconds, and then 18: an event keeps its thread for so long, a caller its answer."""
    settings = Settings.from_environment({**EXAMPLE, "AzureWebJobsStorage": busy_storage})
    began = time.monotonic()
    blob_account(settings).get_container_client("claims").delete_blob("a/1/x")
    assert time.monotonic() - began < 10

"""The HTTP front does what the real one does (sources in sandbox/azure/host/http/front.py, encoding/http.py)."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.sandbox.azure.host.processes import HostProcess, StartHost, wait_until


def test_a_request_arrives_whole(http_host: HostProcess) -> None:
    """Method, url, route values as text, lower-case headers, body, invocation id and trace context."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"X-Mixed-Case": "v", "traceparent": trace}
    answer = http_host.post("/api/echo/order/7?a=1&a=2", b'{"n":1}', headers=headers)
    seen = answer.json()
    assert answer.status_code == 201
    assert answer.headers["x-back"] == "1"
    assert answer.headers["content-type"] == "application/json"
    assert seen["method"] == "POST"
    assert seen["url"] == f"{http_host.url}/api/echo/order/7?a=1&a=2"
    assert seen["route"] == {"kind": "order", "id": "7"}
    assert seen["params"] == {"a": "1,2"}
    assert seen["headers"]["x-mixed-case"] == "v"
    assert seen["body"] == '{"n":1}'
    assert seen["trace"] == trace
    assert len(seen["invocation"]) == 36


def test_empty_query_values_are_dropped_and_the_key_stays(http_host: HostProcess) -> None:
    """`b=` disappears, `code` does not (GrpcMessageConversionExtensions.cs)."""
    assert http_host.get("/api/echo/x?a=x%20y&b=&code=k").json()["params"] == {"a": "x y", "code": "k"}


def test_repeated_headers_are_joined_by_commas(http_host: HostProcess) -> None:
    """A StringValues becomes one string (GrpcMessageConversionExtensions.cs)."""
    host, port = http_host.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET /api/echo/x HTTP/1.1\r\nHost: x\r\nX-Many: 1\r\nX-Many: 2\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["headers"]["x-many"] == "1,2"


def test_an_absent_optional_route_value_is_left_out(http_host: HostProcess) -> None:
    assert http_host.get("/api/echo/order").json()["route"] == {"kind": "order"}


@pytest.mark.parametrize("path", ["/api/echo/order/seven", "/api/unknown", "/echo/order", "/api"])
def test_what_no_route_matches_is_404(http_host: HostProcess, path: str) -> None:
    assert http_host.get(path).status_code == 404


def test_a_wrong_method_is_404_and_not_405(http_host: HostProcess) -> None:
    """The method is a route constraint (WebScriptHostHttpRoutesManager.cs)."""
    assert http_host.http.put(f"{http_host.url}/api/echo/order", timeout=5).status_code == 404


def test_a_catch_all_takes_the_rest_of_the_path(http_host: HostProcess) -> None:
    assert http_host.get("/api/files/a/b%20c.txt").text == "a/b c.txt"
    assert http_host.get("/api/files").text == "none"


def test_routes_are_tried_in_the_order_of_function_names(http_host: HostProcess) -> None:
    """A literal does not win over a parameter: a_parameter comes before b_literal (FunctionMetadataManager.cs)."""
    assert http_host.get("/api/order/literal").text == "parameter"


def test_an_exception_is_an_empty_500(http_host: HostProcess) -> None:
    """Nothing of the exception gets out; the log has it (ExceptionMiddleware.cs)."""
    answer = http_host.get("/api/boom")
    assert (answer.status_code, answer.content) == (500, b"")
    assert "RuntimeError: a secret" in http_host.text()


def test_a_function_that_returns_none_is_a_500(http_host: HostProcess) -> None:
    """The worker cannot encode None for an http output."""
    assert http_host.get("/api/none").status_code == 500


def test_text_that_is_a_json_object_with_body_is_taken_for_a_response(http_host: HostProcess) -> None:
    """A function that returns str (HttpBinding.cs)."""
    answer = http_host.post("/api/text", json.dumps({"Body": "hi", "statusCode": "202", "headers": {"x-a": "1"}}))
    assert (answer.status_code, answer.text, answer.headers["x-a"]) == (202, "hi", "1")
    assert http_host.post("/api/text", '{"other": 1}').json() == {"other": 1}
    plain = http_host.post("/api/text", "just text")
    assert (plain.status_code, plain.text) == (200, "just text")
    assert plain.headers["content-type"].startswith("text/plain")


def test_a_chunked_body_arrives_empty(http_host: HostProcess) -> None:
    """Without Content-Length the host passes no body (GrpcMessageConversionExtensions.cs)."""

    def chunks() -> Iterator[bytes]:  # a generator makes requests send chunks
        yield b"never seen"

    assert http_host.post("/api/echo/x", chunks()).json()["body"] == ""


@pytest.mark.parametrize("body", [gzip.compress(b"x" * 500, mtime=0), b"not gzip"], ids=["gzip", "not gzip"])
def test_a_body_keeps_its_content_encoding(http_host: HostProcess, body: bytes) -> None:
    """The host has no request decompression: the function gets header and bytes as they came."""
    answer = http_host.post("/api/echo/x", body, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 201
    assert answer.json()["bytes"] == body.hex()
    assert answer.json()["headers"]["content-encoding"] == "gzip"


def test_a_body_over_the_limit_is_413(http_host: HostProcess) -> None:
    """FUNCTIONS_REQUEST_BODY_SIZE_LIMIT, here 1000 bytes."""
    assert http_host.post("/api/echo/x", b"x" * 1001).status_code == 413
    assert http_host.post("/api/echo/x", b"x" * 1000).status_code == 201


def test_several_cookies_are_set(http_host: HostProcess) -> None:
    answer = http_host.get("/api/cookies")
    assert answer.status_code == 204
    assert answer.cookies.get_dict() == {"a": "1", "b": "2"}
    http_host.http.cookies.clear()


def test_a_disabled_function_is_404(http_host: HostProcess) -> None:
    """App setting AzureWebJobs.<name>.Disabled."""
    assert http_host.get("/api/off").status_code == 404


def test_sync_functions_run_beside_each_other_in_the_pool(http_host: HostProcess) -> None:
    """Four threads (PYTHON_THREADPOOL_THREAD_COUNT): four sleeps run together, the loop is free meanwhile."""
    with ThreadPoolExecutor(6) as threads:
        start = time.monotonic()
        sleeps = [threads.submit(http_host.get, "/api/sleep/1.5") for _ in range(4)]
        napped = threads.submit(http_host.get, "/api/nap/0.1").result()
        assert not any(sleep.done() for sleep in sleeps)
        assert all(sleep.result().status_code == 200 for sleep in sleeps)
    assert napped.text == "napped"
    assert 1.5 <= time.monotonic() - start < 4 * 1.5


def test_logs_are_one_line_each_with_the_invocation(http_host: HostProcess) -> None:
    """A message that is JSON stays JSON and gains time, level and invocation id; other line breaks are escaped."""
    http_host.get("/api/log")
    lines = http_host.text().splitlines()
    assert any("[Function.logs, " in line and line.endswith("two\\nlines") for line in lines)
    found = [json.loads(line) for line in lines if line.startswith('{"event"')]
    assert found[0]["event"] == "of json"
    assert len(found[0]["invocationId"]) == 36
    assert found[0]["level"] == "INFO"
    assert datetime.fromisoformat(found[0]["time"]).utcoffset() == timedelta(0)


def test_function_code_is_measured_apart(http_host: HostProcess) -> None:
    """CPU time of a function counts with the tasks that it starts; the host's own does not."""
    before = http_host.get("/admin/stats").json()["functions"]["burn"]["functionSeconds"]
    http_host.get("/api/burn")
    after = http_host.get("/admin/stats").json()
    assert 0.2 <= after["functions"]["burn"]["functionSeconds"] - before < 0.4
    assert after["functions"]["burn"]["invocations"] == 1
    assert after["functionSeconds"] < after["processSeconds"]


def test_the_admin_api_answers(http_host: HostProcess) -> None:
    status = http_host.get("/admin/host/status").json()
    assert status["state"] == "Running"
    assert http_host.get("/admin/host/ping").status_code == 200
    listed = {function["name"] for function in http_host.get("/admin/functions").json()}
    assert {"echo", "keyed"} <= listed
    assert "off" not in listed
    assert http_host.get("/admin/functions/echo").json()["config"]["bindings"][0]["type"] == "httpTrigger"
    assert http_host.get("/admin/functions/nobody").status_code == 404
    assert http_host.post("/admin/functions/nobody", "{}").status_code == 404


def test_a_client_that_hangs_up_harms_nobody(http_host: HostProcess) -> None:
    host, port = http_host.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET /api/nap/0.2 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert http_host.get("/api/nap/0.3").status_code == 200


@pytest.fixture(scope="module")
def keyed_host(run_host: StartHost, tmp_path_factory: pytest.TempPathFactory) -> HostProcess:
    """The HTTP app with a keys file."""
    keys = {"masterKey": "m", "functionKeys": {"default": "h"}, "functions": {"keyed": {"default": "own"}}}
    file: Path = tmp_path_factory.mktemp("keys") / "keys.json"
    file.write_text(json.dumps(keys))
    return run_host("http", "--only", "http", settings={"SANDBOX_HOST_KEYS": str(file)})


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/api/keyed", None, 401),
        ("/api/keyed", "own", 200),
        ("/api/keyed", "h", 200),
        ("/api/keyed", "m", 200),
        ("/api/keyed", "wrong", 401),
        ("/api/keyed?code=own", None, 200),
        ("/api/keyed?code=own", "wrong", 401),  # a wrong header is not rescued by a right query key
        ("/api/mastered", "h", 401),
        ("/api/mastered", "m", 200),
        ("/api/echo/x", None, 201),
        ("/admin/host/status", None, 401),
        ("/admin/host/status", "m", 200),
        ("/admin/host/ping", None, 200),
    ],
)
def test_keys_open_what_they_should(keyed_host: HostProcess, path: str, header: str | None, status: int) -> None:
    """Auth levels with a keys file; a refusal has no body (AuthenticationLevelHandler.cs, AuthUtility.cs)."""
    answer = keyed_host.get(path, headers={"x-functions-key": header} if header else {})
    assert answer.status_code == status
    assert status != 401 or answer.content == b""


def test_requests_over_the_limit_are_429(run_host: StartHost) -> None:
    """maxOutstandingRequests, here 1 (HttpThrottleMiddleware.cs)."""
    host = run_host("slow")
    with ThreadPoolExecutor(1) as threads:
        threads.submit(host.get, "/api/slow")
        wait_until("the first to run", lambda: host.invocations("slow"))
        assert host.get("/api/slow").status_code == 429

"""docs/requests.http has a request for each route, and a running sandbox fills it in."""

import re
import stat
from pathlib import Path

import pytest

from sandbox.machine.ports import Ports
from sandbox.running.dataverse_client import Environment
from sandbox.running.endpoints import DataverseClient
from sandbox.running.programs import endpoints
from sandbox.running.requests_file import REQUESTS, filled, write
from sandbox.running.state import Keys
from tests.contract.infra.test_topology import triggers
from tests.http_file import HttpRequest, body_of, requests_of, variables

TEXT = REQUESTS.read_text(encoding="utf-8")


def routes() -> list[tuple[str, str]]:
    """Method and route of each HTTP function of the app."""
    http = [it for it in triggers().values() if it["type"] == "httpTrigger"]
    return [(method, it["route"]) for it in http for method in it["methods"]]


def leads_to(request: HttpRequest, method: str, route: str) -> bool:
    """Whether a request is one to this route.

    `{name}` stands for a segment, `{name?}` for one that may be missing, `{*name}` for all that follows.
    """
    pattern = re.sub(r"/\{\w+\?\}", "(?:/[^/?]+)?", route)
    pattern = re.sub(r"/\{\*\w+\}", "(?:/[^?]*)?", pattern)
    pattern = re.sub(r"\{\w+\}", "[^/?]+", pattern)
    return request.method == method and bool(re.fullmatch(rf"\{{\{{functions\}}\}}/api/{pattern}(\?.*)?", request.url))


REFUSED = {
    ("GET", "operations/set-aside/{sink}/{row}"): 404,
    ("POST", "operations/set-aside/{sink}/{action}"): 404,
    ("POST", "operations/{event_id}/edit"): 409,
    ("POST", "odata/{*path}"): 405,
    ("PATCH", "odata/{*path}"): 400,
    ("PUT", "odata/{*path}"): 400,
    ("DELETE", "odata/{*path}"): 405,
}
"""No sink has set rows aside, no handler goes by what its events carry, and the sandbox's ERP takes rows from flows."""


@pytest.mark.parametrize(("method", "route"), routes())
def test_every_route_has_a_request_that_it_accepts(method: str, route: str) -> None:
    """Whoever adds a route shows how it is called."""
    found = [it.status for it in requests_of(TEXT) if leads_to(it, method, route)]
    refused = REFUSED.get((method, route))
    assert any(status < 300 for status in found) if refused is None else refused in found


def test_every_request_is_to_a_route() -> None:
    """A route that is renamed is renamed here too."""
    for request in requests_of(TEXT):
        assert any(leads_to(request, *it) for it in routes()), request.title


def test_every_variable_is_used_and_the_reverse() -> None:
    """Only answers to earlier requests are named besides."""
    requests = requests_of(TEXT)
    used = {it for it in re.findall(r"\{\{([^}]+)\}\}", TEXT) if not it.startswith("$datetime ")}
    answers = {it for it in used if ".response." in it}
    assert used - answers == variables(TEXT).keys()
    named = [request.name for request in requests if request.name]
    assert {it.partition(".")[0] for it in answers} <= set(named)


def test_bodies_exist() -> None:
    """Those that are in files too, seen from where the page lies."""
    bodies = [body_of(request, REQUESTS.parent) for request in requests_of(TEXT) if request.method == "POST"]
    assert all(bodies)


def test_a_sandbox_fills_it_in(tmp_path: Path) -> None:
    """With its address and its keys, readable by nobody else; bodies are found from there too."""
    keys, client = Keys(), DataverseClient("", "", "", "", "")
    environment = Environment("", "", application=client, person=client, app_audiences=("",))
    path = tmp_path / "requests.http"
    for _ in range(2):
        write(endpoints(Ports(functions=12345), keys, environment), path)
    text = path.read_text(encoding="utf-8")
    assert variables(text) == {
        "functions": "http://127.0.0.1:12345",
        "webhookKey": keys.webhook,
        "pluginKey": keys.plugin,
        "erpKey": keys.erp_events,
        "operationsKey": keys.operations,
        "virtualTablesKey": keys.virtual_tables,
    }
    assert [body_of(it, path.parent) for it in requests_of(text)] == [
        body_of(it, REQUESTS.parent) for it in requests_of(TEXT)
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_variable_without_a_value_is_refused() -> None:
    """Rather than a request with a key that is none."""
    with pytest.raises(KeyError, match="newKey"):
        filled("@newKey = x\n", {})

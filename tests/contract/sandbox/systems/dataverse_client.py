"""What the Dataverse contract tests share: real MSAL, real requests, and a webhook receiver."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msal
import requests

from tests.contract.sandbox.systems.stand_in import StandIn


@dataclass
class Dataverse:
    """The stand-in seen by one user."""

    stand_in: StandIn
    environment: dict[str, Any]
    token: str

    @property
    def root(self) -> str:
        return f"{self.environment['url']}/api/data/v9.2/"

    def call(self, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        """Header names are written with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        answer: requests.Response = self.stand_in.http.request(
            method, self.root + path, json=body, headers=named, timeout=30
        )
        return answer

    def get(self, path: str, **headers: str) -> Any:
        answer = self.call("GET", path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, table_set: str, body: dict[str, object]) -> str:
        answer = self.call("POST", table_set, body)
        assert answer.status_code == 204, answer.text
        return answer.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")

    def update(self, path: str, body: dict[str, object], **headers: str) -> None:
        answer = self.call("PATCH", path, body, **({"If_Match": "*"} | headers))
        assert answer.status_code == 204, answer.text

    def quiet(self) -> None:
        self.stand_in.control("POST", "quiet")


def acquire(stand_in: StandIn, environment: dict[str, Any], who: str) -> dict[str, Any]:
    """A token answer from MSAL for `application` or `human`."""
    client = environment[who]
    application = msal.ConfidentialClientApplication(
        client["client_id"],
        authority=environment["authority"],
        client_credential=client["secret"],
        instance_discovery=False,
        http_client=stand_in.http,
    )
    answer: dict[str, Any] = application.acquire_token_for_client([f"{environment['url']}/.default"])
    return answer


def sign_in(stand_in: StandIn, who: str) -> Dataverse:
    environment = stand_in.control("GET", "environment").json()
    return Dataverse(stand_in, environment, acquire(stand_in, environment, who)["access_token"])


@dataclass
class Receiver:
    """Receives webhooks; `answers` are the statuses to give in turn (then 200), `pause` seconds before each."""

    answers: list[int] = field(default_factory=list)
    pause: float = 0.0
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((self.path, dict(self.headers), body))
                time.sleep(receiver.pause)
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/webhook"

    def contexts(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.received]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def register_webhook(dataverse: Dataverse, url: str, *, authtype: int = 4, authvalue: str = "k1") -> str:
    body = {"name": "intake", "url": url, "contract": 8, "authtype": authtype, "authvalue": authvalue}
    return dataverse.create("serviceendpoints", body)


def register_step(
    dataverse: Dataverse, endpoint: str, message: str, table: str | None, *, mode: int = 1, **columns: object
) -> str:
    """Register as docs/how-to/connect-dataverse.md shows it."""
    found = dataverse.get(f"sdkmessages?$filter=name eq '{message}'&$select=sdkmessageid")["value"][0]
    body: dict[str, object] = {
        "name": f"intake: {message} of {table}",
        "stage": 40,
        "mode": mode,
        "rank": 1,
        "supporteddeployment": 0,
        "asyncautodelete": True,
        "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({endpoint})",
        "sdkmessageid@odata.bind": f"/sdkmessages({found['sdkmessageid']})",
    }
    if table is not None:
        where = f"primaryobjecttypecode eq '{table}' and sdkmessageid/name eq '{message}'"
        of_table = dataverse.get(f"sdkmessagefilters?$filter={where}&$select=sdkmessagefilterid")["value"][0]
        body["sdkmessagefilterid@odata.bind"] = f"/sdkmessagefilters({of_table['sdkmessagefilterid']})"
    return dataverse.create("sdkmessageprocessingsteps", body | columns)


def register_image(dataverse: Dataverse, step: str, kind: int, attributes: str, *, of: str = "Target") -> None:
    alias = ("PreImage", "PostImage", "Image")[kind]
    body = {"name": alias, "entityalias": alias, "imagetype": kind, "messagepropertyname": of, "attributes": attributes}
    bind = {"sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({step})"}
    dataverse.create("sdkmessageprocessingstepimages", body | bind)


def remove_registrations(dataverse: Dataverse) -> None:
    for step in dataverse.get("sdkmessageprocessingsteps?$select=name")["value"]:
        dataverse.call("DELETE", f"sdkmessageprocessingsteps({step['sdkmessageprocessingstepid']})")
    for endpoint in dataverse.get("serviceendpoints?$select=name")["value"]:
        dataverse.call("DELETE", f"serviceendpoints({endpoint['serviceendpointid']})")
    for identity in dataverse.get("managedidentities?$select=name")["value"]:
        dataverse.call("DELETE", f"managedidentities({identity['managedidentityid']})")

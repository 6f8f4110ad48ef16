"""Registers the app's webhook and its steps in the Dataverse stand-in, over the Web API as in a real environment.

Steps are asynchronous and PostOperation. Ids are made from names, so that registering again changes nothing.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import requests

from sandbox.machine.ports import LOOPBACK, Ports
from sandbox.running.dataverse_client import sign_in
from sandbox.running.endpoints import Endpoints
from sandbox.systems.dataverse import declared_flows

WEBHOOK = 8
HTTP_HEADER = 5
UTF8 = 1
POST_OPERATION = 40
ASYNCHRONOUS = 1

_NAMESPACE = uuid.UUID("6f1b8f0e-6c8f-4d0c-9a55-3f0b2f5f8c11")
_TIMEOUT = 10.0
PRE_IMAGE = 0


_PARAMETER_TYPES = {"yes_no": 0, "moment": 1, "whole": 7, "amount": 8, "text": 10}
"""Values of the column `type` of CustomAPIRequestParameter, by the kinds that flows name."""


class RegistrationError(Exception):
    """The stand-in refused a registration."""


@dataclass(frozen=True, slots=True)
class Step:
    """One message of one table that is sent to the webhook."""

    table: str
    message: str
    filtering_attributes: tuple[str, ...] = ()
    pre_image: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"integration: {self.message} of {self.table}"

    @property
    def id(self) -> str:
        return _id(self.name)


def steps() -> Iterator[Step]:
    """The steps that the app's flows need.

    An Update is sent when it touches one of the filtering attributes. Result columns are not among them: a write-back
    fires nothing.
    """
    for flow in declared_flows.flows():
        for message in flow.messages:
            yield Step(
                flow.table,
                message,
                flow.filtering_attributes if message == "Update" else (),
                flow.pre_image if message == "Delete" else (),
            )


def _header(name: str, value: str) -> str:
    return f"<settings><setting name={quoteattr(name)} value={quoteattr(value)} /></settings>"


def register(reached: Endpoints) -> None:
    """Create or update the service endpoint and its steps; raises `RegistrationError`."""
    web_api = f"{reached.dataverse}/api/data/v9.2"
    with sign_in(reached.dataverse, reached.dataverse_client) as session:
        endpoint = _id("integration webhook")
        _upsert(
            session,
            f"{web_api}/serviceendpoints({endpoint})",
            {
                "name": "integration webhook",
                "url": f"{reached.functions}/api/dataverse/webhook",
                "contract": WEBHOOK,
                "authtype": HTTP_HEADER,
                "authvalue": _header("x-functions-key", reached.webhook_key),
                "messagecharset": UTF8,
            },
        )
        _make_custom_apis(session, web_api)
        messages = {
            row["name"]: row["sdkmessageid"]
            for row in _rows(session, f"{web_api}/sdkmessages?$select=sdkmessageid,name")
        }
        for step in steps():
            _upsert(
                session,
                f"{web_api}/sdkmessageprocessingsteps({step.id})",
                _body(session, web_api, endpoint, step, messages),
            )
            if step.pre_image:
                image = _id(f"{step.name}, pre image")
                _upsert(session, f"{web_api}/sdkmessageprocessingstepimages({image})", _image(step))


def _make_custom_apis(session: requests.Session, web_api: str) -> None:
    """Those that flows call, global actions without a plug-in; what is there is left as it is."""
    for name, parameters in declared_flows.custom_apis().items():
        if _rows(session, f"{web_api}/customapis?$select=uniquename&$filter=uniquename eq '{name}'"):
            continue
        body = {"uniquename": name, "name": name, "displayname": name, "description": name, "bindingtype": 0}
        body |= {"isfunction": False, "isprivate": False, "allowedcustomprocessingsteptype": ASYNCHRONOUS}
        body["CustomAPIRequestParameters"] = [
            {"uniquename": it, "name": f"{name}.{it}", "displayname": it, "description": it}
            | {"type": _PARAMETER_TYPES[kind], "isoptional": True}
            for it, kind in parameters.items()
        ]
        _check(session.post(f"{web_api}/customapis", json=body, timeout=_TIMEOUT))


def subscribe(ports: Ports) -> None:
    """Let the app subscribe now to what happens in its ERP, for which it has a timer. Raises `RegistrationError`."""
    url = f"http://{LOOPBACK}:{ports.events_host}/admin/functions/erp_watch"
    _check(requests.post(url, json={}, timeout=_TIMEOUT))


def _body(
    session: requests.Session, web_api: str, endpoint: str, step: Step, messages: dict[str, str]
) -> dict[str, Any]:
    condition = quote(f"primaryobjecttypecode eq '{step.table}' and sdkmessageid/name eq '{step.message}'")
    filters = _rows(session, f"{web_api}/sdkmessagefilters?$select=sdkmessagefilterid&$filter={condition}")
    if not filters or step.message not in messages:
        raise RegistrationError(f"Dataverse knows no message {step.message} of table {step.table}")
    body: dict[str, Any] = {
        "name": step.name,
        "stage": POST_OPERATION,
        "mode": ASYNCHRONOUS,
        "rank": 1,
        "supporteddeployment": 0,
        "asyncautodelete": True,
        "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({endpoint})",
        "sdkmessageid@odata.bind": f"/sdkmessages({messages[step.message]})",
        "sdkmessagefilterid@odata.bind": f"/sdkmessagefilters({filters[0]['sdkmessagefilterid']})",
    }
    if step.filtering_attributes:
        body["filteringattributes"] = ",".join(step.filtering_attributes)
    return body


def _image(step: Step) -> dict[str, Any]:
    return {
        "name": "PreImage",
        "entityalias": "PreImage",
        "imagetype": PRE_IMAGE,
        "messagepropertyname": "Target",
        "attributes": ",".join(step.pre_image),
        "sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({step.id})",
    }


def _upsert(session: requests.Session, url: str, body: dict[str, Any]) -> None:
    _check(session.patch(url, json=body, timeout=_TIMEOUT))


def _rows(session: requests.Session, url: str) -> list[dict[str, Any]]:
    answer = session.get(url, timeout=_TIMEOUT)
    _check(answer)
    rows: list[dict[str, Any]] = answer.json()["value"]
    return rows


def _check(answer: requests.Response) -> None:
    if not answer.ok:
        raise RegistrationError(
            f"{answer.request.method} {answer.request.url} was answered {answer.status_code}: {answer.text[:500]}"
        )


def _id(name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, name))

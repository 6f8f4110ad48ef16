"""Makes the custom APIs that flows call in the Dataverse stand-in; `run.py dataverse` does not declare them yet."""

from sandbox.running.dataverse_client import sign_in
from sandbox.running.endpoints import Endpoints
from sandbox.running.registration import check
from sandbox.systems.dataverse import declared_flows

_ASYNCHRONOUS = 1
_TIMEOUT = 10.0
_PARAMETER_TYPES = {"yes_no": 0, "moment": 1, "whole": 7, "amount": 8, "text": 10}
"""Values of the column `type` of CustomAPIRequestParameter, by the kinds that flows name."""


def make(reached: Endpoints) -> None:
    """Global actions without a plug-in; what is there is left as it is. Raises `RegistrationError`."""
    declared = declared_flows.custom_apis()
    if not declared:
        return
    web_api = f"{reached.dataverse}/api/data/v9.2"
    with sign_in(reached.dataverse, reached.dataverse_person) as session:
        there = session.get(f"{web_api}/customapis?$select=uniquename", timeout=_TIMEOUT)
        check(there)
        names = {row["uniquename"] for row in there.json()["value"]}
        for name, parameters in declared.items():
            if name not in names:
                check(session.post(f"{web_api}/customapis", json=_body(name, parameters), timeout=_TIMEOUT))


def _body(name: str, parameters: dict[str, str]) -> dict[str, object]:
    texts = {"uniquename": name, "name": name, "displayname": name, "description": name}
    kind = {"bindingtype": 0, "isfunction": False, "isprivate": False, "allowedcustomprocessingsteptype": _ASYNCHRONOUS}
    return {
        **texts,
        **kind,
        "CustomAPIRequestParameters": [
            {"uniquename": it, "name": f"{name}.{it}", "displayname": it, "description": it}
            | {"type": _PARAMETER_TYPES[kind_of], "isoptional": True}
            for it, kind_of in parameters.items()
        ],
    }

"""Functions and actions of the environment itself, which are bound to nothing.

Sources: the pages of these functions in Microsoft's Web API reference. Parameters stand in the parentheses, or there as
an alias (`@p`) with its value among the query options.
"""

import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.systems.dataverse.addressing import Segment
from sandbox.systems.dataverse.answers import json_answer
from sandbox.systems.dataverse.body import read_object, read_parameters
from sandbox.systems.dataverse.environment import Environment
from sandbox.systems.dataverse.errors import bad_request, not_allowed
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.query import split
from sandbox.systems.dataverse.roles import Roles
from sandbox.systems.dataverse.schema import Schema
from sandbox.systems.dataverse.solutions import Solutions, check_number
from sandbox.systems.dataverse.store import Store
from sandbox.systems.dataverse.values import is_guid

VERSION = "9.2.26101.00100"
ACTIONS = frozenset({"PublishAllXml", "PublishXml"})
_ACCESS_TYPE = re.compile(r"Microsoft\.Dynamics\.CRM\.EndpointAccessType'(Default|Internet|Intranet)'")
_LIST = re.compile(r"\[\s*(.*?)\s*\]", re.DOTALL)
_ITEM = re.compile(r"'(\w+)'|\"(\w+)\"")


class Functions:
    """Answers them."""

    def __init__(
        self, store: Store, schema: Schema, environment: Environment, solutions: Solutions, roles: Roles
    ) -> None:
        self._store, self._schema, self._environment, self._solutions = store, schema, environment, solutions
        self._roles = roles
        self._functions: dict[str, tuple[tuple[str, ...], Callable[[Operation, dict[str, str]], dict[str, Any]]]] = {
            "WhoAmI": ((), self._who_am_i),
            "RetrieveVersion": ((), lambda _operation, _given: {"Version": VERSION}),
            "RetrieveCurrentOrganization": (("AccessType",), self._organisation),
            "RetrieveTotalRecordCount": (("EntityNames",), self._counts),
            "RetrieveRolePrivilegesRole": (("RoleId",), self._privileges),
            "GetComponentManagedIdentityFIC": (("ComponentId", "ComponentName"), self._credential),
            "RetrieveDependenciesForDelete": (("ObjectId", "ComponentType"), self._dependencies),
        }

    @property
    def names(self) -> frozenset[str]:
        """The functions that are there."""
        return frozenset(self._functions)

    def answer(self, operation: Operation, segment: Segment) -> web.Response:
        """GET a function; 400 for parameters that it does not have, or without those that it needs."""
        if operation.call.method != "GET":
            raise not_allowed(operation.call.method)
        wanted, function = self._functions[segment.name]
        given = _parameters(operation, segment.key or "")
        if given.keys() != set(wanted):
            raise bad_request(f"The function {segment.name} has the parameters {list(wanted)}, not {sorted(given)}.")
        found, root = function(operation, given), operation.call.root
        kind = "Collection(dependency)" if "value" in found else f"{segment.name}Response"
        return json_answer({"@odata.context": f"{root}$metadata#Microsoft.Dynamics.CRM.{kind}"} | found)

    def publish(self, operation: Operation, action: str) -> web.Response:
        """PublishAllXml or PublishXml: definitions are in force as soon as they are changed."""
        wanted: dict[str, type] = {"ParameterXml": str} if action == "PublishXml" else {}
        read_parameters(action, read_object(operation.call) if operation.call.body else {}, wanted, {})
        return web.Response(status=204)

    def _who_am_i(self, operation: Operation, _: dict[str, str]) -> dict[str, Any]:
        return {
            "BusinessUnitId": self._environment.business_unit_id,
            "UserId": operation.info.user.user_id,
            "OrganizationId": self._environment.organisation_id,
        }

    def _organisation(self, operation: Operation, given: dict[str, str]) -> dict[str, Any]:
        if _ACCESS_TYPE.fullmatch(given["AccessType"]) is None:
            raise bad_request(f"The string '{given['AccessType']}' is not a valid enumeration type constant.")
        url = operation.call.root.partition("/api/data/")[0]
        endpoints = {
            "WebApplication": f"{url}/",
            "OrganizationService": f"{url}/XRMServices/2011/Organization.svc",
            "OrganizationDataService": f"{url}/XRMServices/2011/OrganizationData.svc",
        }
        name = self._environment.organisation_name
        detail = {
            "OrganizationId": self._environment.organisation_id,
            "FriendlyName": name,
            "OrganizationVersion": VERSION,
            "EnvironmentId": self._environment.organisation_id,
            "DatacenterId": "00000000-0000-0000-0000-000000000000",
            "Geo": "EMEA",
            "TenantId": self._environment.tenant_id,
            "UrlName": name,
            "UniqueName": name,
            "State": "Enabled",
            "Endpoints": _pairs(endpoints),
        }
        return {"Detail": detail}

    def _counts(self, _: Operation, given: dict[str, str]) -> dict[str, Any]:
        listed = _LIST.fullmatch(given["EntityNames"])
        items = [_ITEM.fullmatch(each) for each in split(listed[1], ",")] if listed else [None]
        names = [item[1] or item[2] if item else "" for item in items]
        unknown = [name for name in names if self._schema.get(name) is None]
        if unknown:
            raise bad_request(f"EntityNames is a list of logical names of tables, and '{unknown[0]}' is none.")
        counts = {name: len(self._store.rows(name)) for name in names}
        return {"EntityRecordCountCollection": _pairs(counts)}

    def _privileges(self, _: Operation, given: dict[str, str]) -> dict[str, Any]:
        return self._roles.privileges(_guid("RoleId", given))

    def _dependencies(self, _: Operation, given: dict[str, str]) -> dict[str, Any]:
        kind = check_number("ComponentType", given["ComponentType"])
        return {"value": self._solutions.dependencies(_guid("ObjectId", given), kind)}

    def _credential(self, _: Operation, given: dict[str, str]) -> dict[str, Any]:
        """Microsoft does not document what a subject for a service endpoint looks like: this one names the endpoint."""
        endpoint = self._store.get("serviceendpoint", _guid("ComponentId", given))
        if endpoint is None or given["ComponentName"] != "'ServiceEndpoint'":
            raise bad_request("The stand-in gives subjects of federated credentials for service endpoints only.")
        return {"FICSubject": f"sandbox/{self._environment.organisation_id}/serviceendpoint/{endpoint.id}"}


def _guid(name: str, given: dict[str, str]) -> str:
    """A parameter that is an id; 400 otherwise."""
    if not is_guid(given[name]):
        raise bad_request(f"The parameter {name} is an id, and '{given[name]}' is none.")
    return given[name].lower()


def _parameters(operation: Operation, listed: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for each in split(listed, ","):
        name, _, value = (part.strip() for part in each.partition("="))
        if value.startswith("@"):
            if value not in operation.call.query:
                raise bad_request(f"The parameter alias '{value}' is used and the request gives it no value.")
            value = operation.call.query[value]
        given[name] = value
    return given


def _pairs(values: dict[str, Any]) -> dict[str, Any]:
    """A dictionary as .NET's serializer writes it here."""
    return {"Count": len(values), "IsReadOnly": False, "Keys": list(values), "Values": list(values.values())}

"""The service endpoints that steps call: that of the flows, and a webhook of its own for each check.

An endpoint is one address, and the address of a check names it: so a check cannot share the endpoint of the flows.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import urljoin

from integration.errors import ConfigurationError
from integration.registration.declaration import Bus, Endpoint, ManagedIdentity, Values
from integration.registration.items import Item

CONTRACTS: Final = {"webhook": 8, "queue": 2, "topic": 5, "hub": 7}
"""Kinds of service endpoints, and their `contract` (table serviceendpoint)."""
HTTP_HEADER, SAS_KEY, MANAGED_IDENTITY = 5, 2, 9
"""Values of `authtype`."""
UTF8, JSON, NO_USER_CLAIM, NORMAL, ADDRESS = 1, 2, 1, 1, 2
"""`messagecharset`, `messageformat`, `userclaim`, `connectionmode` and `namespaceformat`."""
IS_MANAGED, OF_ENVIRONMENT = 2, 1
"""`credentialsource` and `subjectscope` of a managed identity."""
KEY_HEADER: Final = "x-functions-key"
CHECK: Final = "check."
"""Begins the names of checks' endpoints: `check.credit-check`."""
CHECK_TITLE: Final = "integration check: "
"""Begins the names of their rows, so that they are found again."""


def endpoint_items(
    endpoint: Endpoint, values: Values, checks: Iterable[str], *, charset: bool = True
) -> Iterator[Item]:
    """The endpoint of the flows with its managed identity, and those of the checks of these names.

    Raises `ConfigurationError` where the values do not say what they need.
    """
    if (found := _identity(endpoint, values)) is not None:
        yield Item("managed-identity", endpoint.managed_identity, _fields_of(found))
    said = "" if found is None else "Dataverse signs in with its managed identity."
    yield Item("endpoint", endpoint.kind, _of_flows(endpoint, values, charset=charset), said)
    for name in checks:
        address = urljoin(_given(values.webhook_url, "webhook-url"), f"custom/{name}")
        yield Item("endpoint", f"{CHECK}{name}", _webhook(f"{CHECK_TITLE}{name}", address, charset=charset))
        secret_of(f"{CHECK}{name}", values)


def secret_of(name: str, values: Values) -> str:
    """Where the key of the endpoint of this name is; raises `ConfigurationError` where the values do not say it."""
    if is_webhook(name):
        return _given(values.webhook_key, "webhook-key")
    key = _bus(values).key
    if key is None:
        raise ConfigurationError("The endpoint has a managed identity, and no key.")
    return key


def is_webhook(name: str) -> bool:
    """Whether the endpoint of this name is a webhook."""
    return name == "webhook" or name.startswith(CHECK)


def _of_flows(endpoint: Endpoint, values: Values, *, charset: bool) -> dict[str, Any]:
    if endpoint.kind == "webhook":
        secret_of(endpoint.kind, values)
        return _webhook(endpoint.name, _given(values.webhook_url, "webhook-url"), charset=charset)
    bus = _bus(values)
    if bus.managed_identity is None:
        sign_in = {"secret": "set", "authtype": SAS_KEY, "saskeyname": bus.key_name}
    else:
        sign_in = {"authtype": MANAGED_IDENTITY, "managed-identity": endpoint.managed_identity}
    return {
        "name": endpoint.name,
        "contract": CONTRACTS[endpoint.kind],
        **sign_in,
        "namespaceaddress": bus.namespace,
        "path": bus.path,
        "messageformat": JSON,
        "userclaim": NO_USER_CLAIM,
        "connectionmode": NORMAL,
        "namespaceformat": ADDRESS,
    }


def _identity(endpoint: Endpoint, values: Values) -> ManagedIdentity | None:
    found = None if values.bus is None else values.bus.managed_identity
    if found is not None and endpoint.kind == "webhook":
        raise ConfigurationError(
            "A webhook has no managed identity: it is called with its key. Declare a queue, topic or hub as the kind "
            "of [endpoint], or take [bus.managed-identity] out of the environment's file."
        )
    return found


def _fields_of(identity: ManagedIdentity) -> dict[str, Any]:
    found = {
        "applicationid": identity.application.lower(),
        "tenantid": identity.tenant.lower(),
        "credentialsource": IS_MANAGED,
        "subjectscope": OF_ENVIRONMENT,
    }
    return found | ({} if identity.version is None else {"version": identity.version})


def _webhook(name: str, url: str, *, charset: bool) -> dict[str, Any]:
    found = {"name": name, "contract": CONTRACTS["webhook"], "secret": "set", "url": url, "authtype": HTTP_HEADER}
    return found | ({"messagecharset": UTF8} if charset else {})


def _bus(values: Values) -> Bus:
    if values.bus is None:
        raise ConfigurationError("The declared endpoint needs the section [bus] in the environment's file.")
    return values.bus


def _given(value: Any, name: str) -> str:
    if value is None:
        raise ConfigurationError(
            f"A webhook needs {name} in the environment's file. (A check needs a webhook too; without checks: "
            "checks = false.)"
        )
    return str(value)

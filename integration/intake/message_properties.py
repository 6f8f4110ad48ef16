"""The properties that a service endpoint of Dataverse gives a message, and what they must agree with.

Their names are claim types of the SDK (Microsoft.Xrm.Sdk.ClaimTypes). What was taken from public code and not seen in a
real environment: which of them an event hub gets, and how Organization is written. So each may be missing, and
Organization only has to name the organisation in one of the ways in which it is called.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from integration.errors import Fault, Rejected
from integration.events.fields import guid_or_none

_CLAIMS: Final = "http://schemas.microsoft.com/xrm/2011/claims/"
_NO_TABLE: Final = ("", "none")


def text_properties(properties: Mapping[Any, Any]) -> dict[str, str]:
    """The properties as text, with names in lower case; Python's SDKs give both as bytes."""
    return {_text(name).lower(): _text(value) for name, value in properties.items()}


def check_properties(properties: Mapping[str, str], context: Mapping[str, Any], *, host: str) -> None:
    """Raise `Rejected` (400) where properties (`text_properties`) contradict the context that came with them.

    `host` is that of the environment's URL.
    """
    faults = [*_contradictions(properties, context, host)]
    if faults:
        raise Rejected(
            400,
            "The message contradicts itself",
            "; ".join(f"{it.pointer} {it.detail}" for it in faults)
            + ". Dataverse sends no such message: find out who else has a key that may send here, and renew the key.",
            faults=tuple(faults),
            reason="message-contradicts-itself",
        )


def _contradictions(properties: Mapping[str, str], context: Mapping[str, Any], host: str) -> Iterator[Fault]:
    def given(name: str) -> str:
        return properties.get(f"{_CLAIMS}{name}".lower(), "").strip().lower()

    def stated(name: str) -> str:
        return str(context.get(name) or "").strip().lower()

    organisation = given("Organization")
    names = (host.lower(), stated("OrganizationName"), stated("OrganizationId"))
    if organisation and not any(name and name in organisation for name in names):
        yield Fault("Organization", "names another organisation than the body")
    message = stated("MessageName")
    if given("RequestName") not in ("", message):
        yield Fault("RequestName", "names another message than the body's MessageName")
    table = given("EntityLogicalName")
    if table not in _NO_TABLE and stated("PrimaryEntityName") not in (*_NO_TABLE, table):
        yield Fault("EntityLogicalName", "names another table than the body's PrimaryEntityName")
    user, stated_user = guid_or_none(given("InitiatingUser")), guid_or_none(stated("InitiatingUserId"))
    if user and stated_user and user != stated_user:
        yield Fault("InitiatingUser", "names another user than the body's InitiatingUserId")


def _text(raw: Any) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)

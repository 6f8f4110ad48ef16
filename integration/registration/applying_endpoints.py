"""How Dataverse signs in to the endpoints: the keys, and what is written where a managed identity takes their place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from integration.errors import ConfigurationError
from integration.registration.endpoints import KEY_HEADER, MANAGED_IDENTITY, is_webhook
from integration.registration.items import Item
from integration.registration.plan import CREATE, Change

_SAS_KEY_LENGTH: Final = 44
_SET: Final = "set"
_BIND: Final = "managedidentityid@odata.bind"


@dataclass(frozen=True, slots=True)
class Secret:
    """The key of an endpoint, where it is kept, and the day on which it is sent."""

    endpoint: str
    value: str
    reference: str
    today: date

    def column(self) -> dict[str, str]:
        """The column that takes it; raises `ConfigurationError` for a connection string in place of a key."""
        if is_webhook(self.endpoint):
            header, value = quoteattr(KEY_HEADER), quoteattr(self.value)
            return {"authvalue": f"<settings><setting name={header} value={value} /></settings>"}
        if len(self.value) != _SAS_KEY_LENGTH:
            raise ConfigurationError(
                f"{self.reference} holds no SAS key, which has {_SAS_KEY_LENGTH} characters: take the primary key, not "
                "the connection string."
            )
        return {"saskey": self.value}

    def said(self) -> str:
        """What the endpoint's description says of it, as Dataverse never shows it again."""
        return said_of_key(self.reference, self.today)


def said_of_key(reference: str, today: date) -> str:
    """What a description says of a key, as Dataverse never shows it again."""
    return f"key of {reference}, set on {today.isoformat()}"


def has_key(item: Item) -> bool:
    """Whether this is an endpoint that is declared with a key."""
    return item.kind == "endpoint" and "secret" in item.fields


def sends_key(item: Item, change: Change) -> bool:
    """Whether the key goes with a change: a new endpoint, one without a key, and one that signed in otherwise."""
    before = change.before or {}
    there = change.action != CREATE and before.get("secret") == _SET
    return has_key(item) and not (there and before.get("authtype") == item.fields["authtype"])


def endpoint_body(item: Item, change: Change, ids: Mapping[str, str]) -> dict[str, Any]:
    """The columns of an endpoint besides its key; how it signed in before is taken away."""
    fields = {name: it for name, it in item.fields.items() if name not in {"secret", "managed-identity"}}
    before = None if change.action == CREATE else (change.before or {}).get("authtype")
    if item.fields["authtype"] == MANAGED_IDENTITY:
        identity = ids[f"managed-identity.{item.fields['managed-identity']}"]
        given_up = {} if before in {None, MANAGED_IDENTITY} else {"saskey": None, "saskeyname": None}
        return fields | given_up | {_BIND: f"/managedidentities({identity})"}
    return fields | ({_BIND: None} if before == MANAGED_IDENTITY else {})

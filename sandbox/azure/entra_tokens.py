"""Access tokens of Microsoft Entra ID in place of shared access keys: whose they are, for what, and until when.

Their signatures are not checked: nothing on this machine is an identity provider that everybody would know.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.azure.shared_access import RIGHTS

_AUDIENCES: Final = frozenset({"https://servicebus.azure.net", "https://eventhubs.azure.net"})


@dataclass(frozen=True, slots=True)
class Application:
    """An application by its client id, and what its roles let it do."""

    client_id: str
    rights: frozenset[str] = RIGHTS

    @classmethod
    def parse(cls, text: str) -> "Application":
        """From `CLIENT_ID[;Send][;Listen][;Manage]`; no right named means all of them."""
        client_id, *rights = text.split(";")
        if not client_id or not set(rights) <= RIGHTS:
            raise ValueError("an application is CLIENT_ID[;Send][;Listen][;Manage]")
        return cls(client_id.lower(), frozenset(rights) or RIGHTS)


def holder(token: str, known: Mapping[str, Application], now: float) -> Application | None:
    """The known application whose token this is, for Service Bus or Event Hubs, valid at `now` (unix seconds)."""
    claims = _claims(token)
    of = claims.get("appid") or claims.get("azp")
    if not isinstance(of, str) or str(claims.get("aud")).rstrip("/") not in _AUDIENCES:
        return None
    valid = isinstance(claims.get("exp"), int) and claims["exp"] > now
    return known.get(of.lower()) if valid else None


def _claims(token: str) -> dict[str, Any]:
    """The second part of a token; nothing for what is no JSON Web Token."""
    _, _, rest = token.partition(".")
    body = rest.partition(".")[0]
    try:
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

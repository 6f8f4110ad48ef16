"""Claims-based security: `$cbs` takes the tokens that clients present for entities.

Without configured keys every token is taken, as the emulators do. With keys, the signature, the expiry and the key's
rights are checked: a bad token is refused here, a missing right only when a link is attached, both as in Azure.
"""

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus

from sandbox.azure.broker.errors import BrokerError, not_found
from sandbox.azure.broker.links.endpoints import Scheduler
from sandbox.azure.broker.links.requests import ReplyLink, Request, RequestLink, Response
from sandbox.azure.broker.namespace import path_of

SEND, LISTEN, MANAGE = "Send", "Listen", "Manage"
_RIGHTS = frozenset((SEND, LISTEN, MANAGE))


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A shared access key: its name, its value, what it allows."""

    name: str
    value: str
    rights: frozenset[str] = _RIGHTS

    @classmethod
    def parse(cls, text: str) -> "AccessKey":
        """From `NAME=VALUE[;Send][;Listen][;Manage]`; no right named means all of them."""
        credentials, *rights = text.split(";")
        name, _, value = credentials.partition("=")
        if not name or not value or not set(rights) <= _RIGHTS:
            raise ValueError("a key is NAME=VALUE[;Send][;Listen][;Manage]")
        return cls(name, value, frozenset(rights) or _RIGHTS)


@dataclass(slots=True)
class Grants:
    """What the tokens of one connection allow: rights by the path they were presented for."""

    by_path: dict[str, frozenset[str]] = field(default_factory=dict)

    def require(self, right: str, path: str) -> None:
        """Raises when no token for the path, or for anything above it, carries the right."""
        key = path.lower()
        for prefix, rights in self.by_path.items():
            if right in rights and (not prefix or key == prefix or key.startswith(prefix + "/")):
                return
        raise BrokerError(
            "amqp:unauthorized-access",
            f"Unauthorized access. '{right}' claim(s) are required to perform this operation. Resource: "
            f"'sb://localhost/{path}'.",
            401,
        )


class TokenLink(RequestLink):
    """Answers put-token."""

    def __init__(
        self, scheduler: Scheduler, replies: dict[str | None, ReplyLink], keys: dict[str, AccessKey], grants: Grants
    ) -> None:
        super().__init__(scheduler, replies)
        self._keys = keys
        self._grants = grants

    def answer(self, request: Request) -> Response:
        path = path_of(request.text("name"))
        if not self._scheduler.namespace.knows(path):
            error = not_found(path)
            return Response(404, error.description, condition=error.condition, both_spellings=False)
        if self._keys:
            token = request.body if isinstance(request.body, str) else ""
            key = verified_key(token, self._keys, time.time(), path)
            if key is None:
                description = "InvalidSignature: The token has an invalid signature."
                return Response(401, description, condition="com.microsoft:auth-failed", both_spellings=False)
            self._grants.by_path[path.lower().removesuffix("$management").strip("/")] = key.rights
        return Response(202, "Accepted", both_spellings=False)


def plain_key(response: bytes | None, keys: dict[str, AccessKey]) -> AccessKey | None:
    """The key whose name and value SASL PLAIN says; None without one."""
    _, _, credentials = (response or b"").partition(b"\0")
    name, _, value = credentials.partition(b"\0")
    key = keys.get(name.decode(errors="replace"))
    return key if key is not None and hmac.compare_digest(value, key.value.encode()) else None


def verified_key(token: str, keys: dict[str, AccessKey], now: float, path: str) -> AccessKey | None:
    """The key that signed a SAS token for `path` or what is above it, valid at `now` (unix seconds); None otherwise."""
    scheme, _, query = token.partition(" ")
    raw = dict(part.split("=", 1) for part in query.split("&") if "=" in part)
    if scheme != "SharedAccessSignature" or not {"sr", "sig", "se", "skn"} <= raw.keys():
        return None
    key = keys.get(unquote_plus(raw["skn"]))
    if key is None or not raw["se"].isdigit() or int(raw["se"]) < now:
        return None
    audience = path_of(unquote_plus(raw["sr"]).partition("?")[0]).lower()
    if audience and path.lower() != audience and not path.lower().startswith(audience + "/"):
        return None
    signed = f"{raw['sr']}\n{raw['se']}".encode()
    expected = base64.b64encode(hmac.new(key.value.encode(), signed, hashlib.sha256).digest())
    return key if hmac.compare_digest(expected, unquote(raw["sig"]).encode()) else None

"""Shared access keys and the tokens that they sign (SAS), as Service Bus, Event Hubs and Azure Relay take them."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

SEND, LISTEN, MANAGE = "Send", "Listen", "Manage"
RIGHTS = frozenset((SEND, LISTEN, MANAGE))


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A shared access key: its name, its value, what it allows."""

    name: str
    value: str
    rights: frozenset[str] = RIGHTS

    @classmethod
    def parse(cls, text: str) -> "AccessKey":
        """From `NAME=VALUE[;Send][;Listen][;Manage]`; no right named means all of them."""
        credentials, *rights = text.split(";")
        name, _, value = credentials.partition("=")
        if not name or not value or not set(rights) <= RIGHTS:
            raise ValueError("a key is NAME=VALUE[;Send][;Listen][;Manage]")
        return cls(name, value, frozenset(rights) or RIGHTS)


def plain_key(response: bytes | None, keys: dict[str, AccessKey]) -> AccessKey | None:
    """The key whose name and value SASL PLAIN says; None without one."""
    _, _, credentials = (response or b"").partition(b"\0")
    name, _, value = credentials.partition(b"\0")
    key = keys.get(name.decode(errors="replace"))
    return key if key is not None and hmac.compare_digest(value, key.value.encode()) else None


def verified_key(token: str, keys: dict[str, AccessKey], now: float, path: str) -> AccessKey | None:
    """The key that signed a SAS token for `path` or what is above it, valid at `now` (unix seconds); None otherwise."""
    return signer(token, keys, now) if covers(token, path) else None


def signer(token: str, keys: dict[str, AccessKey], now: float) -> AccessKey | None:
    """The key that signed a SAS token, whatever it is for, which is valid at `now` (unix seconds); None otherwise."""
    raw = _claims(token)
    if not {"sr", "sig", "se", "skn"} <= raw.keys():
        return None
    key = keys.get(unquote_plus(raw["skn"]))
    if key is None or not raw["se"].isdigit() or int(raw["se"]) < now:
        return None
    signed = f"{raw['sr']}\n{raw['se']}".encode()
    expected = base64.b64encode(hmac.new(key.value.encode(), signed, hashlib.sha256).digest())
    return key if hmac.compare_digest(expected, unquote(raw["sig"]).encode()) else None


def covers(token: str, path: str) -> bool:
    """Whether a token is for `path`, or for what is above it."""
    audience = unquote_plus(_claims(token).get("sr", "")).partition("?")[0]
    _, scheme, rest = audience.partition("://")
    covered = (rest.partition("/")[2] if scheme else audience).strip("/").lower()
    return not covered or path.lower() == covered or path.lower().startswith(covered + "/")


def ends_at(token: str) -> float:
    """When a token ends (unix seconds)."""
    return float(_claims(token)["se"])


def _claims(token: str) -> dict[str, str]:
    scheme, _, query = token.partition(" ")
    if scheme != "SharedAccessSignature":
        return {}
    return dict(part.split("=", 1) for part in query.split("&") if "=" in part)

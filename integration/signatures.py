"""Signed requests, as Standard Webhooks has them: a caller that signs need not send its secret.

The secret is `whsec_` and base64; the signature is `v1,` and the base64 of HMAC-SHA256 over id, time and body. The
headers are `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`, which may hold several
signatures while a secret is rotated (https://www.standardwebhooks.com, version 1.0.0).
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from integration.clock import Clock

HEADER: Final = "webhook-signature"
PREFIX: Final = "whsec_"
TOLERANCE: Final = timedelta(minutes=5)
"""How old, or how far ahead, the time of a request may be: a recorded one cannot be sent again for ever."""
_SECRET_BYTES: Final = range(24, 65)
_NEW_BYTES: Final = 32
_VERSION: Final = "v1,"


def secret_of(text: str) -> bytes:
    """The bytes of a secret; `ValueError` says what it must be."""
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not text.startswith(PREFIX) or len(secret) not in _SECRET_BYTES:
        raise ValueError(f"a signing secret is {PREFIX} and the base64 of 24 to 64 bytes")
    return secret


def is_current(headers: Mapping[str, str], clock: Clock) -> bool:
    """Whether the request says a time, and that it is now; header names in lower case."""
    stated = headers.get("webhook-timestamp", "")
    if not (stated.isascii() and stated.isdigit() and len(stated) < 12):
        return False
    return abs(clock.now().timestamp() - int(stated)) <= TOLERANCE.total_seconds()


def is_signed_with(secret: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the request's signatures was made with `secret`; compared in constant time."""
    expected = _signature(secret, headers.get("webhook-id", ""), headers.get("webhook-timestamp", ""), body)
    offered = [it.removeprefix(_VERSION) for it in headers[HEADER].split(" ") if it.startswith(_VERSION)]
    return any(hmac.compare_digest(it.encode("utf-8", "surrogatepass"), expected) for it in offered)


def new_secret() -> str:
    """A secret that nobody has used before."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_NEW_BYTES)).decode()


def signed(keys: Iterable[bytes], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message, signed with each of the secrets: two while one is being replaced."""
    time = str(int(at.timestamp()))
    made = " ".join(_VERSION + _signature(key, message_id, time, body).decode() for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": time, HEADER: made}


def _signature(secret: bytes, message_id: str, time: str, body: bytes) -> bytes:
    said = f"{message_id}.{time}.".encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.digest(secret, said + body, hashlib.sha256))

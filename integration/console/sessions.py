"""Signing in with an operations key: a cookie says who it was and until when, signed with that key.

    <caller>.<seconds since the epoch until which it holds>.<HMAC-SHA256 over both, in hexadecimal>

The key itself is in no cookie and no address. A session ends with its time, or when its key is withdrawn. The sandbox
makes the same text (a ticket that holds for a minute) to sign in whoever has started it.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import SecretStr

from integration.clock import Clock

COOKIE: Final = "integration_console"
SECONDS: Final = 12 * 3600
_SHAPE: Final = re.compile(r"(?P<caller>[0-9a-f]+)\.(?P<until>\d{1,12})\.(?P<seal>[0-9a-f]{64})")


class Sessions:
    """Begins sessions and reads them."""

    def __init__(self, keys: Mapping[str, Sequence[SecretStr]], clock: Clock) -> None:
        self._keys = {caller: [it.get_secret_value().encode() for it in many] for caller, many in keys.items()}
        self._clock = clock

    def begin(self, caller: str, key: str) -> str:
        """A session of the caller, for twelve hours."""
        return sealed(caller, int(self._clock.now().timestamp()) + SECONDS, key.encode())

    def caller_of(self, session: str) -> str | None:
        """Whose session it is, if it is one, and has not ended."""
        found = _SHAPE.fullmatch(session)
        if found is None or int(found["until"]) < self._clock.now().timestamp():
            return None
        try:
            caller = bytes.fromhex(found["caller"]).decode()
        except ValueError:
            return None
        genuine = [
            hmac.compare_digest(session, sealed(caller, int(found["until"]), key)) for key in self._keys.get(caller, ())
        ]
        return caller if any(genuine) else None

    def renewed(self, ticket: str) -> str | None:
        """A session for the caller of a ticket or session that still holds; None for any other text."""
        caller = self.caller_of(ticket)
        return self.begin(caller, self._keys[caller][0].decode()) if caller else None


def sealed(caller: str, until: int, key: bytes) -> str:
    """The text of a session or ticket."""
    said = f"{caller.encode().hex()}.{until}"
    return f"{said}.{hmac.new(key, said.encode(), hashlib.sha256).hexdigest()}"


def cookie(session: str, *, secure: bool) -> str:
    """The header `Set-Cookie`; an empty session ends the one there is."""
    lasts = f"Max-Age={SECONDS if session else 0}"
    return f"{COOKIE}={session}; Path=/api/console; {lasts}; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")


def session_of(header: str) -> str:
    """The session in the header `Cookie`, or empty text."""
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return next((value for name, _, value in pairs if name == COOKIE), "")

"""The address of the console, with a ticket that signs in whoever has started the sandbox.

A ticket has the form of a session of the console (docs/how-to/support-console.md) and holds for a minute.
"""

import hashlib
import hmac
import time
from typing import Final

from sandbox.running.endpoints import Endpoints

CALLER: Final = "support"
_SECONDS: Final = 60


def ticket(reached: Endpoints) -> str:
    """The address that signs in, now."""
    said = f"{CALLER.encode().hex()}.{int(time.time()) + _SECONDS}"
    seal = hmac.new(reached.operations_key.encode(), said.encode(), hashlib.sha256).hexdigest()
    return f"{reached.functions}/api/console/sign-in?ticket={said}.{seal}"

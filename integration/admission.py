"""Who may come in: a key per caller, two while it is being rotated.

The key travels as the Functions host's own do: header `x-functions-key`, or query parameter `code` as Dataverse's
WebhookKey authentication sends it. A wrong header is not rescued by a right query parameter.
"""

import hmac
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from integration.errors import Rejected

KEY_HEADER = "x-functions-key"
KEY_PARAMETER = "code"


class CallerKeys:
    """The callers of a group of routes and their keys."""

    def __init__(self, keys: Mapping[str, Sequence[SecretStr]]) -> None:
        self._keys = [(caller, key.get_secret_value().encode()) for caller, many in keys.items() for key in many]

    def admit(self, headers: Mapping[str, str], params: Mapping[str, str]) -> str:
        """The caller whose key the request carries; header names in lower case. Raises `Rejected` (401).

        Every key is compared in constant time, and all of them always, so that time tells nothing.
        """
        given = headers.get(KEY_HEADER) or params.get(KEY_PARAMETER)
        if not given:
            raise Rejected(
                401,
                "A key is required",
                f"Send the caller's key in header {KEY_HEADER} or query parameter {KEY_PARAMETER}.",
            )
        offered = given.encode("utf-8", "surrogatepass")
        admitted = [caller for caller, key in self._keys if hmac.compare_digest(key, offered)]
        if not admitted:
            raise Rejected(401, "The key is not valid", "The key is not, or no longer, one of this app's callers'.")
        return admitted[0]

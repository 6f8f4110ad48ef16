"""Which callers are admitted: each has a key, or two while the key is being rotated.

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

    def __init__(self, keys: Mapping[str, Sequence[SecretStr]], *, in_query: bool = True) -> None:
        """`in_query` says whether the key may be part of the URL, where logs and histories record it."""
        self._in_query = in_query
        self._keys = [(caller, key.get_secret_value().encode()) for caller, many in keys.items() for key in many]

    def admit(self, headers: Mapping[str, str], params: Mapping[str, str]) -> str:
        """The caller whose key the request carries; header names in lower case. Raises `Rejected` (401)."""
        caller = self.find(headers, params)
        if caller is None:
            raise self._refusal(headers, params)
        return caller

    def find(self, headers: Mapping[str, str], params: Mapping[str, str]) -> str | None:
        """The caller whose key the request carries, if any.

        Every key is compared in constant time, and all of them always, so that time reveals nothing.
        """
        return self.caller_of(self._given(headers, params))

    def caller_of(self, key: str) -> str | None:
        """The caller whose key this is, if any; compared as in `find`."""
        offered = key.encode("utf-8", "surrogatepass")
        admitted = [caller for caller, key in self._keys if hmac.compare_digest(key, offered)]
        return admitted[0] if admitted else None

    def _given(self, headers: Mapping[str, str], params: Mapping[str, str]) -> str:
        return headers.get(KEY_HEADER) or (params.get(KEY_PARAMETER) if self._in_query else None) or ""

    def _refusal(self, headers: Mapping[str, str], params: Mapping[str, str]) -> Rejected:
        if self._given(headers, params):
            return Rejected(401, "The key is not valid", "The key is not, or no longer, one of this app's callers'.")
        where = f"header {KEY_HEADER}" + (f" or query parameter {KEY_PARAMETER}" if self._in_query else "")
        return Rejected(401, "A key is required", f"Send the caller's key in {where}.")

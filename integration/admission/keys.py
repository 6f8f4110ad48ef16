"""Which callers are admitted: each has a key, or two while the key is being rotated.

The key travels as the Functions host's own do: header `x-functions-key`, or query parameter `code` as Dataverse's
WebhookKey authentication sends it. A wrong header is not rescued by a right query parameter. In place of a key, a
caller may have a secret with which it signs (`integration.signatures`); a wrong signature is not rescued by a right
key.
"""

import hmac
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from integration import signatures
from integration.clock import Clock, SystemClock
from integration.errors import Rejected

KEY_HEADER = "x-functions-key"
KEY_PARAMETER = "code"


class CallerKeys:
    """The callers of a group of routes and their keys."""

    def __init__(
        self, keys: Mapping[str, Sequence[SecretStr]], *, in_query: bool = True, clock: Clock | None = None
    ) -> None:
        """`in_query` says whether the key may be part of the URL, where logs and histories record it."""
        self._in_query = in_query
        self._clock = clock or SystemClock()
        given = [(caller, key.get_secret_value()) for caller, many in keys.items() for key in many]
        self._keys = [(caller, key.encode()) for caller, key in given if not key.startswith(signatures.PREFIX)]
        self._secrets = [
            (caller, signatures.secret_of(key)) for caller, key in given if key.startswith(signatures.PREFIX)
        ]

    def admit(self, headers: Mapping[str, str], params: Mapping[str, str], body: bytes = b"") -> str:
        """The caller whose key the request carries, or who has signed it; header names in lower case.

        Raises `Rejected` (401).
        """
        caller = self.find(headers, params, body)
        if caller is None:
            raise self._refusal(headers, params)
        return caller

    def find(self, headers: Mapping[str, str], params: Mapping[str, str], body: bytes = b"") -> str | None:
        """The caller whose key the request carries, or who has signed it, if any.

        Every key is compared in constant time, and all of them always, so that time reveals nothing.
        """
        if signatures.HEADER in headers:
            if not signatures.is_current(headers, self._clock):
                return None
            signers = [it for it, secret in self._secrets if signatures.is_signed_with(secret, headers, body)]
            return signers[0] if signers else None
        return self.caller_of(self._given(headers, params))

    def caller_of(self, key: str) -> str | None:
        """The caller whose key this is, if any; compared as in `find`."""
        offered = key.encode("utf-8", "surrogatepass")
        admitted = [caller for caller, key in self._keys if hmac.compare_digest(key, offered)]
        return admitted[0] if admitted else None

    def _given(self, headers: Mapping[str, str], params: Mapping[str, str]) -> str:
        return headers.get(KEY_HEADER) or (params.get(KEY_PARAMETER) if self._in_query else None) or ""

    def _refusal(self, headers: Mapping[str, str], params: Mapping[str, str]) -> Rejected:
        if signatures.HEADER in headers:
            return Rejected(
                401,
                "The signature is not valid",
                "Sign webhook-id, webhook-timestamp and the body as it is sent with the caller's secret, and send it "
                f"within {signatures.TOLERANCE.seconds // 60} minutes (Standard Webhooks 1.0.0).",
                reason="signature-refused",
            )
        if self._given(headers, params):
            return Rejected(401, "The key is not valid", "The key is not, or no longer, one of this app's callers'.")
        where = f"header {KEY_HEADER}" + (f" or query parameter {KEY_PARAMETER}" if self._in_query else "")
        return Rejected(401, "A key is required", f"Send the caller's key in {where}.")

"""The callers of the intake: who sends, whichever way it shows that.

What a request carries decides, in this order: a signature, a token, a key. What comes first has to be right: a wrong
signature or token is not rescued by a right key.
"""

from collections.abc import Mapping
from typing import Final

from integration import signatures
from integration.admission.keys import CallerKeys
from integration.admission.tokens import Bearer, EntraTokens
from integration.errors import Rejected

SENDER: Final = "sender"
"""The app role with which an application may send events."""
EVENT_GRID: Final = "AzureEventGridSecureWebhookSubscriber"
"""The app role that Event Grid gets for a subscription that delivers with a token (learn.microsoft.com, "Deliver events
to webhook with Microsoft Entra")."""


class Senders:
    """Keys and signing secrets by caller; `applications` are the client ids of callers that send tokens."""

    def __init__(
        self, keys: CallerKeys, tokens: EntraTokens | None = None, applications: Mapping[str, str] | None = None
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._callers = {client_id: caller for caller, client_id in (applications or {}).items()}

    async def admit(self, headers: Mapping[str, str], params: Mapping[str, str], body: bytes = b"") -> str:
        """The caller; header names in lower case.

        Raises `Rejected` (401, and 403 for an application that may not send), or `Unavailable`.
        """
        bearer = await self._bearer(headers)
        if bearer is None:
            return self._keys.admit(headers, params, body)
        caller = self._caller_of(bearer)
        if caller is None:
            raise Rejected(
                403,
                "Not an application that may send",
                f"The application {bearer.application} has to be named in INTAKE_APPLICATIONS, and to have the app "
                f"role {SENDER} in Entra.",
                reason="not-a-sender",
            )
        return caller

    async def find(self, headers: Mapping[str, str], params: Mapping[str, str], body: bytes = b"") -> str | None:
        """The caller, if it is one. Raises `Rejected` (401) for a token that is not valid, or `Unavailable`."""
        bearer = await self._bearer(headers)
        return self._keys.find(headers, params, body) if bearer is None else self._caller_of(bearer)

    def caller_of(self, key: str) -> str | None:
        """The caller whose key this is, for systems that send it in a place of their own."""
        return self._keys.caller_of(key)

    async def _bearer(self, headers: Mapping[str, str]) -> Bearer | None:
        if self._tokens is None or signatures.HEADER in headers:
            return None
        return await self._tokens.bearer(headers)

    def _caller_of(self, bearer: Bearer) -> str | None:
        return self._callers.get(bearer.application) if bearer.roles & {SENDER, EVENT_GRID} else None

"""Managed identities with which Dataverse signs in to service endpoints: rows, and the tokens that it gets with them.

Microsoft documents the tables, and not how Dataverse gets its token. Here it has one without a federated credential.
"""

from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from sandbox.systems.dataverse.access_tokens import AccessTokens
from sandbox.systems.dataverse.errors import invalid_argument, not_simulated
from sandbox.systems.dataverse.store import Store, Values

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

TABLE: Final = "managedidentity"
COLUMN: Final = "managedidentityid"
FROM_DATAVERSE: Final = 2
"""`credentialsource`: Dataverse signs in by itself, without a secret or a key vault."""
_SECONDS: Final = 3_599


class IdentityCredential:
    """What Microsoft's SDKs ask for tokens, signed as those for the app are."""

    def __init__(self, tokens: AccessTokens, identity: Values) -> None:
        self._tokens, self._identity = tokens, identity

    async def get_token(self, *scopes: str, **_: Any) -> "AccessToken":
        """A token of version 1 for the resource of the first scope."""
        from azure.core.credentials import AccessToken  # noqa: PLC0415 -- slow to import, and seldom needed

        now, tenant = int(datetime.now(UTC).timestamp()), str(self._identity["tenantid"])
        claims = {
            "aud": scopes[0].removesuffix("/.default"),
            "iss": f"https://sts.windows.net/{tenant}/",
            "iat": now,
            "nbf": now,
            "exp": now + _SECONDS,
            "appid": str(self._identity["applicationid"]),
            "appidacr": "2",
            "tid": tenant,
            "ver": "1.0",
        }
        return AccessToken(self._tokens.sign(claims), now + _SECONDS)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Nothing is open."""


def of_endpoint(endpoint: Values, store: Store) -> Values | None:
    """The row of the identity that an endpoint names."""
    named = endpoint.get(COLUMN)
    found = None if named is None else store.get(TABLE, named["id"])
    return None if found is None else found.values


def check_identity(whole: Values) -> None:
    """400 for an identity without its application, 501 for one with a secret of its own."""
    missing = [name for name in ("name", "applicationid", "tenantid") if not whole.get(name)]
    if missing:
        raise invalid_argument(f"A managed identity needs {', '.join(missing)}.")
    if whole.get("credentialsource") != FROM_DATAVERSE:
        raise not_simulated(f"A managed identity with another credentialsource than IsManaged ({FROM_DATAVERSE})")

"""Access tokens of Microsoft Entra ID (RFC 6750, bearer): whom one was given to, and which app roles it has.

What is checked, and by whom the rule is: the signature, with one algorithm (RFC 8725, 3.1); the audience, which is this
app; the issuer, and that it is that of the tenant in the token; the times, with two minutes for clocks that differ
(learn.microsoft.com, "Access tokens in the Microsoft identity platform", Validate tokens). What the holder may do is in
its app roles: a token for this app alone opens nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from integration.admission.signing_keys import ALGORITHM, SigningKeys
from integration.errors import Rejected

if TYPE_CHECKING:
    from jwt import PyJWK

HEADER: Final = "authorization"
SKEW_SECONDS: Final = 120
_LONGEST: Final = 16_384
_REQUIRED: Final = ("exp", "nbf", "iss", "aud", "tid")
_OF_APPLICATION: Final = ("azp", "appid")
"""The client id of who has asked for the token, in versions 2 and 1."""
_OF_PERSON: Final = ("preferred_username", "upn", "unique_name")


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token was given to: a person in an application, or the application itself (`person` is None)."""

    application: str
    person: str | None
    roles: frozenset[str]

    @property
    def name(self) -> str:
        return self.person or self.application


def token_of(headers: Mapping[str, str]) -> str | None:
    """The token that a request carries, if any; header names in lower case."""
    scheme, _, token = headers.get(HEADER, "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class EntraTokens:
    """Checks tokens for these `audiences` (client id and application ID URI of the app's registration in Entra)."""

    def __init__(self, keys: SigningKeys, audiences: Sequence[str]) -> None:
        self._keys = keys
        self._audiences = audiences

    async def bearer(self, headers: Mapping[str, str]) -> Bearer | None:
        """Whom the token of a request was given to; None without a token.

        Raises `Rejected` (401, token-refused), and `Unavailable` where the keys of Entra cannot be read.
        """
        token = token_of(headers)
        if token is None:
            return None
        claims = await self._claims(token)
        application = next((claims[it] for it in _OF_APPLICATION if isinstance(claims.get(it), str)), None)
        if application is None:
            raise _refused("It does not say which application has asked for it (azp, appid).")
        person = next((claims[it] for it in _OF_PERSON if isinstance(claims.get(it), str)), None)
        roles = claims.get("roles")
        return Bearer(
            application.lower(),
            person,
            frozenset(it for it in roles if isinstance(it, str)) if isinstance(roles, list) else frozenset(),
        )

    async def _claims(self, token: str) -> dict[str, Any]:
        import jwt  # noqa: PLC0415 -- takes 30 ms, and few callers send tokens

        try:
            key = await self._key(_header(token))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=list(self._audiences),
                issuer=list(self._keys.issuers),
                leeway=SKEW_SECONDS,
                options={"require": [*_REQUIRED]},
            )
        except (jwt.PyJWTError, UnicodeError, RecursionError) as error:  # PyJWT lets the last two through
            raise _refused(_WHY.get(type(error).__name__, _UNREADABLE)) from None
        if claims["tid"] != self._keys.issuers[claims["iss"]]:
            raise _refused("Its tenant is not that of its issuer.")
        return claims

    async def _key(self, header: Mapping[str, Any]) -> "PyJWK":
        if header.get("alg") != ALGORITHM:
            raise _refused(f"It is not signed with {ALGORITHM}.")
        key = await self._keys.key(str(header.get("kid", "")))
        if key is None:
            raise _refused("Entra has no such key for the tenants of TOKEN_TENANTS.")
        return key


def _header(token: str) -> dict[str, Any]:
    from jwt import get_unverified_header  # noqa: PLC0415 -- as above

    if len(token) > _LONGEST:
        raise _refused(f"It is longer than {_LONGEST} characters.")
    return get_unverified_header(token)


_UNREADABLE: Final = "It is no JSON Web Token, is not signed with the key that it names, or its claims cannot be read."
_WHY: Final = {
    "ExpiredSignatureError": "It has expired: get a new one.",
    "ImmatureSignatureError": "It is not valid yet: set the clock of whoever made it, or of this app.",
    "InvalidAudienceError": "It is for another app: ask Entra for one with an audience of TOKEN_AUDIENCES.",
    "InvalidIssuerError": "It is of a tenant that is not one of TOKEN_TENANTS.",
    "MissingRequiredClaimError": f"One of these claims is missing: {', '.join(_REQUIRED)}.",
}
"""What the errors of PyJWT mean, by their names."""


def _refused(why: str) -> Rejected:
    return Rejected(401, "The token is not valid", why, reason="token-refused")

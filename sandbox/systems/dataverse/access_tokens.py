"""Access tokens for the app, as Entra signs them: JSON Web Tokens of both versions, and the keys to check them with.

Which version an application gets is for the registration of the app in Entra to say; here it follows the scope: a GUID
gets version 2, an application ID URI version 1 (learn.microsoft.com, "Access token claims reference").
"""

import secrets
import uuid
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.systems.dataverse.environment import Client, Environment

_BITS = 2_048


class AccessTokens:
    """Signs tokens for the app's audiences; a key is made when one is needed first."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._keys: dict[str, rsa.RSAPrivateKey] = {}

    def routes(self, app: web.Application) -> None:
        """Add the endpoints."""
        app.router.add_get("/{tenant}/discovery/keys", self._published)
        app.router.add_get("/{tenant}/discovery/v2.0/keys", self._published)
        app.router.add_post("/control/signing-keys", self._roll_over)

    def audience(self, scope: str) -> str | None:
        """The audience that a scope asks for, if it is the app's."""
        audience = scope.removesuffix("/.default")
        return audience if audience in self._environment.app_audiences else None

    def give(self, client: Client, audience: str, base: str, *, seconds: int) -> str:
        """A token for the app that is valid from now on."""
        now = int(datetime.now(UTC).timestamp())
        tenant = self._environment.tenant_id
        claims: dict[str, Any] = {
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": now + seconds,
            "idp": f"{base}/{tenant}/",
            "oid": client.object_id,
            "sub": client.object_id,
            "tid": tenant,
            "uti": secrets.token_urlsafe(16),
        }
        if client.app_roles:
            claims["roles"] = list(client.app_roles)
        if _is_guid(audience):
            claims |= {"iss": f"{base}/{tenant}/v2.0", "azp": client.client_id, "azpacr": "1", "ver": "2.0"}
        else:
            claims |= {"iss": f"{base}/{tenant}/", "appid": client.client_id, "appidacr": "1", "ver": "1.0"}
        return self.sign(claims)

    def sign(self, claims: dict[str, Any]) -> str:
        """A token that says this."""
        name, key = self._current()
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": name})

    def _current(self) -> tuple[str, rsa.RSAPrivateKey]:
        """The newest key; older ones stay published, because tokens that they signed are still valid."""
        if not self._keys:
            self._add()
        return next(reversed(self._keys.items()))

    def _add(self) -> None:
        self._keys[uuid.uuid4().hex] = rsa.generate_private_key(public_exponent=65_537, key_size=_BITS)

    async def _published(self, _: web.Request) -> web.Response:
        self._current()
        keys = [
            {**jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "use": "sig", "kid": name}
            for name, key in self._keys.items()
        ]
        return web.json_response({"keys": keys})

    async def _roll_over(self, _: web.Request) -> web.Response:
        self._add()
        return web.Response(status=204)


def _is_guid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

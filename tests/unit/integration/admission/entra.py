"""An Entra that signs tokens with keys of its own, and answers what the app asks about them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from integration.admission import EntraTokens, SigningKeys
from integration.clock import SystemClock
from integration.errors import Outage
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Request, Response, Transport

AUTHORITY = "https://login.example"
TENANT = "11111111-aaaa-4aaa-8aaa-111111111111"
OTHER_TENANT = "11111111-bbbb-4bbb-8bbb-111111111111"
AUDIENCE = "api://dataverse-integration"
CLIENT_ID = "aaaaaaaa-dddd-4ddd-9ddd-aaaaaaaaaaaa"
PARTNER = "77777777-aaaa-4aaa-9aaa-777777777777"


class Hand(SystemClock):
    """A clock whose monotonic time is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds


@cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    """A key of this name; making one takes a tenth of a second."""
    assert name
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def public(name: str) -> dict[str, Any]:
    """The key as Entra publishes it."""
    known = jwt.algorithms.RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True)
    return {**known, "use": "sig", "kid": name, "alg": "RS256"}


class Entra(Transport):
    """Publishes these keys; `asked` counts what was asked for, and while `is_away` nothing is answered."""

    def __init__(self, *published: str, tenants: Iterable[str] = (TENANT,)) -> None:
        super().__init__([], clock=SystemClock())
        self.published = [*(published or ("one",))]
        self.tenants = [*tenants]
        self.asked: list[str] = []
        self.is_away = False
        self.answers: dict[str, Any] = {}

    def tokens(self, clock: SystemClock | None = None) -> EntraTokens:
        """What checks tokens of these tenants."""
        keys = SigningKeys(self, clock or Hand(), authority=AUTHORITY, tenants=self.tenants)
        return EntraTokens(keys, [AUDIENCE, CLIENT_ID])

    async def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        assert authorizer is None
        assert context.deadline is not None
        self.asked.append(request.url.removeprefix(f"{AUTHORITY}/"))
        if self.is_away:
            raise Outage("nobody answers", reason="entra-unreachable", service="entra")
        path = self.asked[-1].partition("/")[2]
        tenant = self.asked[-1].partition("/")[0]
        answers = {
            "v2.0/.well-known/openid-configuration": {
                "issuer": issuer(tenant, "2.0"),
                "jwks_uri": f"{AUTHORITY}/{tenant}/discovery/v2.0/keys",
            },
            ".well-known/openid-configuration": {
                "issuer": issuer(tenant, "1.0"),
                "jwks_uri": f"{AUTHORITY}/{tenant}/discovery/keys",
            },
            "discovery/v2.0/keys": {"keys": [public(name) for name in self.published]},
            "discovery/keys": {"keys": [public(name) for name in self.published]},
        } | self.answers
        return Response(request, 200, {"content-type": "application/json"}, json.dumps(answers[path]).encode())


def issuer(tenant: str = TENANT, version: str = "2.0") -> str:
    """Whom a token of this version is issued by."""
    return f"{AUTHORITY}/{tenant}/v2.0" if version == "2.0" else f"https://sts.example/{tenant}/"


def claims(*, since: float = 0.0, seconds: float = 3_600, **changed: Any) -> dict[str, Any]:
    """What a token of version 2 says of an application; None leaves a claim out."""
    now = datetime.now(UTC).timestamp() + since
    given = {
        "aud": CLIENT_ID,
        "iss": issuer(),
        "iat": int(now),
        "nbf": int(now),
        "exp": int(now + seconds),
        "tid": TENANT,
        "azp": PARTNER,
        "oid": "99999999-cccc-4ccc-9ccc-999999999999",
        "roles": ["sender"],
        "ver": "2.0",
    } | changed
    return {name: value for name, value in given.items() if value is not None}


def token(*, key: str = "one", named: str | None = None, algorithm: str = "RS256", **changed: Any) -> str:
    """A token that is signed with `key`, and says that it was `named`."""
    signed_with: Any = private_key(key) if algorithm == "RS256" else "x" * 32 if algorithm == "HS256" else None
    return jwt.encode(claims(**changed), signed_with, algorithm=algorithm, headers={"kid": named or key})


def bearing(text: str) -> dict[str, str]:
    """The header of a request that carries the token."""
    return {"authorization": f"Bearer {text}"}

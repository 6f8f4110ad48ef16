"""The keys with which Entra signs access tokens, and the names under which it issues them.

Both are in the documents of OpenID Connect Discovery 1.0. Entra issues tokens of two versions, each with an issuer of
its own, and which one an application gets is for the registration of the app to say; so both documents of a tenant are
read. Keys change about every six weeks and may change at any time (learn.microsoft.com, "Signing key rollover in the
Microsoft identity platform"): they are read again once a day, and when a token names a key that is not known.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, HttpUrl

from integration.clock import Clock
from integration.errors import IntegrationError, Unavailable
from integration.telemetry import get_logger
from integration.transport import CallContext, Request, Transport, failure, validated
from integration.transport.single_flight import SingleFlight

if TYPE_CHECKING:
    from jwt import PyJWK

ALGORITHM: Final = "RS256"
"""The only one with which Entra signs access tokens; whatever else a token names is refused."""
DAY: Final = 86_400.0
PAUSE: Final = 30.0
"""Seconds between two times of reading the keys: nobody makes the app ask Entra again and again."""
_SECONDS: Final = 8.0
_SERVICE: Final = "entra"
_WELL_KNOWN: Final = ".well-known/openid-configuration"
_log = get_logger(__name__)

Document = TypeVar("Document", bound=BaseModel)


class SigningKeys:
    """The keys of these tenants, by their ids. `authority` is without a tenant; the transport must allow its host."""

    def __init__(self, transport: Transport, clock: Clock, *, authority: str, tenants: Sequence[str]) -> None:
        self._transport = transport
        self._clock = clock
        self._authority = authority.rstrip("/")
        self._tenants = tenants
        self._reading = SingleFlight[None]()
        self._keys: Mapping[str, PyJWK] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self.issuers: Mapping[str, str] = {}
        """The tenant of each issuer; empty until keys have been read."""

    async def key(self, key_id: str) -> "PyJWK | None":
        """The key, or None where Entra has none of this id. Raises `Unavailable` where none could be read yet.

        While Entra cannot be reached, the keys that are known still hold.
        """
        if key_id not in self._keys or self._is_old():
            reading = self._read_again()
            if reading is not None and key_id not in self._keys:
                await asyncio.shield(reading)
        if self._read_at is None:
            raise Unavailable(
                "The keys of Entra cannot be read, so no token can be checked now; send the request again.",
                title="No token can be checked",
                retry_after=PAUSE,
            )
        return self._keys.get(key_id)

    def _is_old(self) -> bool:
        return self._read_at is None or self._clock.monotonic() - self._read_at > DAY

    def _read_again(self) -> "asyncio.Task[None] | None":
        """The reading that is under way, or a new one; None where the last one has ended just now."""
        if self._tried_at is not None and self._clock.monotonic() - self._tried_at < PAUSE:
            return None
        return self._reading.start(self._read)

    async def _read(self) -> None:
        try:
            found = [await self._of_tenant(tenant) for tenant in self._tenants]
        except IntegrationError as error:
            _log.warning("token-keys-unavailable", error=error, service=_SERVICE)
        else:
            self.issuers = {issuer: tenant for issuers, _, tenant in found for issuer in issuers}
            self._keys = {name: key for _, keys, _ in found for name, key in keys.items()}
            self._read_at = self._clock.monotonic()
        finally:
            self._tried_at = self._clock.monotonic()

    async def _of_tenant(self, tenant: str) -> tuple[list[str], dict[str, "PyJWK"], str]:
        """The issuers of a tenant, the keys of both, and the tenant."""
        known = [
            await self._document(_Configuration, f"{self._authority}/{tenant}{version}/{_WELL_KNOWN}")
            for version in ("/v2.0", "")
        ]
        keys: dict[str, PyJWK] = {}
        for address in {str(it.jwks_uri) for it in known}:
            keys |= _usable((await self._document(_KeySet, address)).keys)
        return [it.issuer for it in known], keys, tenant

    async def _document(self, model: type[Document], address: str) -> Document:
        context = CallContext(deadline=self._clock.monotonic() + _SECONDS)
        answer = await self._transport.send(Request(_SERVICE, "read its keys", "GET", address), context=context)
        if not answer.ok:
            raise failure(answer, own=False)
        return validated(model, answer)


class _Configuration(BaseModel):
    issuer: str
    jwks_uri: HttpUrl


class _KeySet(BaseModel):
    keys: list[dict[str, Any]]


def _usable(keys: Sequence[Mapping[str, Any]]) -> dict[str, "PyJWK"]:
    """Those for signatures with `ALGORITHM`; Entra may publish others beside them."""
    from jwt import PyJWK, PyJWTError  # noqa: PLC0415 -- few callers send tokens

    found = {}
    for key in keys:
        if key.get("kty") == "RSA" and key.get("use", "sig") == "sig" and isinstance(key.get("kid"), str):
            with suppress(PyJWTError):
                found[key["kid"]] = PyJWK(dict(key), algorithm=ALGORITHM)
    return found

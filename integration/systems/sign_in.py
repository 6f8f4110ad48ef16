"""How a call to a system says who we are, as the settings have it."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from integration.clock import Clock
from integration.settings.systems import Creditsafe, System
from integration.transport import (
    RELAY_SCOPE,
    ApiKey,
    Authorizer,
    RelayTokens,
    SharedAccessSignatures,
    ThroughRelay,
    Transport,
    client_credentials,
    managed_identity_tokens,
)


def authorizer(
    name: str, system: System, transport: Transport, clock: Clock, *, identity_client_id: str | None = None
) -> Authorizer:
    """What admits us to the system `name`, and to the relay in front of it.

    `identity_client_id` is the app's identity where the system names none.
    """
    identity = system.managed_identity_client_id or identity_client_id
    relay = _relay(name, system, clock, identity)
    own = _own(name, system, transport, clock, identity, relay)
    return own if relay is None else ThroughRelay(own, relay)


def _relay(name: str, system: System, clock: Clock, identity: str | None) -> Authorizer | None:
    if system.relay == "managed-identity":
        return RelayTokens(managed_identity_tokens(service=name, scope=RELAY_SCOPE, client_id=identity, clock=clock))
    if system.relay == "key" and system.relay_key_name and system.relay_key is not None:
        key = system.relay_key.get_secret_value()
        return SharedAccessSignatures(str(system.url), key_name=system.relay_key_name, key=key, clock=clock)
    return None


def _own(  # noqa: PLR0917 -- called once, above
    name: str, system: System, transport: Transport, clock: Clock, identity: str | None, relay: Authorizer | None
) -> Authorizer:
    """The system's own sign-in. A token endpoint at the same relay is asked through it."""
    if isinstance(system, Creditsafe):
        from integration.systems.creditsafe import creditsafe_tokens  # noqa: PLC0415 -- not every app has such a system

        return creditsafe_tokens(
            transport,
            service=name,
            base_url=str(system.url),
            username=system.username,
            password=system.password.get_secret_value(),
            clock=clock,
        )
    if system.api_key is not None:
        return ApiKey(system.api_key.get_secret_value(), header=system.api_key_header)
    if system.token_url is not None and system.client_id and system.client_secret is not None:
        return client_credentials(
            transport,
            service=name,
            token_url=str(system.token_url),
            client_id=system.client_id,
            client_secret=system.client_secret.get_secret_value(),
            scope=system.scope,
            authorizer=relay if _same_host(system.token_url, system.url) else None,
            clock=clock,
        )
    if system.managed_identity_scope is not None:
        return managed_identity_tokens(
            service=name,
            scope=system.managed_identity_scope,
            client_id=identity,
            clock=clock,
        )
    return _Nothing()


def _same_host(one: object, other: object) -> bool:
    return urlsplit(str(one)).hostname == urlsplit(str(other)).hostname


class _Nothing:
    """The connection says it, with a client certificate; or the relay alone decides who gets through."""

    async def headers(self) -> Mapping[str, str]:
        return {}

    def refused(self, given: Mapping[str, str]) -> bool:  # noqa: ARG002 -- nothing was given
        return False

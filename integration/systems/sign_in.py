"""How a call to a system says who we are, as the settings have it."""

from collections.abc import Mapping

from integration.clock import Clock
from integration.system_settings import System
from integration.transport import (
    ApiKey,
    Authorizer,
    Transport,
    client_credentials,
    managed_identity_tokens,
)


def authorizer(
    name: str, system: System, transport: Transport, clock: Clock, *, identity_client_id: str | None = None
) -> Authorizer:
    """What admits us to the system `name`; `identity_client_id` is the app's identity where the system names none."""
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
            clock=clock,
        )
    if system.managed_identity_scope is not None:
        return managed_identity_tokens(
            service=name,
            scope=system.managed_identity_scope,
            client_id=system.managed_identity_client_id or identity_client_id,
            clock=clock,
        )
    return _Nothing()


class _Nothing:
    """The connection says it: a client certificate."""

    async def headers(self) -> Mapping[str, str]:
        return {}

    def refused(self, given: Mapping[str, str]) -> bool:  # noqa: ARG002 -- a certificate has no successor
        return False

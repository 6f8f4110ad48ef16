"""Signing in to the Dataverse stand-in as the app does."""

from integration.clock import SystemClock
from integration.dataverse import client_secret_tokens
from integration.transport import BearerTokens, Transport
from tests.contract.sandbox.systems.stand_in import StandIn


def tokens_of(system: StandIn, transport: Transport, client: str = "application") -> BearerTokens:
    """Tokens of one of the stand-in's clients: `application` or `human`."""
    who = system.control("GET", "environment").json()
    return client_secret_tokens(
        transport,
        authority=system.url,
        tenant_id=who["tenant_id"],
        client_id=who[client]["client_id"],
        client_secret=who[client]["secret"],
        dataverse_url=system.url,
        instance_discovery=False,
        clock=SystemClock(),
    )

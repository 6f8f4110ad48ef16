"""Builds a protected client for each outside system, from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from integration.clock import Clock
from integration.dataverse import DataverseClient, client_secret_tokens, dataverse_failure, scope_of
from integration.protection import BreakerPolicy, Instances, Protected, SharedState, Switch
from integration.settings import Settings
from integration.systems.rest import CreditClient, ErpClient, rest_failure
from integration.transport import (
    ApiKey,
    Authorizer,
    Host,
    Limits,
    Transport,
    client_credentials,
    managed_identity_tokens,
)


@dataclass(frozen=True, slots=True)
class Systems:
    """The systems' clients and, by name, the switch with which people pause and resume each system."""

    dataverse: DataverseClient
    erp: ErpClient
    credit: CreditClient
    switches: Mapping[str, Switch]


def system_hosts(settings: Settings) -> list[Host]:
    """The hosts that the transport may call for these systems: only those that the settings name."""
    limits = Limits(read=settings.http_timeout_seconds, total=settings.http_timeout_seconds)
    dataverse = [settings.dataverse_url, settings.dataverse_authority]
    others = [settings.erp_url, settings.erp_token_url, settings.credit_url, settings.credit_token_url]
    return [Host(str(url), ca_file=settings.dataverse_ca_file, limits=limits) for url in dataverse] + [
        Host(str(url), limits=limits) for url in others if url
    ]


def build_systems(settings: Settings, transport: Transport, clock: Clock, shared: SharedState) -> Systems:
    """The protected clients over `transport`; `shared` is the store that all instances share."""
    tokens, more = _dataverse_tokens(settings, transport, clock)
    switches = {
        "dataverse": _switch("dataverse", settings, shared, clock, settings.dataverse_concurrency),
        "erp": _switch("erp", settings, shared, clock, settings.erp_concurrency),
        "credit": _switch("credit", settings, shared, clock, settings.credit_concurrency),
    }
    dataverse = Protected(
        transport,
        switches["dataverse"],
        concurrency=settings.dataverse_concurrency,
        failure_of=dataverse_failure,
        clock=clock,
        requests=settings.dataverse_requests * (1 + len(more)),
        instances=Instances(shared, clock),
    )
    erp = Protected(
        transport, switches["erp"], concurrency=settings.erp_concurrency, failure_of=rest_failure, clock=clock
    )
    credit = Protected(
        transport, switches["credit"], concurrency=settings.credit_concurrency, failure_of=rest_failure, clock=clock
    )
    return Systems(
        dataverse=DataverseClient(dataverse, tokens, str(settings.dataverse_url), clock=clock, more_tokens=more),
        erp=ErpClient(erp, _authorizer(settings, "erp", transport, clock), str(settings.erp_url)),
        credit=CreditClient(credit, _authorizer(settings, "credit", transport, clock), str(settings.credit_url)),
        switches=switches,
    )


def _switch(service: str, settings: Settings, shared: SharedState, clock: Clock, full: int) -> Switch:
    policy = BreakerPolicy(
        first_open=settings.outage_first_pause_seconds, longest_open=settings.outage_longest_pause_seconds
    )
    return Switch(service, shared, clock, full=full, policy=policy)


def _dataverse_tokens(settings: Settings, transport: Transport, clock: Clock) -> tuple[Authorizer, list[Authorizer]]:
    """The tokens of the application user and of any further ones."""

    def by_secret(client_id: str, secret: str) -> Authorizer:
        return client_secret_tokens(
            transport,
            authority=str(settings.dataverse_authority),
            tenant_id=settings.dataverse_tenant_id,
            client_id=client_id,
            client_secret=secret,
            dataverse_url=str(settings.dataverse_url),
            clock=clock,
            instance_discovery=settings.dataverse_instance_discovery,
        )

    more = [by_secret(name, secret.get_secret_value()) for name, secret in settings.dataverse_more_clients.items()]
    if settings.dataverse_client_secret is not None:
        return by_secret(settings.dataverse_client_id, settings.dataverse_client_secret.get_secret_value()), more
    identity = managed_identity_tokens(
        service="dataverse",
        scope=scope_of(str(settings.dataverse_url)),
        client_id=settings.dataverse_client_id,
        clock=clock,
    )
    return identity, more


def _authorizer(settings: Settings, system: Literal["erp", "credit"], transport: Transport, clock: Clock) -> Authorizer:
    if system == "erp":
        key, url, scope = settings.erp_api_key, settings.erp_token_url, settings.erp_scope
        client_id, secret = settings.erp_client_id, settings.erp_client_secret
    else:
        key, url, scope = settings.credit_api_key, settings.credit_token_url, settings.credit_scope
        client_id, secret = settings.credit_client_id, settings.credit_client_secret
    if key is not None:
        return ApiKey(key.get_secret_value())
    return client_credentials(
        transport,
        service=system,
        token_url=str(url),
        client_id=client_id or "",
        client_secret=secret.get_secret_value() if secret else "",
        scope=scope,
        clock=clock,
    )

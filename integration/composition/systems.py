"""Builds a protected adapter for each outside system, from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from integration.clock import Clock
from integration.dataverse import (
    Batched,
    DataverseClient,
    answers_of,
    client_secret_tokens,
    dataverse_failure,
    scope_of,
)
from integration.errors import ConfigurationError
from integration.protection import BreakerPolicy, Instances, Protected, SharedState, Switch
from integration.settings import Settings
from integration.settings.systems import ALL, System
from integration.systems import Erp, Scoring
from integration.systems.adapters import adapter_of, failure_of
from integration.systems.sign_in import authorizer
from integration.transport import Authorizer, Host, Limits, RelaySender, Transport, managed_identity_tokens


@dataclass(frozen=True, slots=True)
class Systems:
    """Dataverse, the adapters of the other systems by name, and the switch of each, with which people pause it.

    `budgets` are the requests in five minutes, of the systems that count them. `dataverse_tokens` are those of the
    app's user.
    """

    dataverse: DataverseClient
    others: Mapping[str, object]
    switches: Mapping[str, Switch]
    budgets: Mapping[str, int]
    dataverse_tokens: Authorizer

    @property
    def erp(self) -> Erp:
        """The system that is named `erp`; raises `ConfigurationError` where none is, or it is no ERP."""
        found = self.others.get("erp")
        if not isinstance(found, Erp):
            raise ConfigurationError(f"{ALL}: has to name a system 'erp' whose adapter knows customers and orders")
        return found

    @property
    def credit(self) -> Scoring:
        """The system that is named `credit`; raises `ConfigurationError` where none is, or it gives no scores."""
        found = self.others.get("credit")
        if not isinstance(found, Scoring):
            raise ConfigurationError(f"{ALL}: has to name a system 'credit' whose adapter gives scores")
        return found


def system_hosts(settings: Settings) -> list[Host]:
    """The hosts that the transport may call for these systems: only those that the settings name."""
    limits = Limits(read=settings.http_timeout_seconds, total=settings.http_timeout_seconds)
    dataverse = [settings.dataverse_url, settings.dataverse_authority]
    hosts = [Host(str(url), ca_file=settings.dataverse_ca_file, limits=limits) for url in dataverse]
    for system in settings.systems.values():
        hosts += _hosts_of(system, limits)
    return hosts


def _hosts_of(system: System, usual: Limits) -> list[Host]:
    """The system, and its token endpoint, which is somebody else's: neither CA file nor certificate is for that."""
    seconds = system.timeout_seconds
    given = usual if seconds is None else Limits(read=seconds, total=seconds)
    limits = replace(given, answer_bytes=system.answer_bytes)
    certificate = None if system.client_certificate is None else system.client_certificate.get_secret_value()
    hosts = [Host(str(system.url), ca_file=system.ca_file, limits=limits, client_certificate=certificate)]
    if system.token_url is not None:
        hosts.append(Host(str(system.token_url), limits=limits))
    return hosts


def build_systems(
    settings: Settings, transport: Transport, clock: Clock, shared: SharedState, references: SharedState
) -> Systems:
    """The clients over `transport`, each protected.

    `shared` is what all instances know of the systems, `references` the numbers of records in these systems.
    """
    tokens, more = _dataverse_tokens(settings, transport, clock)
    instances = Instances(shared, clock)
    switches = {"dataverse": _switch("dataverse", shared, clock, settings, settings.dataverse_concurrency)}
    budgets = {"dataverse": settings.dataverse_requests * (1 + len(more))}
    dataverse = Protected(
        transport,
        switches["dataverse"],
        concurrency=settings.dataverse_concurrency,
        failure_of=dataverse_failure,
        clock=clock,
        requests=budgets["dataverse"],
        instances=instances,
        answers_of=answers_of,
    )
    others: dict[str, object] = {}
    for name, system in settings.systems.items():
        switches[name] = _switch(name, shared, clock, settings, system.concurrency, system)
        counted = system.requests is not None or system.concurrency_in_all is not None
        sender = Protected(
            transport if system.relay is None else RelaySender(transport),
            switches[name],
            concurrency=system.concurrency,
            failure_of=failure_of(system),
            clock=clock,
            requests=system.requests,
            in_all=system.concurrency_in_all,
            instances=instances if counted else None,
        )
        if system.requests is not None:
            budgets[name] = system.requests
        identity = settings.dataverse_client_id if settings.dataverse_client_secret is None else None
        admits = authorizer(name, system, transport, clock, identity_client_id=identity)
        others[name] = adapter_of(name, system, sender, admits, references=references, clock=clock)
    return Systems(
        dataverse=DataverseClient(
            dataverse,
            tokens,
            str(settings.dataverse_url),
            clock=clock,
            more_tokens=more,
            batched=Batched(at_once=settings.dataverse_concurrency, size=settings.dataverse_batch),
        ),
        others=others,
        switches=switches,
        budgets=budgets,
        dataverse_tokens=tokens,
    )


def _switch(  # noqa: PLR0917 -- called twice, above
    name: str, shared: SharedState, clock: Clock, settings: Settings, full: int, system: System | None = None
) -> Switch:
    first = system and system.outage_first_pause_seconds
    longest = system and system.outage_longest_pause_seconds
    policy = BreakerPolicy(
        first_open=first or settings.outage_first_pause_seconds,
        longest_open=longest or settings.outage_longest_pause_seconds,
    )
    return Switch(name, shared, clock, full=full, policy=policy)


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

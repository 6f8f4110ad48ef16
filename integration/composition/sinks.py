"""Builds the sinks of settled events: the archive, and those that the settings give a place to write to."""

from collections.abc import Iterator

import azure.functions as func

from integration.analytics.delivery import Delivery
from integration.analytics.functions import blueprint
from integration.analytics.set_aside import SetAside
from integration.analytics.sink import Sink
from integration.analytics.sinks.archive import ArchiveSink
from integration.clock import Clock
from integration.composition import connections
from integration.errors import ConfigurationError
from integration.settings import Settings
from integration.transport import (
    Authorizer,
    Host,
    RetryPolicy,
    Transport,
    client_credentials,
    managed_identity_tokens,
)


def sink_blueprints(settings: Settings, policy: RetryPolicy, clock: Clock) -> list[func.Blueprint]:
    """A function for each sink, with a consumer group of its own; what is not set costs nothing."""
    set_aside = SetAside(lambda: connections.set_aside_container(settings))
    return [
        blueprint(
            function,
            Delivery(sink, set_aside, policy=policy, clock=clock),
            hub=settings.events_hub,
            consumer_group=consumer_group,
        )
        for function, sink, consumer_group in _sinks(settings, clock)
    ]


def _sinks(settings: Settings, clock: Clock) -> Iterator[tuple[str, Sink, str]]:
    """The name of its function, the sink, and its consumer group."""
    yield (
        "archive_events",
        ArchiveSink(lambda: connections.archive_container(settings)),
        settings.events_consumer_group,
    )
    if settings.event_grid_endpoint:
        yield "event_grid_publish", _event_grid(settings, clock), settings.event_grid_consumer_group
    if settings.log_analytics_endpoint:
        yield "log_analytics_send", _log_analytics(settings, clock), settings.log_analytics_consumer_group
    if settings.fabric_hub:
        yield "fabric_send", _fabric(settings), settings.fabric_consumer_group
    if settings.lake_container:
        yield "lake_write", _lake(settings), settings.lake_consumer_group


def _event_grid(settings: Settings, clock: Clock) -> Sink:
    from integration.analytics.sinks.event_grid import EventGridSink  # noqa: PLC0415 -- few apps have it
    from integration.messaging.event_grid import EventGridTopic, authorizer  # noqa: PLC0415 -- as above

    endpoint = str(settings.event_grid_endpoint)
    key = settings.event_grid_key.get_secret_value() if settings.event_grid_key else None
    admitted = authorizer(endpoint, key, settings.event_grid_client_id, clock)
    return EventGridSink(EventGridTopic(Transport([Host(endpoint)], clock=clock), endpoint, admitted))


def _log_analytics(settings: Settings, clock: Clock) -> Sink:
    from integration.analytics.sinks.log_analytics import LogAnalyticsSink  # noqa: PLC0415 -- as above

    endpoint, token_url = str(settings.log_analytics_endpoint), settings.log_analytics_token_url
    hosts = [Host(endpoint), *([Host(str(token_url))] if token_url else [])]
    transport = Transport(hosts, clock=clock)
    return LogAnalyticsSink(
        transport,
        _monitor_tokens(settings, transport, clock),
        endpoint=endpoint,
        rule=settings.log_analytics_rule or "",
        stream=settings.log_analytics_stream,
    )


def _monitor_tokens(settings: Settings, transport: Transport, clock: Clock) -> Authorizer:
    """Of the managed identity, or of an application: the workspace may be in another tenant."""
    from integration.analytics.sinks.log_analytics import SCOPE, SERVICE  # noqa: PLC0415 -- as above

    client_id, secret = settings.log_analytics_client_id, settings.log_analytics_client_secret
    if settings.log_analytics_token_url and client_id and secret:
        return client_credentials(
            transport,
            service=SERVICE,
            token_url=str(settings.log_analytics_token_url),
            client_id=client_id,
            client_secret=secret.get_secret_value(),
            scope=SCOPE,
            clock=clock,
        )
    return managed_identity_tokens(service=SERVICE, scope=SCOPE, client_id=client_id, clock=clock)


def _fabric(settings: Settings) -> Sink:
    from integration.analytics.sinks.fabric import FabricSink  # noqa: PLC0415 -- as above

    return FabricSink(lambda: connections.fabric_producer(settings))


def _lake(settings: Settings) -> Sink:
    try:
        from integration.analytics.sinks.lake import LakeSink  # noqa: PLC0415 -- as above, and with a library
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"LAKE_CONTAINER_NAME is set, but {error.name} is not installed: make the package with --lake "
            "(docs/how-to/analytics.md), or leave the setting out."
        ) from error
    return LakeSink(lambda: connections.lake_container(settings))

"""Builds the sinks of settled events: the archive, and those that the settings give a place to write to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import azure.functions as func

from integration.analytics.functions import blueprint, upkeep_blueprint
from integration.clock import Clock
from integration.composition import connections
from integration.composition.event_grid import event_grid_topic
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

if TYPE_CHECKING:
    from integration.analytics.delivery import Delivery
    from integration.analytics.delta_upkeep import Upkeep
    from integration.analytics.set_aside import SetAside
    from integration.analytics.sink import Sink


def sink_blueprints(settings: Settings, policy: RetryPolicy, clock: Clock) -> list[func.Blueprint]:
    """A function for each sink, with a consumer group of its own; what is not set costs nothing.

    Raises `ConfigurationError` if a sink is set up whose library is not installed.
    """

    def open_delivery(open_sink: "Callable[[], Sink]") -> "Delivery":
        from integration.analytics.delivery import Delivery  # noqa: PLC0415 -- with the first batch (functions.py)

        return Delivery(open_sink(), open_set_aside(settings), policy=policy, clock=clock)

    if settings.lake_container:
        _require_arro3()
    if settings.delta_table:
        _require_deltalake()
    found = [
        blueprint(it.function, partial(open_delivery, it.open), hub=settings.events_hub, consumer_group=it.group)
        for it in _sinks(settings, clock)
    ]
    if settings.delta_table and settings.delta_upkeep:
        found.append(upkeep_blueprint(partial(_delta_upkeep, settings)))
    return found


def open_set_aside(settings: Settings) -> "SetAside":
    """The rows that sinks have refused."""
    from integration.analytics.set_aside import SetAside  # noqa: PLC0415 -- with the first batch, or the first look

    return SetAside(lambda: connections.set_aside_container(settings))


def sinks_by_name(settings: Settings, clock: Clock) -> "Mapping[str, Callable[[], Sink]]":
    """What opens each sink that is set up, for those who send it single rows."""
    return {it.name: it.open for it in _sinks(settings, clock)}


@dataclass(frozen=True, slots=True)
class _SetUp:
    """A sink that the settings give a place to write to: its function, its consumer group, and what opens it."""

    name: str
    function: str
    group: str
    open: "Callable[[], Sink]"


def _sinks(settings: Settings, clock: Clock) -> Iterator[_SetUp]:
    yield _SetUp("archive", "archive_events", settings.events_consumer_group, partial(_archive, settings))
    if settings.event_grid_endpoint:
        open_it = partial(_event_grid, settings, clock)
        yield _SetUp("event-grid", "event_grid_publish", settings.event_grid_consumer_group, open_it)
    if settings.log_analytics_endpoint:
        open_it = partial(_log_analytics, settings, clock)
        yield _SetUp("log-analytics", "log_analytics_send", settings.log_analytics_consumer_group, open_it)
    if settings.fabric_hub:
        yield _SetUp("fabric", "fabric_send", settings.fabric_consumer_group, partial(_fabric, settings))
    if settings.lake_container:
        yield _SetUp("lake", "lake_write", settings.lake_consumer_group, partial(_lake, settings))
    if settings.delta_table:
        yield _SetUp("delta", "delta_append", settings.delta_consumer_group, partial(_delta, settings))


def _require_arro3() -> None:
    _require("arro3", setting="LAKE_CONTAINER_NAME", package="--lake")


def _require_deltalake() -> None:
    _require("deltalake", setting="DELTA_TABLE", package="--delta")


def _require(library: str, *, setting: str, package: str) -> None:
    """Raise `ConfigurationError` if the library is not in the package."""
    if find_spec(library) is None:
        raise ConfigurationError(
            f"{setting} is set, but its library {library} is not installed: make the package with {package} "
            "(docs/how-to/analytics.md), or leave the setting out."
        )


def _archive(settings: Settings) -> "Sink":
    from integration.analytics.sinks.archive import ArchiveSink  # noqa: PLC0415 -- as above

    return ArchiveSink(lambda: connections.archive_container(settings))


def _event_grid(settings: Settings, clock: Clock) -> "Sink":
    from integration.analytics.sinks.event_grid import EventGridSink  # noqa: PLC0415 -- as above

    endpoint, key, client_id = settings.event_grid_endpoint, settings.event_grid_key, settings.event_grid_client_id
    transport = Transport([Host(str(endpoint))], clock=clock)
    return EventGridSink(event_grid_topic(endpoint, key, client_id, transport, clock, "event-grid"))


def _log_analytics(settings: Settings, clock: Clock) -> "Sink":
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


def _fabric(settings: Settings) -> "Sink":
    from integration.analytics.sinks.fabric import FabricSink  # noqa: PLC0415 -- as above

    return FabricSink(lambda: connections.fabric_producer(settings))


def _lake(settings: Settings) -> "Sink":
    _require_arro3()
    from integration.analytics.sinks.lake import LakeSink  # noqa: PLC0415 -- as above

    return LakeSink(lambda: connections.lake_container(settings))


def _delta(settings: Settings) -> "Sink":
    _require_deltalake()
    from integration.analytics.sinks.delta import DeltaSink  # noqa: PLC0415 -- as above
    from integration.composition.delta import delta_table  # noqa: PLC0415 -- as above

    return DeltaSink(delta_table(settings), hub=connections.hub_name(settings))


def _delta_upkeep(settings: Settings) -> "Upkeep":
    from integration.analytics.delta_upkeep import Upkeep  # noqa: PLC0415 -- as above
    from integration.composition.delta import delta_table  # noqa: PLC0415 -- as above

    return Upkeep(delta_table(settings))

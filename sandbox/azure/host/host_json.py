"""host.json, typed, with the defaults of Functions 4, Service Bus extension 5 and Event Hubs extension 6.

Sources of names and defaults: ServiceBusOptions.cs, EventHubOptions.cs (azure-sdk-for-net), HttpOptions.cs
(azure-webjobs-sdk-extensions), ScriptJobHostOptionsSetup.cs (azure-functions-host).
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sandbox.azure.host import timespan
from sandbox.azure.host.errors import HostStartError

_Value = TypeVar("_Value", str, int, bool)
_OLD_NAMES = ("messageHandlerOptions", "sessionHandlerOptions", "batchOptions", "eventProcessorOptions")
_LONGEST_BATCH_WAIT = 150.0  # seconds; ServiceBusHostBuilderExtensions.cs


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """`extensions.http`; -1 means unbounded."""

    route_prefix: str
    max_outstanding_requests: int
    max_concurrent_requests: int


@dataclass(frozen=True, slots=True)
class ServiceBusOptions:
    """`extensions.serviceBus`; durations in seconds."""

    prefetch_count: int
    auto_complete: bool
    max_lock_renewal: float
    max_concurrent_calls: int
    max_concurrent_sessions: int
    max_concurrent_calls_per_session: int
    session_idle_timeout: float
    max_batch_size: int
    min_batch_size: int
    max_batch_wait: float


@dataclass(frozen=True, slots=True)
class EventHubOptions:
    """`extensions.eventHubs`; durations in seconds."""

    max_batch_size: int
    min_batch_size: int
    max_wait: float
    checkpoint_frequency: int
    prefetch_count: int
    from_start: bool
    ownership_expiration: float
    load_balancing_interval: float


@dataclass(frozen=True, slots=True)
class HostJson:
    """One app's host.json; `function_timeout` in seconds, None when unbounded."""

    http: HttpOptions
    service_bus: ServiceBusOptions
    event_hubs: EventHubOptions
    function_timeout: float | None
    log_levels: Mapping[str, str]

    @classmethod
    def load(cls, file: Path, overrides: Mapping[str, str] | None = None) -> "HostJson":
        """Read the file; raises `HostStartError` when the real host would not start with it either.

        `overrides` are values by their path, with a colon between names, from settings `AzureFunctionsJobHost__...`.
        """
        try:
            document: Any = json.loads(file.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise HostStartError(f"Cannot read {file}: {error.strerror}.") from error
        except ValueError as error:
            raise HostStartError(f"{file} is not JSON: {error}.") from error
        for path, value in (overrides or {}).items():
            _override(document, path.split(":"), value)
        root = _Section(document, "host.json")
        if root.text("version", "") != "2.0":
            raise HostStartError('host.json must say "version": "2.0".')
        extensions = root.section("extensions")
        return cls(
            http=_http(extensions.section("http")),
            service_bus=_service_bus(extensions.section("serviceBus")),
            event_hubs=_event_hubs(extensions.section("eventHubs")),
            function_timeout=_function_timeout(root.text("functionTimeout", "00:30:00")),
            log_levels=root.section("logging").section("logLevel").texts(),
        )


def _override(document: dict[str, Any], path: list[str], value: str) -> None:
    """Set one value; what is a number or a flag in JSON becomes one."""
    for name in path[:-1]:
        document = document.setdefault(_present(document, name), {})
    try:
        document[_present(document, path[-1])] = json.loads(value)
    except ValueError:
        document[_present(document, path[-1])] = value


def _present(document: dict[str, Any], name: str) -> str:
    return next((it for it in document if it.lower() == name.lower()), name)


def _http(options: "_Section") -> HttpOptions:
    return HttpOptions(
        route_prefix=options.text("routePrefix", "api").strip("/"),
        max_outstanding_requests=options.number("maxOutstandingRequests", -1),
        max_concurrent_requests=options.number("maxConcurrentRequests", -1),
    )


def _service_bus(options: "_Section") -> ServiceBusOptions:
    options.refuse(_OLD_NAMES)
    max_batch_wait = options.duration("maxBatchWaitTime", "00:00:30")
    if max_batch_wait > _LONGEST_BATCH_WAIT:
        raise HostStartError("host.json: serviceBus: maxBatchWaitTime is at most 00:02:30, half of the longest lock.")
    return ServiceBusOptions(
        prefetch_count=options.number("prefetchCount", 0),
        auto_complete=options.flag("autoCompleteMessages", default=True),
        max_lock_renewal=options.duration("maxAutoLockRenewalDuration", "00:05:00"),
        max_concurrent_calls=options.number("maxConcurrentCalls", 16 * (os.cpu_count() or 1)),
        max_concurrent_sessions=options.number("maxConcurrentSessions", 8),
        max_concurrent_calls_per_session=options.number("maxConcurrentCallsPerSession", 1),
        session_idle_timeout=options.duration("sessionIdleTimeout", "00:01:00"),
        max_batch_size=options.number("maxMessageBatchSize", 1000),
        min_batch_size=options.smaller("minMessageBatchSize", 1, than=options.number("maxMessageBatchSize", 1000)),
        max_batch_wait=max_batch_wait,
    )


def _event_hubs(options: "_Section") -> EventHubOptions:
    options.refuse(_OLD_NAMES)
    initial = options.section("initialOffsetOptions").text("type", "fromStart").lower()
    if initial not in {"fromstart", "fromend"}:
        raise HostStartError(
            f"host.json: initialOffsetOptions.type '{initial}' is not supported: use fromStart or fromEnd."
        )
    return EventHubOptions(
        max_batch_size=options.number("maxEventBatchSize", 100),
        min_batch_size=options.smaller("minEventBatchSize", 1, than=options.number("maxEventBatchSize", 100)),
        max_wait=options.duration("maxWaitTime", "00:01:00"),
        checkpoint_frequency=options.number("batchCheckpointFrequency", 1),
        prefetch_count=options.number("prefetchCount", 300),
        from_start=initial == "fromstart",
        ownership_expiration=options.duration("partitionOwnershipExpirationInterval", "00:02:00"),
        load_balancing_interval=options.duration("loadBalancingUpdateInterval", "00:00:30"),
    )


def _function_timeout(text: str) -> float | None:
    return None if text == "-1" else timespan.seconds(text)


class _Section:
    """One JSON object of host.json, read with types and defaults; names match in any case, as in .NET."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise HostStartError(f"{path} must be an object.")
        self._values = {name.lower(): item for name, item in value.items()}
        self._path = path

    def section(self, name: str) -> "_Section":
        return _Section(self._values.get(name.lower(), {}), f"{self._path}: {name}")

    def text(self, name: str, default: str) -> str:
        return self._read(name, default, str)

    def number(self, name: str, default: int) -> int:
        return self._read(name, default, int)

    def smaller(self, name: str, default: int, *, than: int) -> int:
        value = self.number(name, default)
        if value > than:
            raise HostStartError(f"{self._path}: '{name}' is {value}, more than the largest batch has ({than}).")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        return self._read(name, default, bool)

    def duration(self, name: str, default: str) -> float:
        return timespan.seconds(self.text(name, default))

    def texts(self) -> dict[str, str]:
        return {name: value for name, value in self._values.items() if isinstance(value, str)}

    def refuse(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name.lower() in self._values:
                raise HostStartError(
                    f"{self._path}: '{name}' is of an older extension: use the names of the current one."
                )

    def _read(self, name: str, default: _Value, kind: type[_Value]) -> _Value:
        value = self._values.get(name.lower(), default)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise HostStartError(f"{self._path}: '{name}' must be of type {kind.__name__}.")
        return value

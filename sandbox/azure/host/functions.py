"""The functions of an app, as the host sees them after indexing."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.azure.host.errors import HostStartError

HTTP, SERVICE_BUS, EVENT_HUB, TIMER = "httpTrigger", "serviceBusTrigger", "eventHubTrigger", "timerTrigger"
_TRIGGERS = {name.lower(): name for name in (HTTP, SERVICE_BUS, EVENT_HUB, TIMER)}


@dataclass(frozen=True, slots=True)
class RetryOptions:
    """`@app.retry`. `max_retries` -1: without end. Pauses in seconds: `delay` if fixed, else `minimum` to `maximum`."""

    max_retries: int
    delay: float | None
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Function:
    """One indexed function; `binding` is its trigger as the app declared it, names as in function.json."""

    name: str
    function_id: str
    trigger: str
    parameter: str
    binding: Mapping[str, Any]
    bindings: tuple[Mapping[str, Any], ...]
    retry: RetryOptions | None

    @property
    def binary(self) -> bool:
        """Whether the value is bound as bytes (`data_type=DataType.BINARY`)."""
        return str(self.binding.get("dataType", "")).upper() == "BINARY"

    @property
    def many(self) -> bool:
        """Whether the function takes a batch (`cardinality="many"`)."""
        return str(self.binding.get("cardinality", "")).upper() == "MANY"

    @classmethod
    def from_metadata(cls, metadata: Any) -> "Function":
        """One entry of the runtime's answer; raises `HostStartError` for bindings that this host does not have."""
        bindings = tuple(json.loads(raw) for raw in metadata.raw_bindings)
        triggers = [binding for binding in bindings if str(binding["type"]).lower().endswith("trigger")]
        if len(triggers) != 1:
            raise HostStartError(f"Function '{metadata.name}' has {len(triggers)} triggers; it must have one.")
        trigger = triggers[0]
        kind = _TRIGGERS.get(str(trigger["type"]).lower())
        if kind is None:
            raise HostStartError(f"Function '{metadata.name}': this host has no binding of type '{trigger['type']}'.")
        for binding in bindings:
            is_http_output = kind == HTTP and str(binding["type"]).lower() == "http" and binding["name"] == "$return"
            if binding is not trigger and not is_http_output:
                direction = str(binding.get("direction", "")).lower()
                raise HostStartError(
                    f"Function '{metadata.name}': this host has no {direction} binding of type '{binding['type']}' "
                    f"('{binding['name']}'); use the service's SDK instead."
                )
        return cls(
            name=metadata.name,
            function_id=metadata.function_id,
            trigger=kind,
            parameter=trigger["name"],
            binding=trigger,
            bindings=bindings,
            retry=_retry(metadata.retry_options),
        )


def select(functions: Iterable[Function], only: str | None) -> list[Function]:
    """The functions that `only` asks for: names, or the groups `http` and `events`, separated by commas."""
    everything = list(functions)
    if only is None:
        return everything
    chosen: list[Function] = []
    for word in filter(None, (part.strip() for part in only.split(","))):
        found = [function for function in everything if _selected(function, word)]
        if not found and word.lower() not in {"http", "events"}:
            raise HostStartError(f"--only {word}: the app has no function of that name.")
        chosen += [function for function in found if function not in chosen]
    return chosen


def _selected(function: Function, word: str) -> bool:
    if word.lower() == "http":
        return function.trigger == HTTP
    if word.lower() == "events":
        return function.trigger != HTTP
    return function.name.lower() == word.lower()


def _retry(options: Any) -> RetryOptions | None:
    if options is None:
        return None
    fixed: timedelta | None = getattr(options, "delay_interval", None)
    minimum: timedelta = getattr(options, "minimum_interval", timedelta(0))
    maximum: timedelta = getattr(options, "maximum_interval", timedelta(0))
    return RetryOptions(
        max_retries=int(options.max_retry_count),
        delay=None if fixed is None else fixed.total_seconds(),
        minimum=minimum.total_seconds(),
        maximum=maximum.total_seconds(),
    )

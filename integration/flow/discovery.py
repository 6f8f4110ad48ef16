"""Finds flows: every file of a package declares one, except files whose names begin with `_`.

It is a `Flow`, from Dataverse to other systems, an `InboundFlow`, from another system into Dataverse, or an
`EventFlow`, for the calls of a custom API.
"""

from collections.abc import Collection, Iterable, Mapping
from types import ModuleType
from typing import Any

from integration.errors import ConfigurationError
from integration.events.business_event import ErpEventName
from integration.flow.event_flow import EventFlow
from integration.flow.flow import Flow
from integration.flow.inbound import InboundFlow
from integration.modules import modules_in

AnyFlow = Flow[Any] | InboundFlow | EventFlow


def flows_in(package: ModuleType) -> dict[str, Flow[Any]]:
    """The flows out of Dataverse by the names of their files; `ConfigurationError` for a file that has no flow."""
    return {name: it for name, it in all_in(package).items() if isinstance(it, Flow)}


def inbound_in(package: ModuleType) -> dict[str, InboundFlow]:
    """The flows into Dataverse, likewise."""
    return {name: it for name, it in all_in(package).items() if isinstance(it, InboundFlow)}


def event_flows_in(package: ModuleType) -> dict[str, EventFlow]:
    """The flows of custom APIs, likewise."""
    return {name: it for name, it in all_in(package).items() if isinstance(it, EventFlow)}


def all_in(package: ModuleType) -> dict[str, AnyFlow]:
    """The flows of all kinds, likewise."""
    return {name: flow_of(module) for name, module in modules_in(package)}


def flow_of(module: ModuleType) -> AnyFlow:
    """The flow that a file declares; raises `ConfigurationError` for mistakes in it."""
    flow = getattr(module, "flow", None)
    if isinstance(flow, InboundFlow):
        if flow.read is None:
            raise ConfigurationError(f"{module.__name__} declares no reading of its records (@flow.reading)")
        return flow
    if not isinstance(flow, Flow | EventFlow):
        raise ConfigurationError(
            f"{module.__name__} declares no `flow = Flow(...)`, `InboundFlow(...)` or `EventFlow(...)`; a file that is "
            "no flow begins its name with _"
        )
    names = [it.name for it in (flow.effects if isinstance(flow, Flow) else flow.reactions)]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigurationError(f"{module.__name__} declares {', '.join(sorted(twice))} twice")
    return flow


def switched_on(flows: Mapping[str, AnyFlow], off: Collection[str]) -> list[AnyFlow]:
    """The flows without those that are switched off; raises `ConfigurationError` for names that no flow has."""
    if unknown := set(off) - flows.keys():
        raise ConfigurationError(
            f"FLOWS_OFF: there is no flow {', '.join(sorted(unknown))}; there are {', '.join(sorted(flows))}"
        )
    return [flow for name, flow in flows.items() if name not in off]


def event_names(flows: Iterable[InboundFlow]) -> list[ErpEventName]:
    """The names of events that these flows take; raises `ConfigurationError` where two flows want the same."""
    found: dict[str, ErpEventName] = {}
    by_id: dict[str, str] = {}
    for flow in flows:
        for name in flow.events:
            listed = tuple(it for it, meant in flow.business_events.items() if meant == name)
            taken = found.setdefault(name, ErpEventName(name, flow.table, flow.record_in, listed))
            if taken.kind != flow.table:
                raise ConfigurationError(f"{taken.kind} and {flow.table} both take events {name}: only one can")
        for it in flow.business_events:
            if (other := by_id.setdefault(it, flow.table)) != flow.table:
                raise ConfigurationError(f"{other} and {flow.table} both take business events {it}: only one can")
    return list(found.values())

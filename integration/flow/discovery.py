"""Finds flows: every file of a package declares one, except files whose names begin with `_`."""

import importlib
import pkgutil
from collections.abc import Collection, Mapping
from types import ModuleType
from typing import Any

from integration.errors import ConfigurationError
from integration.flow.flow import Flow


def flows_in(package: ModuleType) -> dict[str, Flow[Any]]:
    """The flows of a package by the names of their files; raises `ConfigurationError` for a file that has none."""
    names = sorted(it.name for it in pkgutil.iter_modules(package.__path__) if not it.name.startswith("_"))
    return {name: flow_of(importlib.import_module(f"{package.__name__}.{name}")) for name in names}


def flow_of(module: ModuleType) -> Flow[Any]:
    """The flow that a file declares; raises `ConfigurationError` for mistakes in it."""
    flow = getattr(module, "flow", None)
    if not isinstance(flow, Flow):
        raise ConfigurationError(
            f"{module.__name__} declares no `flow = Flow(...)`; a file that is no flow begins its name with _"
        )
    names = [effect.name for effect in flow.effects]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigurationError(f"{module.__name__} declares {', '.join(sorted(twice))} twice")
    return flow


def switched_on(flows: Mapping[str, Flow[Any]], off: Collection[str]) -> list[Flow[Any]]:
    """The flows without those that are switched off; raises `ConfigurationError` for names that no flow has."""
    if unknown := set(off) - flows.keys():
        raise ConfigurationError(
            f"FLOWS_OFF: there is no flow {', '.join(sorted(unknown))}; there are {', '.join(sorted(flows))}"
        )
    return [flow for name, flow in flows.items() if name not in off]

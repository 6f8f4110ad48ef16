"""What follows from the flows of custom APIs: a page about each, and their part of flows.json."""

import inspect
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from documentation.blocks import code, table
from integration import flows
from integration.flow import EventFlow
from integration.flow.discovery import event_flows_in


@cache
def declared() -> dict[str, EventFlow]:
    """The flows of custom APIs by the names of their files."""
    return event_flows_in(flows)


def facts(name: str, flow: EventFlow) -> dict[str, Any]:
    """What others than the app need of a flow."""
    return {
        "Name": name,
        "CustomApi": {"UniqueName": flow.api.name, "Parameters": flow.api.all_parameters},
        "Systems": sorted({it.system for it in flow.reactions}),
        "Answers": {
            system: {part: {"kind": "text"} for it in flow.reactions if it.system == system for part in it.publishes}
            for system in sorted({it.system for it in flow.reactions})
        },
    }


def parts() -> dict[str, Callable[[], str]]:
    """The generated part of each flow's page."""
    return {f"flow-{name}": partial(page_part, flow) for name, flow in declared().items()}


def page_part(flow: EventFlow) -> str:
    """What a flow takes and does."""
    api = flow.api
    parameters = ", ".join(f"{code(name)} ({kind.replace('_', '/')})" for name, kind in api.all_parameters.items())
    taken = (
        f"Calls of the custom API {code(api.name)}, reported by a step, with {parameters}. An event is known by its "
        f"{code(flow.key)}; what was done for it is not done again."
    )
    if not flow.reactions:
        return f"{taken}\n\nNothing follows from it here; analytics gets it."
    rows = [[code(it.name), code(it.system), _says(it.do)] for it in flow.reactions]
    return f"{taken}\n\n## What is done, in this order\n\n{table(['effect', 'system', 'what'], rows)}"


def _says(do: Callable[..., Any]) -> str:
    return " ".join((inspect.getdoc(do) or "").partition("\n\n")[0].split())

"""The picture of the flow, drawn from infra/topology.json and the settings, light and dark."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from documentation.drawing import THEMES, Drawing, document
from documentation.source import REPOSITORY
from integration.settings.systems import ALL

FILES = {theme: REPOSITORY / "docs" / "assets" / f"flow-{theme}.svg" for theme in THEMES}
_DESCRIPTION = (
    "Dataverse posts a change to the intake, which puts it into a Service Bus queue. The worker takes it from there, "
    "reads the row, calls the other systems, writes back to Dataverse, and publishes the end to Event Hubs, from where "
    "it is archived. What fails is tried again later or dead-lettered; the ledger knows where each event is."
)

_LEFT, _RIGHT, _GAP = 40, 424, 34
_MIDDLE, _SIDE = 298, 314
_SYSTEM_NAMES = {"erp": "ERP", "credit": "credit scoring"}


def current() -> dict[Path, str]:
    """The picture's files as they should be."""
    topology = json.loads((REPOSITORY / "infra" / "topology.json").read_text(encoding="utf-8"))
    drawing, height = _flow(topology)
    title = "The way of an event"
    return {
        file: document(drawing, height, theme, title=title, description=_DESCRIPTION) for theme, file in FILES.items()
    }


def _flow(topology: dict[str, Any]) -> tuple[Drawing, float]:
    it = Drawing()
    functions = topology["functions"]
    (queue,) = topology["serviceBus"]["queues"]
    (hub,) = topology["eventHubs"]["hubs"]

    dataverse = it.box(_LEFT, 8, _RIGHT, ["Dataverse, Dynamics 365", "a webhook step, or a plug-in of yours"])
    top = dataverse + _GAP
    it.arrow((_MIDDLE / 2 + 20, dataverse), (_MIDDLE / 2 + 20, top))
    calls = [f"`POST /api/{function['route']}`" for function in functions["http"] if _takes_in(function)]
    intake = it.box(_LEFT, top, _RIGHT, ["Intake: 202 means durably queued", *calls], kind="azure")

    top = intake + _GAP
    it.arrow((_MIDDLE / 2 + 20, intake), (_MIDDLE / 2 + 20, top))
    bottom = it.box(
        _LEFT, top, _MIDDLE, [f"Service Bus queue {queue['name']}", "a session for each record"], kind="azure"
    )
    it.box(_SIDE, top, _RIGHT, ["dead-letter", "queue"], kind="azure")
    it.arrow((_MIDDLE, top + 22), (_SIDE, top + 22))

    top = bottom + _GAP + 6
    it.arrow((90, bottom), (90, top))
    it.arrow((140, top), (140, bottom))
    it.text(222, (top + bottom) / 2 + 4, "later: a scheduled copy")
    worker = it.box(
        _LEFT, top, _MIDDLE, ["Worker", "reads the row as it is now,", "does what is missing, once"], kind="azure"
    )
    it.arrow((_LEFT, top + 30), (18, top + 30), (18, 30), (_LEFT, 30))
    middle = (top + 30) / 2
    it.text(12, middle, "write-back", more=f' transform="rotate(-90 12 {middle})"')
    system_top = top - 6
    for system in _systems():
        low = it.box(_SIDE, system_top, _RIGHT, [system])
        it.arrow((_MIDDLE, (system_top + low) / 2), (_SIDE, (system_top + low) / 2))
        system_top = low + 8

    top = max(worker, system_top) + _GAP
    half = (_LEFT + _RIGHT) / 2
    storage = topology["storage"]
    monthly = [name for name in storage["monthlyTables"] if name not in storage["tables"]]
    tables = textwrap.wrap(", ".join([*storage["tables"], *monthly, *storage["dailyTables"]]), 24)
    ledger = it.box(_LEFT, top, half - 8, ["Ledger", "Azure Tables:", *tables], kind="azure")
    it.arrow((120, worker), (120, top), both=True)
    partitions = f"{hub['partitionCount']} partitions, {hub['retentionTimeInHours']} hours"
    stream = it.box(half + 8, top, _RIGHT, ["Event Hubs", f"`{hub['name']}`", partitions], kind="azure")
    it.arrow((270, worker), (270, top))

    top = max(ledger, stream) + _GAP
    status = dict.fromkeys(
        f"`/api/{part}`" for f in functions["http"] for part in _short(f["route"]) if part.startswith(_FOR_SUPPORT)
    )
    left = it.box(_LEFT, top, half - 8, ["For support", *status], kind="azure")
    it.arrow((120, ledger), (120, top))
    sinks = [f"`{function['name']}`" for function in functions["eventHubs"]]
    right = it.box(half + 8, top, _RIGHT, ["Archive", *sinks, "JSON Lines in Blob Storage"], kind="azure")
    it.arrow((328, stream), (328, top))
    return it, max(left, right) + 8


_FOR_SUPPORT = ("operations", "console", "health")


def _takes_in(function: dict[str, Any]) -> bool:
    """Whether events come in through this route."""
    return bool(function["intake"])


def _short(route: str) -> Iterator[str]:
    yield route.partition("/{")[0]


def _systems() -> Iterator[str]:
    """What the worker calls besides Dataverse: the systems of the example settings."""
    example = json.loads((REPOSITORY / "local.settings.json.example").read_text(encoding="utf-8"))
    for name in json.loads(example["Values"][ALL]):
        yield _SYSTEM_NAMES.get(name, name)

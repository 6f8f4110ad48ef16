"""The steps that flows and checks need."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from integration.flow import EventFlow, Flow
from integration.flow.discovery import AnyFlow
from integration.flow.event_flow import NO_TABLE
from integration.registration.declaration import StepOptions
from integration.registration.endpoints import CHECK
from integration.registration.items import Item
from integration.synchronous import Check

ASYNCHRONOUS, SYNCHRONOUS = 1, 0
PRE_VALIDATION, PRE_OPERATION, POST_OPERATION = 10, 20, 40
_CHECKED: Final = StepOptions(stage=PRE_OPERATION, mode="synchronous", delete_completed_jobs=False)
"""Before the row is written: what is refused has cost nothing."""
_CREATE_CHECKED: Final = _CHECKED.model_copy(update={"stage": POST_OPERATION})
"""A new row has its id only after that; it is rolled back all the same."""


def flow_steps(flows: Collection[AnyFlow], options: Mapping[str, StepOptions], endpoint: str) -> Iterator[Item]:
    """The steps of flows on the `endpoint` of this name, in their order."""
    for flow in (it for it in flows if isinstance(it, Flow)):
        for message in flow.messages:
            filtering = flow.filtering_attributes if message == "Update" else ()
            given = options.get(f"{flow.table}.{message}", StepOptions())
            yield _step(f"{flow.table}.{message}", f"{message} of {flow.table}", given, endpoint, filtering)
    for each in (it for it in flows if isinstance(it, EventFlow)):
        of_table = "" if each.table == NO_TABLE else f" of {each.table}"
        given = options.get(each.api.name, StepOptions())
        yield _step(f"{each.table}.{each.api.name}", f"{each.api.name}{of_table}", given, endpoint)


def check_steps(checks: Mapping[str, Check], options: Mapping[str, StepOptions]) -> Iterator[Item]:
    """The steps of checks, each on the endpoint of its check."""
    for name, check in checks.items():
        for message in check.messages:
            filtering = check.attributes if message == "Update" else ()
            usual = _CREATE_CHECKED if message == "Create" else _CHECKED
            of_step = f"{check.table}.{message}.{name}"
            given = options[of_step].model_dump(exclude_unset=True) if of_step in options else {}
            yield _step(
                of_step,
                f"{name} on {message} of {check.table}",
                usual.model_copy(update=given),
                f"{CHECK}{name}",
                filtering,
            )


def _step(name: str, title: str, options: StepOptions, endpoint: str, filtering: Collection[str] = ()) -> Item:
    fields: dict[str, Any] = {
        "name": f"integration: {title}",
        "endpoint": endpoint,
        "stage": options.stage,
        "mode": ASYNCHRONOUS if options.mode == "asynchronous" else SYNCHRONOUS,
        "rank": options.rank,
        "asyncautodelete": options.delete_completed_jobs,
        "enabled": True,
        "filteringattributes": sorted(filtering),
    }
    return Item("step", name, fields)

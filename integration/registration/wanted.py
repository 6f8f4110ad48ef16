"""What the flows and the declaration require of an environment."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from integration.flow import Flow, InboundFlow, Result
from integration.flow.handler import pre_image_of
from integration.flow.results import STATUS
from integration.registration.declaration import Declaration, StepOptions, Values
from integration.registration.items import Item
from integration.registration.result_columns import key, result_attribute

WEBHOOK, HTTP_HEADER, UTF8 = 8, 5, 1
"""Contract, authentication type and character set of the service endpoint (table serviceendpoint)."""
ASYNCHRONOUS, SYNCHRONOUS = 1, 0
PRE_IMAGE, POST_IMAGE = 0, 1
WEBHOOK_KEY_HEADER = "x-functions-key"

AnyFlow = Flow[Any] | InboundFlow


def wanted(
    flows: Collection[AnyFlow], declaration: Declaration, values: Values, *, charset: bool = True
) -> Iterator[Item]:
    """Everything, in the order in which it is made. Without `charset`, the environment has no `messagecharset`."""
    prefix = values.publisher_prefix
    yield Item("publisher", declaration.publisher.unique_name, _publisher(declaration, prefix))
    yield Item("solution", declaration.solution.unique_name, _solution(declaration))
    if declaration.change_tracking:
        for table in tables(flows):
            yield Item("change-tracking", table, {"enabled": True})
    results = list(_results(flows))
    yield from (_column(table, result, prefix) for table, result in results)
    yield from (_key(table, result, prefix) for table, result in results if result.key)
    yield Item("endpoint", "webhook", _webhook(declaration, values, charset=charset))
    out = [flow for flow in flows if isinstance(flow, Flow)]
    for flow in out:
        for message in flow.messages:
            yield _step(flow, message, declaration.steps.get(f"{flow.table}.{message}", StepOptions()))
    yield from (_image(flow, prefix) for flow in out if flow.pre_image and "Delete" in flow.messages)


def tables(flows: Collection[AnyFlow]) -> list[str]:
    """The tables that flows read or write, each once."""
    named = [name for it in flows for name in ([it.table] if isinstance(it, Flow) else it.tables)]
    return list(dict.fromkeys(named))


def _publisher(declaration: Declaration, prefix: str) -> Mapping[str, Any]:
    return {"friendlyname": declaration.publisher.display_name, "customizationprefix": prefix}


def _solution(declaration: Declaration) -> Mapping[str, Any]:
    return {"friendlyname": declaration.solution.display_name, "publisher": declaration.publisher.unique_name}


def _results(flows: Collection[AnyFlow]) -> Iterator[tuple[str, Result]]:
    """Each result column of each table once: flows of both directions may declare the same one."""
    seen: set[tuple[str, str]] = set()
    for flow in flows:
        out = isinstance(flow, Flow)
        declared = (*flow.results, *STATUS) if out and flow.results else flow.results
        for table in [flow.table] if isinstance(flow, Flow) else flow.tables:
            for result in declared:
                if (table, result.name) not in seen:
                    seen.add((table, result.name))
                    yield table, result


def _column(table: str, result: Result, prefix: str) -> Item:
    attribute = result_attribute(result, prefix)
    fields = {"type": attribute["AttributeType"], "label": attribute["DisplayName"]}
    fields |= {
        name: attribute[name]
        for name in ("MaxLength", "MinValue", "MaxValue", "Precision", "Format", "DateTimeBehavior")
        if name in attribute
    }
    if "OptionSet" in attribute:
        fields["options"] = {str(it["Value"]): it["Label"] for it in attribute["OptionSet"]["Options"]}
    name = str(attribute["SchemaName"])
    return Item("column", f"{table}.{name.lower()}", fields, result.holds, name)


def _key(table: str, result: Result, prefix: str) -> Item:
    found = key(result, prefix)
    fields = {"label": result.label, "columns": found["KeyAttributes"]}
    return Item("key", f"{table}.{found['LogicalName']}", fields, schema_name=found["SchemaName"])


def _webhook(declaration: Declaration, values: Values, *, charset: bool) -> Mapping[str, Any]:
    found = {
        "name": declaration.endpoint.name,
        "url": values.webhook_url,
        "contract": WEBHOOK,
        "authtype": HTTP_HEADER,
        "secret": "set",
    }
    return found | ({"messagecharset": UTF8} if charset else {})


def _step(flow: Flow[Any], message: str, options: StepOptions) -> Item:
    fields: dict[str, Any] = {
        "name": f"integration: {message} of {flow.table}",
        "endpoint": "webhook",
        "stage": options.stage,
        "mode": ASYNCHRONOUS if options.mode == "asynchronous" else SYNCHRONOUS,
        "rank": options.rank,
        "asyncautodelete": options.delete_completed_jobs,
        "enabled": True,
        "filteringattributes": list(flow.filtering_attributes) if message == "Update" else [],
    }
    return Item("step", f"{flow.table}.{message}", fields)


def _image(flow: Flow[Any], prefix: str) -> Item:
    fields = {
        "entityalias": "PreImage",
        "imagetype": PRE_IMAGE,
        "messagepropertyname": "Target",
        "attributes": sorted(pre_image_of(flow, prefix)),
    }
    return Item("image", f"{flow.table}.Delete.PreImage", fields)

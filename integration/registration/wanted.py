"""What the flows and the declaration require of an environment."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from integration.errors import ConfigurationError
from integration.flow import EventFlow, Flow, Result
from integration.flow.discovery import AnyFlow
from integration.flow.event_flow import NO_TABLE
from integration.flow.handler import pre_image_of
from integration.registration.custom_apis import catalog_items, custom_api_items, custom_apis
from integration.registration.declaration import Bus, Declaration, Endpoint, Role, StepOptions, Values
from integration.registration.items import Item, State
from integration.registration.privileges import DEPTHS, Need, as_listed, needed, to_see_registration
from integration.registration.result_columns import key, result_attribute

CONTRACTS = {"webhook": 8, "queue": 2, "topic": 5, "hub": 7}
"""Kinds of service endpoints, and their `contract` (table serviceendpoint)."""
HTTP_HEADER, SAS_KEY = 5, 2
UTF8, JSON, NO_USER_CLAIM, NORMAL, ADDRESS = 1, 2, 1, 1, 2
"""`messagecharset`, `messageformat`, `userclaim`, `connectionmode` and `namespaceformat`."""
ASYNCHRONOUS, SYNCHRONOUS = 1, 0
PRE_IMAGE, POST_IMAGE = 0, 1
WEBHOOK_KEY_HEADER = "x-functions-key"


def wanted(
    flows: Collection[AnyFlow],
    declaration: Declaration,
    values: Values,
    there: State | None = None,
    virtual: Collection[Item] = (),
) -> Iterator[Item]:
    """Everything, in the order in which it is made; `there` says what the environment offers.

    `virtual` is what the virtual tables need.
    """
    there = there or State(str(values.url), "")
    prefix = values.publisher_prefix
    yield Item("publisher", declaration.publisher.unique_name, _publisher(declaration, prefix))
    yield Item("solution", declaration.solution.unique_name, _solution(declaration))
    if declaration.change_tracking:
        for table in tables(flows):
            yield Item("change-tracking", table, {"enabled": True})
    results = list(_results(flows))
    yield from (_column(table, result, prefix) for table, result in results)
    yield from (_key(table, result, prefix) for table, result in results if result.key)
    yield from virtual
    apis = custom_apis(flows, declaration, values)
    yield from custom_api_items(apis)
    if declaration.catalog is not None:
        yield from catalog_items(declaration.catalog)
    if values.applications:
        yield _role(flows, declaration.role, there, more=to_see_registration() if values.app_sees_registration else [])
    yield from (Item("user", it, {"enabled": True, "roles": [declaration.role.name]}) for it in values.applications)
    yield _endpoint(declaration.endpoint, values, charset=there.takes_charset)
    out = [flow for flow in flows if isinstance(flow, Flow)]
    for flow in out:
        for message in flow.messages:
            options = declaration.steps.get(f"{flow.table}.{message}", StepOptions())
            filtering = flow.filtering_attributes if message == "Update" else ()
            yield _step(flow.table, message, options, declaration.endpoint.kind, filtering)
    for each in (it for it in flows if isinstance(it, EventFlow)):
        options = declaration.steps.get(each.api.name, StepOptions())
        yield _step(each.table, each.api.name, options, declaration.endpoint.kind)
    yield from (_image(flow, prefix) for flow in out if flow.pre_image and "Delete" in flow.messages)


def tables(flows: Collection[AnyFlow]) -> list[str]:
    """The tables that flows read or write, each once."""
    return list(dict.fromkeys(table for it in flows for table in it.tables))


def _publisher(declaration: Declaration, prefix: str) -> Mapping[str, Any]:
    return {"friendlyname": declaration.publisher.display_name, "customizationprefix": prefix}


def _solution(declaration: Declaration) -> Mapping[str, Any]:
    return {"friendlyname": declaration.solution.display_name, "publisher": declaration.publisher.unique_name}


def _results(flows: Collection[AnyFlow]) -> Iterator[tuple[str, Result]]:
    """Each result column of each table once: flows of both directions may declare the same one."""
    seen: set[tuple[str, str]] = set()
    for flow in flows:
        for table in flow.tables:
            for result in flow.written:
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


def _role(flows: Collection[AnyFlow], role: Role, there: State, more: Collection[Need]) -> Item:
    """The role with what the flows need, and `more` as far as the environment has it.

    What the flows need and the environment does not have is named in words.
    """
    depth, needs = DEPTHS[role.depth], needed(flows, there.behind)
    found = {it: there.privileges.get(it) for it in needs} | {
        it: there.privileges[it] for it in more if it in there.privileges
    }
    listed = {as_listed(each.name, each.at(depth)) for each in found.values() if each is not None}
    listed |= {f"{it.kind} of {it.table}" for it, each in found.items() if each is None}
    return Item("role", role.name, {"privileges": sorted(listed)}, "What the flows of the app need.")


def secret_of(endpoint: Endpoint, values: Values) -> str:
    """Where the endpoint's key is; raises `ConfigurationError` where the values do not say it."""
    if endpoint.kind == "webhook":
        return _given(values.webhook_key, "webhook-key")
    return _bus(values).key


def _endpoint(endpoint: Endpoint, values: Values, *, charset: bool) -> Item:
    found: dict[str, Any] = {"name": endpoint.name, "contract": CONTRACTS[endpoint.kind], "secret": "set"}
    if endpoint.kind == "webhook":
        found |= {"url": _given(values.webhook_url, "webhook-url"), "authtype": HTTP_HEADER}
        found |= {"messagecharset": UTF8} if charset else {}
    else:
        bus = _bus(values)
        found |= {"namespaceaddress": bus.namespace, "path": bus.path, "authtype": SAS_KEY, "saskeyname": bus.key_name}
        found |= {"messageformat": JSON, "userclaim": NO_USER_CLAIM}
        found |= {"connectionmode": NORMAL, "namespaceformat": ADDRESS}
    secret_of(endpoint, values)
    return Item("endpoint", endpoint.kind, found)


def _bus(values: Values) -> Bus:
    if values.bus is None:
        raise ConfigurationError("The declared endpoint needs the section [bus] in the environment's file.")
    return values.bus


def _given(value: Any, name: str) -> str:
    if value is None:
        raise ConfigurationError(f"A webhook needs {name} in the environment's file.")
    return str(value)


def _step(table: str, message: str, options: StepOptions, endpoint: str, filtering: Collection[str] = ()) -> Item:
    fields: dict[str, Any] = {
        "name": f"integration: {message}" + ("" if table == NO_TABLE else f" of {table}"),
        "endpoint": endpoint,
        "stage": options.stage,
        "mode": ASYNCHRONOUS if options.mode == "asynchronous" else SYNCHRONOUS,
        "rank": options.rank,
        "asyncautodelete": options.delete_completed_jobs,
        "enabled": True,
        "filteringattributes": list(filtering),
    }
    return Item("step", f"{table}.{message}", fields)


def _image(flow: Flow[Any], prefix: str) -> Item:
    fields = {
        "entityalias": "PreImage",
        "imagetype": PRE_IMAGE,
        "messagepropertyname": "Target",
        "attributes": sorted(pre_image_of(flow, prefix)),
    }
    return Item("image", f"{flow.table}.Delete.PreImage", fields)

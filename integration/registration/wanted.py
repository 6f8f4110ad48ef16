"""What the flows and the declaration require of an environment."""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from integration.flow import Flow, Result
from integration.flow.discovery import AnyFlow
from integration.flow.handler import pre_image_of
from integration.registration.custom_apis import catalog_items, custom_api_items, custom_apis
from integration.registration.declaration import Declaration, Role, Values
from integration.registration.endpoints import endpoint_items
from integration.registration.items import Item, State
from integration.registration.privileges import DEPTHS, Need, as_listed, needed, to_see_registration
from integration.registration.result_columns import key, result_attribute
from integration.registration.steps import check_steps, flow_steps
from integration.synchronous import Check

PRE_IMAGE, POST_IMAGE = 0, 1


def wanted(
    flows: Collection[AnyFlow],
    declaration: Declaration,
    values: Values,
    there: State | None = None,
    virtual: Collection[Item] = (),
    *,
    checks: Mapping[str, Check] = MappingProxyType({}),
) -> Iterator[Item]:
    """Everything, in the order in which it is made; `there` says what the environment offers.

    `virtual` is what the virtual tables need. `checks` are by their names; those that say which messages they are about
    are registered, unless the values say that the environment asks none.
    """
    there = there or State(str(values.url), "")
    asked = {name: it for name, it in checks.items() if values.checks and it.messages}
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
    yield from endpoint_items(declaration.endpoint, values, asked, charset=there.takes_charset)
    yield from flow_steps(flows, declaration.steps, declaration.endpoint.kind)
    yield from check_steps(asked, declaration.steps)
    out = [flow for flow in flows if isinstance(flow, Flow)]
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


def _image(flow: Flow[Any], prefix: str) -> Item:
    fields = {
        "entityalias": "PreImage",
        "imagetype": PRE_IMAGE,
        "messagepropertyname": "Target",
        "attributes": sorted(pre_image_of(flow, prefix)),
    }
    return Item("image", f"{flow.table}.Delete.PreImage", fields)

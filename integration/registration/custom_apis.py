"""What flows and declaration require of custom APIs and of the catalog."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from integration.flow import CustomApi, EventFlow, InboundFlow
from integration.flow.discovery import AnyFlow
from integration.flow.external import External
from integration.registration.declaration import Declaration, Values
from integration.registration.declared_apis import TYPES, Catalog, CustomApiOptions, RequestParameter, ResponseProperty
from integration.registration.items import Item

BINDINGS: Final = {"global": 0, "entity": 1, "entity-collection": 2}
STEPS: Final = {"none": 0, "asynchronous": 1, "both": 2}
"""The columns `bindingtype` and `allowedcustomprocessingsteptype` of customapi."""
_KINDS: Final = {"text": "String", "whole": "Integer", "amount": "Money", "yes_no": "Boolean", "moment": "DateTime"}
"""The type of a parameter that a flow names by its kind."""


def custom_apis(flows: Collection[AnyFlow], declaration: Declaration, values: Values) -> dict[str, CustomApiOptions]:
    """All custom APIs that this app makes, by unique name: those that are declared, and those that flows name."""
    found = dict(declaration.custom_apis)
    for api in named_by(flows):
        if api.name not in found and api.has_plug_in and not values.stand_in_for_plug_ins:
            continue
        options = found.get(api.name, CustomApiOptions(external=not api.has_plug_in))
        named = {name: RequestParameter(type=_KINDS[kind]) for name, kind in api.all_parameters.items()}
        found[api.name] = options.model_copy(update={"parameters": {**named, **options.parameters}})
    return found


def named_by(flows: Collection[AnyFlow]) -> Iterator[CustomApi]:
    """The custom APIs that flows call or are told of."""
    for flow in flows:
        if isinstance(flow, EventFlow):
            if not isinstance(flow.api, External):  # Dataverse has those messages itself
                yield flow.api
        elif isinstance(flow, InboundFlow) and flow.custom_api is not None:
            yield flow.custom_api


def custom_api_items(apis: Mapping[str, CustomApiOptions]) -> Iterator[Item]:
    """Custom APIs, then their parameters and response properties."""
    for name, api in apis.items():
        said = api.description or api.display_name or name
        yield Item("custom-api", name, _fields(name, api), said, external=api.external)
    for name, api in apis.items():
        yield from (_parameter(name, own, it) for own, it in api.parameters.items())
        yield from (_response(name, own, it) for own, it in api.responses.items())


def catalog_items(catalog: Catalog) -> Iterator[Item]:
    """The catalog, its categories, and what is assigned to them."""
    own = catalog.unique_name
    yield Item("catalog", own, {"displayname": catalog.display_name or own}, catalog.description or own)
    for name, category in catalog.categories.items():
        fields = {"displayname": category.display_name or name, "catalog": own}
        yield Item("category", name, fields, category.description or name)
    for name, category in catalog.categories.items():
        for kind, listed in (("custom-api", category.custom_apis), ("table", category.tables)):
            yield from (Item("assignment", f"{name}.{it}", {"category": name, kind: it}) for it in listed)


def _fields(name: str, api: CustomApiOptions) -> dict[str, Any]:
    return {
        "displayname": api.display_name or name,
        "bindingtype": BINDINGS[api.binding],
        "boundentitylogicalname": api.bound_table,
        "isfunction": api.function,
        "isprivate": api.private,
        "allowedcustomprocessingsteptype": STEPS[api.steps],
        "executeprivilegename": api.execute_privilege,
        "plugin": api.plug_in,
    }


def _value(own: str, it: ResponseProperty) -> dict[str, Any]:
    return {"displayname": it.display_name or own, "type": TYPES[it.type], "logicalentityname": it.table}


def _parameter(api: str, own: str, it: RequestParameter) -> Item:
    fields = {**_value(own, it), "isoptional": not it.required}
    return Item("parameter", f"{api}.{own}", fields, it.description or it.display_name or own)


def _response(api: str, own: str, it: ResponseProperty) -> Item:
    return Item("response", f"{api}.{own}", _value(own, it), it.description or it.display_name or own)

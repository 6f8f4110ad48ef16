"""Rules of custom APIs, business events and catalogs that a declaration may break: errors of a plan.

Sources: "Microsoft Dataverse business events", "Create and use custom APIs", "CustomAPI tables" and "Catalog and
CatalogAssignment tables" in the Dataverse documentation.
"""

from collections.abc import Iterable, Iterator, Mapping

from integration.registration.custom_apis import STEPS
from integration.registration.declared_apis import TYPES
from integration.registration.items import Item, State
from integration.registration.plan import Problem
from integration.registration.steps import SYNCHRONOUS

_NONE, _ASYNCHRONOUS = STEPS["none"], STEPS["asynchronous"]
_OF_A_TABLE = frozenset(TYPES[name] for name in ("Entity", "EntityCollection", "EntityReference"))


def broken(items: Iterable[Item], state: State) -> Iterator[Problem]:
    """Every rule that a declared item breaks."""
    items = list(items)
    prefix = next((str(it.fields["customizationprefix"]) for it in items if it.kind == "publisher"), "")
    apis = {it.name: it for it in items if it.kind == "custom-api"}
    for item in items:
        if item.kind in {"custom-api", "catalog", "category"} and not item.name.startswith(f"{prefix}_"):
            yield Problem(item.address, f"the unique name has to begin with {prefix}_, the prefix of the publisher")
        if item.kind == "custom-api":
            responses = [it for it in items if it.kind == "response" and it.name.startswith(f"{item.name}.")]
            texts = _custom_api(item, len(responses), external=item.external)
        elif item.kind in {"parameter", "response"}:
            texts = _value(item)
        elif item.kind == "assignment":
            texts = _assignment(item, apis, state)
        elif item.kind == "step" and item.name.startswith("none."):
            texts = _step(item, apis)
        else:
            continue
        yield from (Problem(item.address, text) for text in texts)


def _custom_api(item: Item, responses: int, *, external: bool) -> Iterator[str]:
    fields = item.fields
    if fields["bindingtype"] and not fields["boundentitylogicalname"]:
        yield "is bound, so bound-table has to name the table"
    if not fields["bindingtype"] and fields["boundentitylogicalname"]:
        yield "is bound to nothing, so it can have no bound-table"
    if fields["isfunction"] and not responses:
        yield "is a function, which has to have a response property"
    if not external and fields["plugin"]:
        yield "has a plug-in: the solution that brings the plug-in has to bring the custom API as well"
    if not external:
        return
    if fields["plugin"]:
        yield "is an event of another system, which has happened already: no plug-in may keep it from succeeding"
    if fields["allowedcustomprocessingsteptype"] != _ASYNCHRONOUS:
        yield "is an event of another system: its steps have to be asynchronous, so that none keeps it from succeeding"
    if responses:
        yield "is an event of another system: without a plug-in nothing sets a response property"
    if fields["isfunction"]:
        yield "is an event of another system, so it has to be an action: functions are in no catalog"


def _value(item: Item) -> Iterator[str]:
    if item.fields["logicalentityname"] and item.fields["type"] not in _OF_A_TABLE:
        yield "only an Entity, EntityCollection or EntityReference is of a table"


def _assignment(item: Item, apis: Mapping[str, Item], state: State) -> Iterator[str]:
    api, table = item.fields.get("custom-api"), item.fields.get("table")
    declared = apis.get(api or "")
    if declared is not None and declared.fields["isfunction"]:
        yield f"{api} is a function, and only actions are in a catalog"
    if api is not None and declared is None and f"custom-api.{api}" not in state.found:
        yield f"there is no custom API {api}"
    if table is not None and table not in state.table_ids:
        yield f"there is no table {table} in this environment"


def _step(item: Item, apis: Mapping[str, Item]) -> Iterator[str]:
    name, fields = item.name.partition(".")[2], item.fields
    declared = apis.get(name)
    if fields["filteringattributes"]:
        yield "filtering attributes are for Update only, not for a custom API"
    if declared is None:
        return
    allowed = declared.fields["allowedcustomprocessingsteptype"]
    if allowed == _NONE:
        yield f"{name} allows no steps"
    elif allowed == _ASYNCHRONOUS and fields["mode"] == SYNCHRONOUS:
        yield f"{name} allows asynchronous steps only"

"""Reads custom APIs with their parameters, and the catalog with what is assigned to it."""

from collections.abc import Callable, Collection
from typing import Any

from integration.odata import literal, query
from integration.registration.declared_apis import Catalog
from integration.registration.items import Found, State
from integration.registration.web_api import WebApi

_API = (
    "customapiid,uniquename,displayname,description,bindingtype,boundentitylogicalname,isfunction,isprivate,"
    "allowedcustomprocessingsteptype,executeprivilegename,_plugintypeid_value,ismanaged"
)
_PARAMETER = "customapirequestparameterid,uniquename,displayname,type,isoptional,logicalentityname"
_RESPONSE = "customapiresponsepropertyid,uniquename,displayname,type,logicalentityname"
_PARTS = (("CustomAPIRequestParameters", "parameter"), ("CustomAPIResponseProperties", "response"))


class CustomApiReader:
    """Adds to `state`; `owned` says whether a description has our mark, which is `mark`."""

    def __init__(self, api: WebApi, state: State, owned: Callable[[str | None], bool], mark: str) -> None:
        self._api, self._state, self._owned, self._mark = api, state, owned, mark

    async def custom_apis(self, names: Collection[str]) -> None:
        """Those of these names, and all that have our mark."""
        expand = f"CustomAPIRequestParameters($select={_PARAMETER}),CustomAPIResponseProperties($select={_RESPONSE})"
        for it in await self._rows("customapis", self._named(names), _API, expand):
            said = it.get("description") or ""
            fields = {column: it.get(column) for column in _API.split(",")[1:-2] if column not in _NOT_COMPARED}
            fields["plugin"] = it.get("_plugintypeid_value")
            owned, managed = self._owned(said), bool(it.get("ismanaged"))
            self._state.add(Found("custom-api", it["uniquename"], it["customapiid"], fields, owned, managed, said))
            for collection, kind in _PARTS:
                for part in it[collection]:
                    self._add_part(kind, it["uniquename"], part, owned=owned, managed=managed)

    async def steps_of_others(self) -> None:
        """Who else has registered steps on custom APIs of ours, which then cannot be deleted."""
        ours = [it.name for it in self._state.found.values() if it.kind == "custom-api" and it.owned]
        if not ours:
            return
        where = " or ".join(f"sdkmessageid/name eq '{it}'" for it in ours)
        for it in await self._rows(
            "sdkmessageprocessingsteps", where, "name,description", "sdkmessageid($select=name)"
        ):
            if not self._owned(it.get("description")):
                self._state.subscribers.setdefault(it["sdkmessageid"]["name"], []).append(it["name"])

    async def catalog(self, catalog: Catalog | None) -> None:
        """The catalog and its categories, by name and by our mark, and what is assigned to categories of ours."""
        names = [] if catalog is None else [catalog.unique_name, *catalog.categories]
        columns = "catalogid,uniquename,displayname,description,_parentcatalogid_value,ismanaged"
        rows = await self._rows("catalogs", self._named(names), columns)
        by_id = {it["catalogid"]: it["uniquename"] for it in rows}
        for it in rows:
            parent, said = it["_parentcatalogid_value"], it.get("description") or ""
            kind = "category" if parent else "catalog"
            fields = {"displayname": it["displayname"]}
            fields |= {"catalog": by_id.get(parent, str(parent))} if parent else {}
            self._state.add(
                Found(kind, it["uniquename"], it["catalogid"], fields, self._owned(said), bool(it["ismanaged"]), said)
            )
        for table in () if catalog is None else {it for each in catalog.categories.values() for it in each.tables}:
            path = f"EntityDefinitions(LogicalName={literal(table)})?$select=MetadataId"
            if (found := await self._api.get(path)) is not None:
                self._state.table_ids[table] = found["MetadataId"]
        await self._assignments()

    async def _assignments(self) -> None:
        categories = {it.id: it.name for it in self._state.found.values() if it.kind == "category" and it.owned}
        if not categories:
            return
        apis = {it.id: it.name for it in self._state.found.values() if it.kind == "custom-api"}
        tables = {row_id: name for name, row_id in self._state.table_ids.items()}
        where = " or ".join(f"_catalogid_value eq {it}" for it in categories)
        columns = "catalogassignmentid,name,_catalogid_value,_object_value"
        for it in await self._rows("catalogassignments", where, columns):
            category, target = categories[it["_catalogid_value"]], it["_object_value"]
            kind = "custom-api" if target in apis else "table"
            name = tables.get(target) or apis.get(target) or it["name"].removesuffix(self._mark).strip()
            fields, owned = {"category": category, kind: name}, self._mark in it["name"]
            found = Found("assignment", f"{category}.{name}", it["catalogassignmentid"], fields, owned)
            self._state.add(found)

    def _add_part(self, kind: str, api: str, it: dict[str, Any], *, owned: bool, managed: bool) -> None:
        """A part of a custom API is ours where the custom API is."""
        select, key = (_PARAMETER, "customapirequestparameterid")
        if kind == "response":
            select, key = (_RESPONSE, "customapiresponsepropertyid")
        fields = {column: it.get(column) for column in select.split(",")[2:]}
        self._state.add(Found(kind, f"{api}.{it['uniquename']}", it[key], fields, owned, managed))

    def _named(self, names: Collection[str]) -> str:
        return " or ".join([f"contains(description,'{self._mark}')", *(f"uniquename eq '{it}'" for it in names)])

    async def _rows(self, entity_set: str, where: str, select: str, expand: str | None = None) -> list[dict[str, Any]]:
        return await self._api.rows(entity_set + query({"$select": select, "$filter": where, "$expand": expand}))


_NOT_COMPARED = frozenset({"uniquename", "description"})

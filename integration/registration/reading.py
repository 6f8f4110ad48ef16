"""Reads what an environment has of everything that can be declared, in a dozen calls."""

import asyncio
from collections.abc import Collection
from typing import Any

from integration.flow.discovery import AnyFlow
from integration.odata import literal, query
from integration.registration import volumes
from integration.registration.custom_apis import custom_apis
from integration.registration.declaration import Declaration, Values
from integration.registration.declared_apis import Catalog
from integration.registration.definitions import column_fields, key_fields, label
from integration.registration.endpoints import CHECK
from integration.registration.items import Filter, Found, Item, State, mark
from integration.registration.privileges import from_metadata
from integration.registration.reading_access import AccessReader
from integration.registration.reading_custom_apis import CustomApiReader
from integration.registration.reading_endpoints import EndpointReader
from integration.registration.reading_virtual_tables import VirtualTableReader
from integration.registration.wanted import tables
from integration.registration.web_api import WebApi

_STEP = (
    "sdkmessageprocessingstepid,name,description,stage,mode,rank,asyncautodelete,filteringattributes,statecode,"
    "_eventhandler_value"
)
_IMAGE = (
    "sdkmessageprocessingstepimageid,entityalias,imagetype,messagepropertyname,attributes,"
    "_sdkmessageprocessingstepid_value"
)
_ENABLED = 0


async def read(
    api: WebApi, flows: Collection[AnyFlow], declaration: Declaration, values: Values, virtual: Collection[Item] = ()
) -> State:
    """The state of the environment; `virtual` is what virtual tables need. Raises the errors of `WebApi`."""
    known = tables(flows)
    who = await api.get("WhoAmI")
    state = State(api.url, str(who["OrganizationId"]))
    reader = _Reader(api, state, declaration)
    await asyncio.gather(reader.solution(), reader.filters(known), *(reader.table(it) for it in known))
    if values.applications:
        await reader.access(flows, values)
    if virtual:
        await reader.virtual_tables(virtual)
    await reader.custom_apis(flows, values)
    await reader.endpoints(with_identity=values.bus is not None and values.bus.managed_identity is not None)
    await volumes.count(api, flows, state)
    return state


class _Reader:
    def __init__(self, api: WebApi, state: State, declaration: Declaration) -> None:
        self._api, self._state, self._declaration = api, state, declaration
        self._mark = mark(declaration.name)

    def _owned(self, description: str | None) -> bool:
        return self._mark in (description or "")

    async def solution(self) -> None:
        """The solution and its publisher, or the publisher that a new solution would get."""
        named, owner = self._declaration.solution.unique_name, self._declaration.publisher.unique_name
        for it in await self._where(
            "solutions",
            f"uniquename eq '{named}'",
            "solutionid,uniquename,friendlyname,description",
            expand="publisherid($select=uniquename,customizationprefix)",
        ):
            fields = {"friendlyname": it["friendlyname"], "publisher": it["publisherid"]["uniquename"]}
            self._state.publisher_prefix = it["publisherid"]["customizationprefix"]
            self._add_row("solution", named, it["solutionid"], fields, it)
        for it in await self._where(
            "publishers",
            f"uniquename eq '{owner}'",
            "publisherid,uniquename,friendlyname,customizationprefix,description",
        ):
            fields = {"friendlyname": it["friendlyname"], "customizationprefix": it["customizationprefix"]}
            self._add_row("publisher", owner, it["publisherid"], fields, it)

    async def custom_apis(self, flows: Collection[AnyFlow], values: Values) -> None:
        """Custom APIs and the catalog."""
        found = CustomApiReader(self._api, self._state, self._owned, self._mark)
        listed = [it for each in (self._declaration.catalog,) if each for it in _custom_apis_in(each)]
        await found.custom_apis([*custom_apis(flows, self._declaration, values), *listed])
        await found.steps_of_others()
        await found.catalog(self._declaration.catalog)

    async def virtual_tables(self, virtual: Collection[Item]) -> None:
        """The data source and the virtual tables."""
        found = VirtualTableReader(self._api, self._state, self._owned, self._mark)
        tables = [it.name for it in virtual if it.kind == "virtual-table"]
        await found.read(self._declaration.virtual_tables.data_source, tables)

    async def access(self, flows: Collection[AnyFlow], values: Values) -> None:
        """The app's users, their role, and what there is to give it."""
        access, role = AccessReader(self._api, self._state, self._owned), self._declaration.role.name
        users = (access.user(it, role) for it in values.applications)
        await asyncio.gather(access.privileges(flows), access.role(role, self._mark), *users)
        if values.app_sees_registration:
            await access.privileges_to_see()

    async def table(self, table: str) -> None:
        """A table's change tracking, columns and keys; nothing where it does not exist."""
        path = f"EntityDefinitions(LogicalName={literal(table)})"
        found = await self._api.get(
            path
            + query(
                {
                    "$select": "LogicalName,MetadataId,ChangeTrackingEnabled,Privileges",
                    "$expand": "Attributes($select=LogicalName),"
                    "Keys($select=LogicalName,DisplayName,KeyAttributes,EntityKeyIndexStatus,IsManaged)",
                }
            )
        )
        if found is None:
            return
        state = self._state
        state.columns[table] = frozenset(it["LogicalName"] for it in found["Attributes"])
        state.privileges |= from_metadata(table, found["Privileges"])
        tracking = {"enabled": found["ChangeTrackingEnabled"]}
        state.add(Found("change-tracking", table, found["MetadataId"], tracking, owned=True))
        custom = "$filter=IsCustomAttribute%20eq%20true"
        columns = await self._api.rows(f"{path}/Attributes?{custom}")
        choices = await self._api.rows(
            f"{path}/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
            f"?$select=LogicalName&{custom}&$expand=OptionSet"
        )
        options = {it["LogicalName"]: it["OptionSet"] for it in choices}
        for it in columns:
            self._add_column(table, it, options.get(it["LogicalName"]))
        for it in found["Keys"]:
            self._add_key(table, it)

    async def filters(self, tables: Collection[str]) -> None:
        """The message filters of the tables."""
        if not tables:
            return
        for it in await self._where(
            "sdkmessagefilters",
            " or ".join(f"primaryobjecttypecode eq '{table}'" for table in tables),
            "sdkmessagefilterid,primaryobjecttypecode,iscustomprocessingstepallowed",
            expand="sdkmessageid($select=sdkmessageid,name)",
        ):
            message = it["sdkmessageid"]
            self._state.filters[it["primaryobjecttypecode"], message["name"]] = Filter(
                it["sdkmessagefilterid"], message["sdkmessageid"], bool(it["iscustomprocessingstepallowed"])
            )

    async def endpoints(self, *, with_identity: bool) -> None:
        """Our service endpoints, the steps that call them or have our mark, and their images."""
        endpoint, reader = self._declaration.endpoint, EndpointReader(self._api, self._state, self._owned, self._mark)
        await reader.read(endpoint.name, endpoint.managed_identity, needed=with_identity)
        await self._steps({it.id: it.name for it in self._state.found.values() if it.kind == "endpoint"})

    async def _steps(self, endpoints: dict[str, str]) -> None:
        calls = "".join(f" or _eventhandler_value eq {it}" for it in endpoints)
        rows = await self._where(
            "sdkmessageprocessingsteps",
            f"contains(description,'{self._mark}'){calls}",
            _STEP,
            expand="sdkmessageid($select=name),sdkmessagefilterid($select=primaryobjecttypecode)",
        )
        names: dict[str, str] = {}
        for it in sorted(rows, key=lambda row: not self._owned(row.get("description"))):
            found, endpoint = _step(it, endpoints, owned=self._owned(it.get("description"))), it["_eventhandler_value"]
            self._state.add(found)
            names[found.id] = found.name
            if not found.owned:
                self._state.others[endpoint] = self._state.others.get(endpoint, 0) + 1
        if names:
            await self._images(names)

    async def _images(self, steps: dict[str, str]) -> None:
        """The images of these steps; a step's images are its own, and have no mark."""
        where = " or ".join(f"_sdkmessageprocessingstepid_value eq {it}" for it in steps)
        for it in await self._where("sdkmessageprocessingstepimages", where, _IMAGE):
            step = steps[it["_sdkmessageprocessingstepid_value"]]
            fields = {
                "entityalias": it["entityalias"],
                "imagetype": it["imagetype"],
                "messagepropertyname": it["messagepropertyname"],
                "attributes": _listed(it["attributes"]),
            }
            owned = self._state.found[f"step.{step}"].owned
            name = f"{step}.{it['entityalias']}"
            self._state.add(Found("image", name, it["sdkmessageprocessingstepimageid"], fields, owned))

    def _add_row(self, kind: str, name: str, row_id: str, fields: dict[str, Any], row: dict[str, Any]) -> None:
        said = row.get("description") or ""
        self._state.add(Found(kind, name, row_id, fields, self._owned(said), description=said))

    def _add_column(self, table: str, it: dict[str, Any], options: dict[str, Any] | None) -> None:
        said = label(it.get("Description"))
        name, fields = f"{table}.{it['LogicalName']}", column_fields(it, options)
        self._state.add(
            Found("column", name, it["MetadataId"], fields, self._owned(said), bool(it.get("IsManaged")), said)
        )

    def _add_key(self, table: str, it: dict[str, Any]) -> None:
        """A key has no description: it is ours where it is the key of one column that is ours."""
        column = self._state.found.get(f"column.{table}.{'.'.join(it['KeyAttributes'])}")
        owned = column is not None and column.owned and it["LogicalName"] == f"{column.name.partition('.')[2]}key"
        status = it["EntityKeyIndexStatus"]
        notes = () if status == "Active" else (f"its index is {status}, so it cannot be used yet",)
        if status == "Failed":
            notes = ("its index could not be built: rows have the same value twice. Repair them, then reactivate it",)
        name, fields = f"{table}.{it['LogicalName']}", key_fields(it)
        self._state.add(Found("key", name, it["MetadataId"], fields, owned, bool(it.get("IsManaged")), notes=notes))

    async def _where(
        self, entity_set: str, where: str, select: str, *, expand: str | None = None
    ) -> list[dict[str, Any]]:
        return await self._api.rows(entity_set + query({"$select": select, "$filter": where, "$expand": expand}))


def _custom_apis_in(catalog: Catalog) -> list[str]:
    return [it for each in catalog.categories.values() for it in each.custom_apis]


def _step(it: dict[str, Any], endpoints: dict[str, str], *, owned: bool) -> Found:
    table = (it.get("sdkmessagefilterid") or {}).get("primaryobjecttypecode") or "none"
    fields = {
        "name": it["name"],
        "endpoint": endpoints.get(it["_eventhandler_value"], str(it["_eventhandler_value"])),
        "stage": it["stage"],
        "mode": it["mode"],
        "rank": it["rank"],
        "asyncautodelete": bool(it["asyncautodelete"]),
        "enabled": it["statecode"] == _ENABLED,
        "filteringattributes": _listed(it["filteringattributes"]),
    }
    endpoint = str(fields["endpoint"])
    check = f".{endpoint.removeprefix(CHECK)}" if endpoint.startswith(CHECK) else ""
    name = f"{table}.{it['sdkmessageid']['name']}{check}"
    said = it.get("description") or ""
    return Found("step", name, it["sdkmessageprocessingstepid"], fields, owned, description=said)


def _listed(text: str | None) -> list[str]:
    """Names from a list with commas, which Dataverse keeps in any order."""
    return sorted(part.strip() for part in (text or "").split(",") if part.strip())

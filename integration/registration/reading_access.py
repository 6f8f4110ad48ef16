"""Reads what the app's user may do: the privileges of the tables, the role, and the user itself."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from integration.errors import Permanent
from integration.flow import Columns, Flow
from integration.flow.discovery import AnyFlow
from integration.odata import literal, query
from integration.registration.items import Found, State
from integration.registration.privileges import (
    Need,
    as_listed,
    from_listed,
    from_metadata,
    from_row,
    needed,
    related_columns,
    to_see_registration,
)
from integration.registration.web_api import WebApi


class AccessReader:
    """Adds to `state`; `owned` says whether a description has our mark."""

    def __init__(self, api: WebApi, state: State, owned: Callable[[str | None], bool]) -> None:
        self._api, self._state, self._owned = api, state, owned

    async def privileges(self, flows: Collection[AnyFlow]) -> None:
        """Those of all tables of which the flows need some, and that were not read with their columns."""
        out = (it for it in flows if isinstance(it, Flow))
        await asyncio.gather(*(self._behind(flow.table, flow.columns) for flow in out))
        known = {need.table for need in self._state.privileges}
        others = {it.table for it in needed(flows, self._state.behind)} - known
        await asyncio.gather(*(self._of_table(it) for it in sorted(others)))

    async def privileges_to_see(self) -> None:
        """Those that it takes to read what is registered; after `role`.

        Which privilege the table of privileges needs is not documented. Whoever may not read it still sees which
        ones the role has.
        """
        needs = to_see_registration()
        await asyncio.gather(*(self._of_table(it.table) for it in needs if it.table))
        named = " or ".join(f"name eq '{it.kind}'" for it in needs if not it.table)
        columns = "privilegeid,name,canbebasic,canbelocal,canbedeep,canbeglobal"
        try:
            rows = await self._rows("privileges", named, columns)
        except Permanent:
            given = (it for found in self._state.found.values() for it in found.fields.get("privileges", ()))
            self._state.privileges |= from_listed(given, [it.kind for it in needs if not it.table])
            return
        self._state.privileges |= {Need("", row["name"]): from_row(row) for row in rows}

    async def role(self, name: str, mark: str) -> None:
        """The role of that name, and whatever role has our mark; business units below have copies of it."""
        top = await self._rows("businessunits", "_parentbusinessunitid_value eq null", "businessunitid")
        self._state.business_unit = str(top[0]["businessunitid"])
        where = f"(name eq '{name}' or contains(description,'{mark}')) and _parentroleid_value eq null"
        for it in await self._rows("roles", where, "roleid,name,description,ismanaged"):
            given = await self._api.get(f"RetrieveRolePrivilegesRole(RoleId={it['roleid']})")
            listed = [as_listed(each["PrivilegeName"], each["Depth"]) for each in (given or {})["RolePrivileges"]]
            said = it.get("description") or ""
            fields = {"privileges": sorted(listed)}
            owned, managed = self._owned(said), bool(it.get("ismanaged"))
            self._state.add(Found("role", it["name"], it["roleid"], fields, owned, managed, said))

    async def user(self, application: str, role: str) -> None:
        """The user as which the application signs in."""
        for it in await self._rows("systemusers", f"applicationid eq {application}", "systemuserid,isdisabled"):
            path = f"systemusers({it['systemuserid']})/systemuserroles_association"
            roles = sorted(str(each["name"]) for each in await self._api.rows(path + query({"$select": "name"})))
            fields = {"enabled": not it["isdisabled"], "roles": [name for name in roles if name == role]}
            others = ", ".join(name for name in roles if name != role)
            notes = (f"also has the role {others}: it may do more than the flows need",) if others else ()
            self._state.add(Found("user", application, it["systemuserid"], fields, owned=True, notes=notes))

    async def _behind(self, table: str, columns: type[Columns]) -> None:
        """The tables behind the navigation properties that are read."""
        related = dict(related_columns(columns))
        if not related:
            return
        to_one, to_many = "ManyToOneRelationships", "OneToManyRelationships"
        one = f"{to_one}($select=ReferencingEntityNavigationPropertyName,ReferencedEntity)"
        many = f"{to_many}($select=ReferencedEntityNavigationPropertyName,ReferencingEntity)"
        path = f"EntityDefinitions(LogicalName={literal(table)})"
        found = await self._api.get(path + query({"$select": "LogicalName", "$expand": f"{one},{many}"}))
        if found is None:
            return
        targets = {it["ReferencingEntityNavigationPropertyName"]: it["ReferencedEntity"] for it in found[to_one]}
        targets |= {it["ReferencedEntityNavigationPropertyName"]: it["ReferencingEntity"] for it in found[to_many]}
        for navigation, inner in related.items():
            if target := targets.get(navigation):
                self._state.behind[table, navigation] = target
                await self._behind(target, inner)

    async def _of_table(self, table: str) -> None:
        path = f"EntityDefinitions(LogicalName={literal(table)})"
        found = await self._api.get(path + query({"$select": "LogicalName,Privileges"}))
        if found is not None:
            self._state.privileges |= from_metadata(table, found["Privileges"])

    async def _rows(self, entity_set: str, where: str, select: str) -> list[dict[str, Any]]:
        return await self._api.rows(entity_set + query({"$select": select, "$filter": where}))

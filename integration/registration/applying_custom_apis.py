"""Writes custom APIs with their parameters, and the catalog.

What Dataverse keeps for ever of a custom API (its binding, whether it is a function, which steps it allows) is changed
by deleting and making it again, and with it everything of ours that refers to it.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from integration.errors import ConfigurationError
from integration.odata import query
from integration.registration.items import Item, State
from integration.registration.plan import CREATE, REPLACE, Change
from integration.registration.web_api import WebApi

SETS = {
    "custom-api": "customapis",
    "parameter": "customapirequestparameters",
    "response": "customapiresponseproperties",
    "catalog": "catalogs",
    "category": "catalogs",
    "assignment": "catalogassignments",
}
"""The entity sets of all that is written here."""
_ATTEMPTS, _PAUSE = 15, 2.0
"""How often, and after how many seconds, a new message is looked for: Dataverse makes it with the custom API."""


class CustomApiApplying:
    """Writes through `api`; `ids` are those of everything that is there, by address, `described` adds our mark."""

    def __init__(self, api: WebApi, state: State, ids: Mapping[str, str], mark: Callable[[str], str]) -> None:
        self._api, self._state, self._ids, self._described = api, state, ids, mark

    async def write(self, item: Item, change: Change) -> None:
        """Make one change."""
        entity_set, own = SETS[item.kind], change.id or item.id
        if change.action == REPLACE:
            await self._delete_with_what_refers(change)
        body = self._body(item)
        if change.action in {CREATE, REPLACE}:
            await self._api.create(f"{entity_set}({item.id})", {**body, **self._fixed(item)})
        else:
            no_plug_in = {"PluginTypeId@odata.bind": None} if "plugin" in change.differs else {}
            await self._api.update(f"{entity_set}({own})", {**body, **no_plug_in})

    async def message_of(self, custom_api: str) -> str:
        """The id of the message that a custom API has; waits until Dataverse has made it."""
        options = {"$select": "sdkmessageid", "$filter": f"name eq '{custom_api}'"}
        for _ in range(_ATTEMPTS):
            if found := await self._api.rows("sdkmessages" + query(options)):
                return str(found[0]["sdkmessageid"])
            await asyncio.sleep(_PAUSE)
        raise ConfigurationError(f"Dataverse has made no message for {custom_api} yet. Apply again in a few minutes.")

    def _body(self, item: Item) -> dict[str, Any]:
        """The columns that can be changed at any time."""
        fields = item.fields
        if item.kind == "assignment":
            return {"name": self._described(item.name.rpartition(".")[2])}
        body: dict[str, Any] = {"displayname": fields["displayname"]}
        if item.kind in {"custom-api", "catalog", "category"}:
            body["description"] = self._described(item.description)
        if item.kind == "custom-api":
            body |= {name: fields[name] for name in ("isprivate", "executeprivilegename")}
        return body

    def _fixed(self, item: Item) -> dict[str, Any]:
        """The columns that are written once."""
        fields = item.fields
        if item.kind == "assignment":
            return self._assigned(item)
        named = {"uniquename": item.name, "name": item.name}
        if item.kind == "custom-api":
            fixed = ("bindingtype", "boundentitylogicalname", "isfunction", "allowedcustomprocessingsteptype")
            return {**named, **{it: fields[it] for it in fixed}, "workflowsdkstepenabled": False}
        if item.kind == "category":
            return {**named, "ParentCatalogId@odata.bind": f"/catalogs({self._ids['catalog.' + fields['catalog']]})"}
        if item.kind == "catalog":
            return named
        api, _, own = item.name.partition(".")
        own_fields = {it: fields[it] for it in ("type", "isoptional", "logicalentityname") if it in fields}
        bind = {"CustomAPIId@odata.bind": f"/customapis({self._ids['custom-api.' + api]})"}
        return {"uniquename": own, "name": item.name, "description": item.description, **own_fields, **bind}

    def _assigned(self, item: Item) -> dict[str, Any]:
        category = {"CatalogId@odata.bind": f"/catalogs({self._ids['category.' + item.fields['category']]})"}
        if api := item.fields.get("custom-api"):
            return {**category, "CustomAPIId@odata.bind": f"/customapis({self._ids['custom-api.' + api]})"}
        return {**category, "EntityId@odata.bind": f"/entities({self._state.table_ids[item.fields['table']]})"}

    async def _delete_with_what_refers(self, change: Change) -> None:
        """First what of ours refers to a custom API: assignments and steps; Dataverse takes its parameters with it."""
        name = change.address.partition(".")[2]
        if change.kind == "custom-api":
            for found in self._state.found.values():
                if found.owned and found.kind == "assignment" and found.fields.get("custom-api") == name:
                    await self._api.delete(f"catalogassignments({found.id})")
                elif found.owned and found.address == f"step.none.{name}":
                    await self._api.delete(f"sdkmessageprocessingsteps({found.id})")
        await self._api.delete(f"{SETS[change.kind]}({change.id})")

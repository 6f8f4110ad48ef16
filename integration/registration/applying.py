"""Carries out a plan, one change after the other.

Every write can be repeated: rows have ids that follow from their addresses, and definitions are looked up by name. So
a run that was interrupted anywhere is finished by the next one.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from integration.errors import ConfigurationError
from integration.flow.event_flow import NO_TABLE
from integration.odata import query
from integration.registration.applying_access import AccessApplying
from integration.registration.applying_custom_apis import SETS as CUSTOM_API_SETS
from integration.registration.applying_custom_apis import CustomApiApplying
from integration.registration.applying_endpoints import Secret, endpoint_body, sends_key
from integration.registration.applying_virtual_tables import VirtualTableApplying
from integration.registration.definitions import labelled, new_column, new_key, settings_of_column
from integration.registration.items import Filter, Found, Item, State, mark, of_step
from integration.registration.plan import CREATE, DELETE, REPLACE, UPDATE, Change, Plan
from integration.registration.reading_endpoints import IDENTITIES
from integration.registration.reading_virtual_tables import EVENTS, SOURCES
from integration.registration.virtual_tables import KINDS as VIRTUAL_KINDS
from integration.registration.web_api import WebApi

_OPTION_PREFIX = 10_000
"""Where the values of a new publisher's options begin; the result columns have values of their own."""
_SETS = {
    "publisher": "publishers",
    "solution": "solutions",
    "role": "roles",
    "managed-identity": IDENTITIES,
    "endpoint": "serviceendpoints",
    "step": "sdkmessageprocessingsteps",
    "image": "sdkmessageprocessingstepimages",
    "data-source": SOURCES,
    "virtual-events": EVENTS,
    **CUSTOM_API_SETS,
}
_ENABLED = {"statecode": 0, "statuscode": 1}


class Applying:
    """Writes what a plan says. `secret` (of an endpoint) and `source_key` are asked for only to be sent."""

    def __init__(  # noqa: PLR0917 -- called once
        self,
        api: WebApi,
        items: Iterable[Item],
        state: State,
        owner: str,
        secret: Callable[[str], Secret],
        source_key: Callable[[], tuple[str, str]],
    ) -> None:
        self._api, self._state, self._mark, self._secret = api, state, mark(owner), secret
        self._items = {it.address: it for it in items}
        self._ids = {address: it.id for address, it in state.found.items()}
        self._access = AccessApplying(api, state)
        self._custom_apis = CustomApiApplying(api, state, self._ids, self._described)
        self._tables: dict[str, None] = {}
        self.virtual_tables = VirtualTableApplying(
            api, state, self._items, self._ids, self._described, source_key, self._note
        )

    async def apply(self, plan: Plan, done: Callable[[Change], None], *, allow_delete: bool = False) -> list[Change]:
        """Make all changes, deletions only where they are allowed; returns those that were not made.

        Raises the errors of `WebApi`, and `ConfigurationError` for a plan with problems.
        """
        if plan.problems:
            raise ConfigurationError("The plan cannot be carried out; nothing was changed.")
        left = [it for it in plan.changes if it.action == DELETE]
        for change in plan.changes:
            if change.action != DELETE:
                await self._make(change)
                done(change)
        if allow_delete:
            for change in left:
                await self._delete(change.address, change.id)
                done(change)
        await self._publish()
        return [] if allow_delete else left

    async def rotate(self, endpoint: str) -> None:
        """Send the key of this endpoint again."""
        secret = self._secret(endpoint)
        body = {**secret.column(), "description": self._described(secret.said())}
        await self._api.update(f"serviceendpoints({self._ids[f'endpoint.{endpoint}']})", body, secret=True)

    async def adopt(self, address: str, description: str) -> None:
        """Put our mark on something that is there."""
        found = self._state.found[address]
        if found.kind in VIRTUAL_KINDS:
            await self.virtual_tables.adopt(found)
            await self._publish()
        elif found.kind == "column":
            await self._put_column(address, {"Description": labelled(self._described(description))})
            await self._publish()
        else:
            await self._api.update(f"{_SETS[found.kind]}({found.id})", self._marked(found, found.description))

    async def _make(self, change: Change) -> None:
        item = self._items[change.address]
        if change.kind == "solution":
            self._api.solution = None
        if change.kind == "change-tracking":
            await self._track(item.name)
        elif change.kind == "column":
            await self._column(item, change)
        elif change.kind == "key":
            await self._key(item, change)
        elif change.kind in VIRTUAL_KINDS:
            await self.virtual_tables.write(item, change)
        elif change.kind in CUSTOM_API_SETS:
            await self._custom_apis.write(item, change)
            self._ids[item.address] = change.id if change.action == UPDATE and change.id else item.id
        elif change.kind == "role":
            await self._role(item, change)
        elif change.kind == "user":
            await self._access.user(item)
        else:
            await self._row(item, change)
        if change.kind == "solution":
            self._api.solution = item.name

    async def _row(self, item: Item, change: Change) -> None:
        row_id = change.id or item.id
        path = f"{_SETS[item.kind]}({row_id})"
        body = self._body(item, change)
        if change.action == REPLACE:
            await self._delete(change.address, change.id)
            path = f"{_SETS[item.kind]}({item.id})"
        with_key = sends_key(item, change)
        if item.kind != "image":
            body |= self._marked(item, change.description)
        if with_key:
            secret = self._secret(item.name)
            body |= {**secret.column(), "description": self._described(secret.said())}
        if change.action in {CREATE, REPLACE}:
            await self._api.create(path, {**body, **await self._fixed(item)}, secret=with_key)
            self._ids[item.address] = item.id
        else:
            await self._api.update(path, body, secret=with_key)

    async def _role(self, item: Item, change: Change) -> None:
        if change.action == CREATE:
            unit = {"businessunitid@odata.bind": f"/businessunits({self._state.business_unit})"}
            body = {"name": item.name, "description": self._described(item.description), **unit}
            await self._api.create(f"roles({item.id})", body)
        await self._access.grant(change.id or item.id, item.fields["privileges"])

    def _body(self, item: Item, change: Change) -> dict[str, Any]:
        """The columns of a row that can be changed at any time."""
        fields = dict(item.fields)
        if item.kind == "publisher":
            return {"friendlyname": fields["friendlyname"]}
        if item.kind == "solution":
            owner = self._ids[f"publisher.{fields['publisher']}"]
            return {"friendlyname": fields["friendlyname"], "publisherid@odata.bind": f"/publishers({owner})"}
        if item.kind == "endpoint":
            return endpoint_body(item, change, self._ids)
        if item.kind == "step":
            endpoint = self._ids[f"endpoint.{fields.pop('endpoint')}"]
            del fields["enabled"]
            names = fields.pop("filteringattributes")
            fields |= _ENABLED | {
                "filteringattributes": ",".join(names) or None,
                "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({endpoint})",
            }
        elif item.kind == "image":
            fields |= {"attributes": ",".join(fields["attributes"]), "name": fields["entityalias"]}
        return fields

    async def _fixed(self, item: Item) -> Mapping[str, Any]:
        """The columns that are written once."""
        if item.kind == "publisher":
            prefix = {"customizationprefix": item.fields["customizationprefix"]}
            return {"uniquename": item.name, "customizationoptionvalueprefix": _OPTION_PREFIX, **prefix}
        if item.kind == "solution":
            return {"uniquename": item.name, "version": "1.0.0.0"}
        if item.kind == "step":
            table, message, _ = of_step(item.name)
            if table == NO_TABLE:
                own = await self._custom_apis.message_of(message)
                return {"supporteddeployment": 0, "sdkmessageid@odata.bind": f"/sdkmessages({own})"}
            found = self._state.filters.get((table, message)) or await self._filter_of(table, message)
            return {
                "supporteddeployment": 0,
                "sdkmessageid@odata.bind": f"/sdkmessages({found.message_id})",
                "sdkmessagefilterid@odata.bind": f"/sdkmessagefilters({found.id})",
            }
        if item.kind == "image":
            step = self._ids[f"step.{item.name.rpartition('.')[0]}"]
            return {"sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps({step})"}
        return {}

    async def _filter_of(self, table: str, message: str) -> Filter:
        """The message filter of a virtual table, which was switched on a moment ago."""
        where = f"primaryobjecttypecode eq '{table}' and sdkmessageid/name eq '{message}'"
        options = {"$select": "sdkmessagefilterid,_sdkmessageid_value", "$filter": where}
        for it in await self._api.rows("sdkmessagefilters" + query(options)):
            return Filter(it["sdkmessagefilterid"], it["_sdkmessageid_value"], steps_allowed=True)
        raise ConfigurationError(f"Dataverse has not given {table} the message {message} yet. Apply again in a minute.")

    async def _track(self, table: str) -> None:
        await self._api.change_definition(f"EntityDefinitions(LogicalName='{table}')", {"ChangeTrackingEnabled": True})
        self._tables[table] = None

    async def _column(self, item: Item, change: Change) -> None:
        table, _, name = item.name.partition(".")
        if change.action == CREATE:
            body = new_column(item, self._described(item.description))
            await self._api.post(f"EntityDefinitions(LogicalName='{table}')/Attributes", body)
            return
        if set(change.differs) - {"options"}:
            settings = settings_of_column(item) | {"DisplayName": labelled(item.fields["label"])}
            await self._put_column(change.address, settings)
        there = (change.before or {}).get("options") or {}
        for value, word in item.fields.get("options", {}).items():
            if there.get(value) != word:
                action = "UpdateOptionValue" if value in there else "InsertOptionValue"
                option = {"Value": int(value), "Label": labelled(word)}
                column = {"EntityLogicalName": table, "AttributeLogicalName": name}
                more = {"MergeLabels": True} if value in there else {}
                await self._api.post(action, column | option | more)
        self._tables[table] = None

    async def _put_column(self, address: str, settings: Mapping[str, Any]) -> None:
        table, _, name = self._state.found[address].name.partition(".")
        path = f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{name}')"
        await self._api.change_definition(path, settings)
        self._tables[table] = None

    async def _key(self, item: Item, change: Change) -> None:
        if change.action == REPLACE:
            await self._delete(change.address, change.id)
        table = item.name.partition(".")[0]
        await self._api.post(f"EntityDefinitions(LogicalName='{table}')/Keys", new_key(item))

    async def _delete(self, address: str, row_id: str | None) -> None:
        kind, _, name = address.partition(".")
        table, _, part = name.partition(".")
        if kind in {"column", "virtual-column"}:
            path = f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{part}')"
        elif kind == "virtual-table":
            path = f"EntityDefinitions(LogicalName='{name}')"
        elif kind == "key":
            path = f"EntityDefinitions(LogicalName='{table}')/Keys(LogicalName='{part}')"
        else:
            path = f"{_SETS[kind]}({row_id})"
        await self._api.delete(path)

    async def _publish(self) -> None:
        """Changes of definitions can be read once they are published."""
        if self._tables:
            named = "".join(f"<entity>{table}</entity>" for table in self._tables)
            xml = f"<importexportxml><entities>{named}</entities></importexportxml>"
            await self._api.post("PublishXml", {"ParameterXml": xml})
            self._tables.clear()

    def _note(self, table: str) -> None:
        """A definition was changed that has to be published."""
        self._tables[table] = None

    def _marked(self, of: Item | Found, description: str) -> dict[str, str]:
        """The column that has our mark: the description, or the name of what has none."""
        if of.kind == "managed-identity":
            return {"name": self._described(of.name)}
        return {"description": self._described(description)}

    def _described(self, text: str) -> str:
        """A description with our mark."""
        return text if self._mark in text else f"{text} {self._mark}".strip()

"""Writes the data source, virtual tables with their columns, and which of their changes other systems may report."""

from collections.abc import Callable, Mapping
from typing import Any

from integration.errors import ConfigurationError
from integration.registration.definitions import NAMESPACE, labelled
from integration.registration.endpoints import KEY_HEADER
from integration.registration.items import Found, Item, State
from integration.registration.plan import CREATE, Change
from integration.registration.reading_virtual_tables import EVENTS, SOURCES, SWITCHES
from integration.registration.web_api import WebApi

_REQUIRED = {"CanBeChanged": True, "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings"}
_OPTIONS = {"TrueOption": (1, "Yes"), "FalseOption": (0, "No")}


class VirtualTableApplying:
    """Writes through `api`; `described` adds our mark, and `secret` gives the key of the data source and a note of it.

    `items` are all that are declared, `ids` those of what is there by address, `changed` is told each table.
    """

    def __init__(  # noqa: PLR0917 -- called once
        self,
        api: WebApi,
        state: State,
        items: Mapping[str, Item],
        ids: dict[str, str],
        described: Callable[[str], str],
        secret: Callable[[], tuple[str, str]],
        changed: Callable[[str], None],
    ) -> None:
        self._api, self._state, self._items, self._ids = api, state, items, ids
        self._described, self._secret, self._changed = described, secret, changed
        self._made: set[str] = set()

    async def write(self, item: Item, change: Change) -> None:
        """Make one change."""
        if item.kind == "data-source":
            await self._data_source(item, change)
        elif item.kind == "virtual-table":
            await self._table(item, change)
        elif item.kind == "virtual-column":
            await self._column(item, change)
        else:
            await self._events(item, change)

    async def rotate(self, source_id: str) -> None:
        """Send the key of the data source again."""
        await self._api.update(f"{SOURCES}({source_id})", self._key(), secret=True)

    async def adopt(self, found: Found) -> None:
        """Put our mark on something that is there."""
        said = self._described(found.description)
        if found.kind == "virtual-table":
            await self._api.change_definition(
                f"EntityDefinitions(LogicalName='{found.name}')", {"Description": labelled(said)}
            )
            self._changed(found.name)
        elif found.kind == "virtual-column":
            table, _, name = found.name.partition(".")
            path = f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{name}')"
            await self._api.change_definition(path, {"Description": labelled(said)})
            self._changed(table)
        elif found.kind == "data-source":
            await self._api.update(f"{SOURCES}({found.id})", {"msdyn_description": said})
        else:
            await self._api.update(f"{EVENTS}({found.id})", {"name": said})

    def _key(self) -> dict[str, Any]:
        value, said = self._secret()
        parameter = {
            "msdyn_parameter1name": KEY_HEADER,
            "msdyn_isparameter1header": True,
            "msdyn_parameter1value": value,
        }
        return {**parameter, "msdyn_description": self._described(said)}

    async def _data_source(self, item: Item, change: Change) -> None:
        """The key goes with the name of its header: one without the other says nothing."""
        sends_key = change.action == CREATE or bool({"msdyn_parameter1name", "msdyn_uri"} & set(change.differs))
        body = {"msdyn_name": item.name, **item.fields, **(self._key() if sends_key else {})}
        if change.action == CREATE:
            await self._api.create(f"{SOURCES}({item.id})", body, secret=True)
            self._ids[item.address] = item.id
        else:
            await self._api.update(f"{SOURCES}({change.id})", body, secret=sends_key)

    async def _table(self, item: Item, change: Change) -> None:
        fields, path = item.fields, f"EntityDefinitions(LogicalName='{item.name}')"
        if self._state.data_provider is None:
            raise ConfigurationError("The environment has no OData v4 data provider: install that of Microsoft first.")
        external = {
            "DataProviderId": self._state.data_provider,
            "DataSourceId": self._ids[f"data-source.{fields['source']}"],
            "ExternalName": fields["external"],
            "ExternalCollectionName": fields["collection"],
        }
        texts = {
            "DisplayName": labelled(fields["label"]),
            "DisplayCollectionName": labelled(fields["label"]),
            "Description": labelled(self._described(item.description)),
        }
        if change.action == CREATE:
            columns = [
                self._new_column(it, primary=it.name.partition(".")[2] == fields["primary"])
                for it in self._items.values()
                if it.kind == "virtual-column" and it.name.startswith(f"{item.name}.")
            ]
            body = {
                "@odata.type": f"{NAMESPACE}.EntityMetadata",
                "SchemaName": item.schema_name,
                "OwnershipType": "OrganizationOwned",
                "TableType": "Virtual",
                "HasActivities": False,
                "HasNotes": False,
                **texts,
                **external,
                "Attributes": columns,
            }
            await self._api.post("EntityDefinitions", body)
            self._made.add(item.name)
        elif set(change.differs) - {"key"}:
            await self._api.change_definition(path, {**texts, **external})
        if change.action == CREATE or "key" in change.differs:
            await self._api.change_definition(
                f"{path}/Attributes(LogicalName='{item.name}id')", {"ExternalName": fields["key"]}
            )
        self._changed(item.name)

    async def _column(self, item: Item, change: Change) -> None:
        table, _, name = item.name.partition(".")
        if table in self._made:
            return
        path = f"EntityDefinitions(LogicalName='{table}')/Attributes"
        if change.action == CREATE:
            await self._api.post(path, self._new_column(item))
        else:
            await self._api.change_definition(f"{path}(LogicalName='{name}')", _settings(item))
        self._changed(table)

    def _new_column(self, item: Item, *, primary: bool = False) -> dict[str, Any]:
        """The body that makes a column."""
        kind = item.fields["type"]
        body = {
            "@odata.type": f"{NAMESPACE}.{kind}AttributeMetadata",
            "AttributeType": kind,
            "AttributeTypeName": {"Value": f"{kind}Type"},
            "SchemaName": item.schema_name,
            "Description": labelled(self._described(item.description)),
            **_settings(item),
        }
        if kind == "Boolean":
            body["OptionSet"] = {
                "@odata.type": f"{NAMESPACE}.BooleanOptionSetMetadata",
                **{name: {"Value": value, "Label": labelled(word)} for name, (value, word) in _OPTIONS.items()},
            }
        return {**body, "IsPrimaryName": True} if primary else body

    async def _events(self, item: Item, change: Change) -> None:
        switches = {column: item.fields[word] for word, column in SWITCHES.items()}
        body = {"name": self._described(item.description), **switches}
        if change.action == CREATE:
            table = await self._table_id(item.name)
            bind = {"extensionofrecordid@odata.bind": f"/entities({table})"}
            await self._api.create(f"{EVENTS}({item.id})", {**body, **bind})
        else:
            await self._api.update(f"{EVENTS}({change.id})", body)

    async def _table_id(self, table: str) -> str:
        if table not in self._state.table_ids:
            found = await self._api.get(f"EntityDefinitions(LogicalName='{table}')?$select=MetadataId")
            self._state.table_ids[table] = found["MetadataId"]
        return self._state.table_ids[table]


def _settings(item: Item) -> dict[str, Any]:
    """What of a column can be changed at any time."""
    fields = item.fields
    found = {
        "DisplayName": labelled(fields["label"]),
        "RequiredLevel": {"Value": "ApplicationRequired" if fields["required"] else "None", **_REQUIRED},
        "ExternalName": fields["external"],
        **{name: fields[name] for name in ("MaxLength", "Precision", "Format") if name in fields},
    }
    if fields["type"] == "String":
        found["FormatName"] = {"Value": "Text"}
    if "DateTimeBehavior" in fields:
        found["DateTimeBehavior"] = {"Value": fields["DateTimeBehavior"]}
    return found

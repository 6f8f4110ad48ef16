"""Reads the data source, the virtual tables with their columns, and which of their changes other systems may report.

The value of a data source's parameter is a key, and is never read.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

from integration.odata import literal, query, quoted
from integration.registration.definitions import label
from integration.registration.items import Found, State
from integration.registration.web_api import WebApi

SOURCES: Final = "msdyn_odatav4ds"
EVENTS: Final = "virtualentitymetadatas"
_SOURCE: Final = (
    "msdyn_uri,msdyn_timeout,msdyn_paginationtype,msdyn_returninlinecount,msdyn_parameter1name,msdyn_isparameter1header"
)
_TABLE: Final = (
    "LogicalName,MetadataId,Description,DisplayName,DataSourceId,ExternalName,ExternalCollectionName,"
    "PrimaryNameAttribute,PrimaryIdAttribute,IsManaged"
)
_REQUIRED: Final = frozenset({"ApplicationRequired", "SystemRequired"})
SWITCHES: Final = {
    "created": "isonexternalcreatedenabled",
    "updated": "isonexternalupdatedenabled",
    "deleted": "isonexternaldeletedenabled",
}
"""Columns of `EVENTS`, by what they switch on."""


class VirtualTableReader:
    """Adds to `state`; `owned` says whether a description has our mark, which is `mark`."""

    def __init__(self, api: WebApi, state: State, owned: Callable[[str | None], bool], mark: str) -> None:
        self._api, self._state, self._owned, self._mark = api, state, owned, mark
        self._sources: dict[str, str] = {}

    async def read(self, source: str, tables: Collection[str]) -> None:
        """The provider, the data source of that name, the tables of these names, and those of our data source."""
        await self._provider()
        await self._data_source(source)
        names = dict.fromkeys(tables)
        for source_id in self._sources:
            where = {"$select": "LogicalName", "$filter": f"DataSourceId eq {source_id}"}
            found = await self._api.rows("EntityDefinitions" + query(where))
            names |= dict.fromkeys(it["LogicalName"] for it in found)
        for name in names:
            await self._table(name)
        await self._events()

    async def _provider(self) -> None:
        """Its id differs between environments: it is found by the table of its data sources."""
        where = {"$select": "entitydataproviderid", "$filter": f"datasourcelogicalname eq '{SOURCES}'"}
        for it in await self._api.rows("entitydataproviders" + query(where)):
            self._state.data_provider = it["entitydataproviderid"]

    async def _data_source(self, name: str) -> None:
        columns = f"{SOURCES}id,msdyn_name,msdyn_description,{_SOURCE}"
        where = f"msdyn_name eq {quoted(name)} or contains(msdyn_description,'{self._mark}')"
        for it in await self._api.rows(SOURCES + query({"$select": columns, "$filter": where})):
            said, own = it.get("msdyn_description") or "", it[f"{SOURCES}id"]
            fields = {column: it.get(column) for column in _SOURCE.split(",")}
            self._state.add(Found("data-source", it["msdyn_name"], own, fields, self._owned(said), description=said))
            self._sources[own] = it["msdyn_name"]

    async def _table(self, name: str) -> None:
        path = f"EntityDefinitions(LogicalName={literal(name)})"
        it = await self._api.get(path + query({"$select": _TABLE}))
        if it is None:
            return
        columns = await self._api.rows(f"{path}/Attributes")
        state, said, own = self._state, label(it.get("Description")), it["PrimaryIdAttribute"]
        state.columns[name] = frozenset(each["LogicalName"] for each in columns)
        state.table_ids[name] = it["MetadataId"]
        key = next((each.get("ExternalName") for each in columns if each["LogicalName"] == own), None)
        source_id = it.get("DataSourceId")
        fields = {
            "label": label(it["DisplayName"]),
            "source": self._sources.get(source_id, source_id),
            "external": it.get("ExternalName"),
            "collection": it.get("ExternalCollectionName"),
            "key": key,
            "primary": it["PrimaryNameAttribute"],
        }
        owned, managed = self._owned(said), bool(it.get("IsManaged"))
        state.add(Found("virtual-table", name, it["MetadataId"], fields, owned, managed, said))
        for each in columns:
            if each["LogicalName"] != own and each.get("ExternalName"):
                self._column(name, each)

    def _column(self, table: str, it: dict[str, Any]) -> None:
        said = label(it.get("Description"))
        behavior = it.get("DateTimeBehavior")
        fields = {
            "label": label(it["DisplayName"]),
            "external": it["ExternalName"],
            "required": it["RequiredLevel"]["Value"] in _REQUIRED,
            "type": it["AttributeType"],
            **{name: it.get(name) for name in ("MaxLength", "Precision", "Format")},
            "DateTimeBehavior": behavior["Value"] if isinstance(behavior, dict) else behavior,
        }
        name, managed = f"{table}.{it['LogicalName']}", bool(it.get("IsManaged"))
        self._state.add(Found("virtual-column", name, it["MetadataId"], fields, self._owned(said), managed, said))

    async def _events(self) -> None:
        tables = {row_id: name for name, row_id in self._state.table_ids.items()}
        columns = f"virtualentitymetadataid,name,_extensionofrecordid_value,{','.join(SWITCHES.values())}"
        for it in await self._api.rows(EVENTS + query({"$select": columns})):
            table = tables.get(it["_extensionofrecordid_value"])
            if table is None or f"virtual-table.{table}" not in self._state.found:
                continue
            fields = {word: bool(it[column]) for word, column in SWITCHES.items()}
            said = it["name"]
            found = Found(
                "virtual-events", table, it["virtualentitymetadataid"], fields, self._owned(said), description=said
            )
            self._state.add(found)

"""What the definitions of virtual tables have that others have not.

Source: "API considerations of virtual tables" in Microsoft's documentation.
"""

from typing import Any

from sandbox.systems.dataverse.definitions import OF_VIRTUAL_TABLES
from sandbox.systems.dataverse.errors import bad_request, invalid_argument, still_referenced
from sandbox.systems.dataverse.schema import Table
from sandbox.systems.dataverse.store import Row, Store

Definition = dict[str, Any]

NO_PROVIDER = "7015a531-cc0d-4537-b5f2-c882a1eb65ad"
"""The DataProviderId of a virtual table whose provider is not known yet."""
SOURCES = "msdyn_odatav4ds"
"""The table of the data sources that the OData v4 provider has."""
PROVIDERS = "entitydataprovider"
_INVALID = "0x80048d19"


def external_of(body: Definition) -> Definition:
    """What makes a table a virtual one; empty for others, and 400 for half of it."""
    given = {name: body[name] for name in OF_VIRTUAL_TABLES if body.get(name) is not None}
    if given and "DataProviderId" not in given:
        raise bad_request(f"{next(iter(given))} is for virtual tables, which have a DataProviderId.", _INVALID)
    return given


def check_virtual(definition: Definition) -> None:
    """400 for a virtual table that has owners or change tracking."""
    if definition.get("DataProviderId") is None:
        return
    if definition["OwnershipType"] != "OrganizationOwned" or definition["ChangeTrackingEnabled"]:
        raise bad_request("A virtual table belongs to the organisation, and has no change tracking.", _INVALID)


def check_external(table: Table, definition: Definition) -> None:
    """400 for an ExternalName of a column where there is nothing external."""
    if definition.get("ExternalName") and not table.is_virtual:
        raise bad_request("A column has an ExternalName in virtual tables only.", _INVALID)


def check_source(definition: Definition, store: Store) -> None:
    """400 for a virtual table whose provider or data source is not there."""
    provider, source = definition.get("DataProviderId"), definition.get("DataSourceId")
    if provider is None or str(provider).lower() == NO_PROVIDER:
        return
    if store.get(PROVIDERS, str(provider).lower()) is None:
        raise invalid_argument(f"There is no data provider with the id {provider}.")
    if source is not None and store.get(SOURCES, str(source).lower()) is None:
        raise invalid_argument(f"There is no data source of the OData v4 provider with the id {source}.")


def check_unused(source: Row, store: Store) -> None:
    """400 while virtual tables have this data source."""
    found = store.database.execute(
        "SELECT count(*) AS users FROM tables WHERE lower(json_extract(definition, '$.DataSourceId')) = ?", (source.id,)
    ).fetchone()
    if found["users"]:
        raise still_referenced(f"{SOURCES}({source.id})", found["users"])

"""Which virtual tables have the messages by which another system says that rows have changed there.

A row of virtualentitymetadata switches them on, each by itself. Source: "Enable Virtual Tables to support Dataverse
events" in Microsoft's documentation.
"""

import uuid
from typing import Final

from sandbox.systems.dataverse.errors import invalid_argument, still_referenced
from sandbox.systems.dataverse.schema import Schema
from sandbox.systems.dataverse.store import Row, Store, Values

METADATA: Final = "virtualentitymetadata"
CREATED, UPDATED, DELETED = "OnExternalCreated", "OnExternalUpdated", "OnExternalDeleted"
SWITCHES: Final = {
    CREATED: "isonexternalcreatedenabled",
    UPDATED: "isonexternalupdatedenabled",
    DELETED: "isonexternaldeletedenabled",
}
"""The messages, with the columns of virtualentitymetadata that switch them on."""
_SPACE: Final = uuid.UUID("1f1a6c3e-6a0e-4b5c-8d59-0f0f9f4b8a55")


def check_metadata(whole: Values, store: Store, schema: Schema) -> None:
    """400 for a row that is not about a virtual table, or about one that has such a row."""
    table = _table(whole, store)
    found = schema.get(table)
    if found is None or not found.is_virtual:
        raise invalid_argument(f"The table {table} is not a virtual one, so it has no metadata of virtual entities.")
    others = store.rows(METADATA)
    own = whole.get("virtualentitymetadataid")
    if any(it.id != own and it.values["extensionofrecordid"] == whole["extensionofrecordid"] for it in others):
        raise invalid_argument(f"The table {table} has metadata of virtual entities already.")


def settle(whole: Values, store: Store) -> None:
    """Give a table the messages that its row switches on, and take the others away; 400 while steps need them."""
    table = _table(whole, store)
    for message, switch in SWITCHES.items():
        known = filter_of(table, message, store)
        if whole.get(switch) and known is None:
            sent = store.find("sdkmessage", {"name": message})
            assert sent is not None  # noqa: S101 -- planted with the environment
            filter_id = _filter_id(table, message)
            content: Values = {
                "sdkmessagefilterid": filter_id,
                "primaryobjecttypecode": table,
                "secondaryobjecttypecode": "none",
                "iscustomprocessingstepallowed": True,
                "sdkmessageid": sent.reference,
            }
            store.put("sdkmessagefilter", filter_id, content)
        elif not whole.get(switch) and known is not None:
            _refuse_while_used(known, store)
            store.remove("sdkmessagefilter", known.id)


def filter_of(table: str, message: str, store: Store) -> Row | None:
    """The message filter of a table that has the message."""
    return store.get("sdkmessagefilter", _filter_id(table, message))


def going_with(whole: Values, store: Store) -> list[Row]:
    """The message filters that go with a row; 400 while steps need them."""
    table = _table(whole, store)
    found = [it for message in SWITCHES if (it := filter_of(table, message, store)) is not None]
    for each in found:
        _refuse_while_used(each, store)
    return found


def forget(table_id: str, store: Store) -> None:
    """What goes with a table that is deleted; 400 while steps need it."""
    for row in store.rows(METADATA):
        if row.values["extensionofrecordid"]["id"] == table_id:
            for found in going_with(row.values, store):
                store.remove(found.table, found.id)
            store.remove(METADATA, row.id)


def _table(whole: Values, store: Store) -> str:
    entity = store.get("entity", whole["extensionofrecordid"]["id"])
    return "" if entity is None else str(entity.values["logicalname"])


def _filter_id(table: str, message: str) -> str:
    return str(uuid.uuid5(_SPACE, f"{message} of {table}"))


def _refuse_while_used(found: Row, store: Store) -> None:
    users = store.referring("sdkmessageprocessingstep", "sdkmessagefilterid", found)
    if users:
        raise still_referenced(f"SdkMessageFilter({found.id})", len(users))

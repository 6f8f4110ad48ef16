"""What Dataverse refuses of custom APIs and catalogs, and the message that comes and goes with a custom API.

Sources: "CustomAPI tables" and "Catalog and CatalogAssignment tables" in Microsoft's documentation.
"""

import re

from sandbox.systems.dataverse.errors import invalid_argument, not_simulated, still_referenced
from sandbox.systems.dataverse.schema import Table
from sandbox.systems.dataverse.store import Row, Store, Values
from sandbox.systems.dataverse.values import new_guid

TABLES = frozenset(
    {"customapi", "customapirequestparameter", "customapiresponseproperty", "catalog", "catalogassignment"}
)
NONE, ASYNCHRONOUS_ONLY = 0, 1
GLOBAL, ENTITY, ENTITY_COLLECTION = 0, 1, 2
_PREFIXED = re.compile(r"[A-Za-z][A-Za-z0-9]{1,7}_\w+")
_FIXED = {
    "customapi": (
        "uniquename",
        "bindingtype",
        "boundentitylogicalname",
        "isfunction",
        "allowedcustomprocessingsteptype",
        "workflowsdkstepenabled",
    ),
    "customapirequestparameter": ("uniquename", "type", "isoptional", "logicalentityname", "customapiid"),
    "customapiresponseproperty": ("uniquename", "type", "logicalentityname", "customapiid"),
    "catalog": ("uniquename", "parentcatalogid"),
    "catalogassignment": ("object",),
}
_NEEDED = {
    "customapi": ("uniquename", "name", "displayname", "description", "bindingtype", "allowedcustomprocessingsteptype"),
    "customapirequestparameter": ("uniquename", "name", "displayname", "description", "type", "customapiid"),
    "customapiresponseproperty": ("uniquename", "name", "displayname", "description", "type", "customapiid"),
    "catalog": ("uniquename", "name", "displayname", "description"),
    "catalogassignment": ("name", "catalogid", "object"),
}


def check_custom_api(table: Table, whole: Values, before: Row | None, store: Store) -> None:
    """Raise 400 for what is missing, wrong or fixed, 501 for what only a real environment has."""
    for name in _NEEDED[table.name]:
        if whole.get(name) is None:
            raise invalid_argument(f"Required field '{name}' is missing for {table.name}.")
    for name in _FIXED[table.name] if before is not None else ():
        if before is not None and whole.get(name) != before.values.get(name):
            raise invalid_argument(f"The value of '{name}' of {table.name} cannot be changed after it was saved.")
    if table.name in {"customapi", "catalog"} and _PREFIXED.fullmatch(whole["uniquename"]) is None:
        raise invalid_argument(f"The unique name '{whole['uniquename']}' needs the prefix of a publisher.")
    if table.name == "customapi":
        _check_binding(whole, store)
    if table.name == "catalog" and whole.get("parentcatalogid"):
        parent = store.get("catalog", whole["parentcatalogid"]["id"])
        if parent is not None and parent.values.get("parentcatalogid"):
            raise invalid_argument("A catalog has two levels: the parent of a category is no category itself.")


def _check_binding(whole: Values, store: Store) -> None:
    if whole["bindingtype"] == ENTITY_COLLECTION or whole.get("isfunction"):
        raise not_simulated("A custom API that is bound to an entity collection, or a function,")
    bound = whole.get("boundentitylogicalname")
    if whole["bindingtype"] == ENTITY and store.find("entity", {"logicalname": bound}) is None:
        raise invalid_argument(f"The bound entity '{bound}' of the custom API does not exist.")
    if whole["bindingtype"] == GLOBAL and bound is not None:
        raise invalid_argument("A custom API with global binding has no bound entity.")


def check_message_allows(message: Row | None, mode: int, store: Store) -> None:
    """Raise 400 for a step that the custom API of a message does not allow."""
    api = None if message is None else store.find("customapi", {"uniquename": message.values["name"]})
    if api is None:
        return
    allowed = api.values["allowedcustomprocessingsteptype"]
    if allowed == NONE or (allowed == ASYNCHRONOUS_ONLY and not mode):
        raise invalid_argument(
            f"Custom SdkMessageProcessingStep is not allowed on the message {api.values['uniquename']}."
        )


def make_message(api: Values, store: Store) -> None:
    """The message of a new custom API, for the table that it is bound to, or for none."""
    message_id, filter_id = new_guid(), new_guid()
    store.put("sdkmessage", message_id, {"sdkmessageid": message_id, "name": api["uniquename"]})
    values = {
        "sdkmessagefilterid": filter_id,
        "primaryobjecttypecode": api.get("boundentitylogicalname") or "none",
        "secondaryobjecttypecode": "none",
        "iscustomprocessingstepallowed": api["allowedcustomprocessingsteptype"] != NONE,
        "sdkmessageid": {"table": "sdkmessage", "id": message_id},
    }
    store.put("sdkmessagefilter", filter_id, values)


def going_with(row: Row, store: Store) -> list[Row]:
    """What is deleted with a row: parameters, properties and message of a custom API; 400 while something needs it."""
    if row.table == "catalog":
        _refuse_while(store, "catalog", "parentcatalogid", row)
        _refuse_while(store, "catalogassignment", "catalogid", row)
    if row.table != "customapi":
        return []
    _refuse_while(store, "catalogassignment", "object", row)
    message = store.find("sdkmessage", {"name": row.values["uniquename"]})
    of_message: list[Row] = []
    if message is not None:
        _refuse_while(store, "sdkmessageprocessingstep", "sdkmessageid", message)
        of_message = [message, *store.referring("sdkmessagefilter", "sdkmessageid", message)]
    parts = ("customapirequestparameter", "customapiresponseproperty")
    return [*of_message, *(part for table in parts for part in store.referring(table, "customapiid", row))]


def _refuse_while(store: Store, table: str, column: str, row: Row) -> None:
    users = store.referring(table, column, row)
    if users:
        raise still_referenced(f"{row.table}({row.id})", len(users))

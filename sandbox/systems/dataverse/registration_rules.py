"""What Dataverse refuses when steps and endpoints are registered or removed."""

from sandbox.systems.dataverse import external_messages, managed_identity, service_bus, specialised
from sandbox.systems.dataverse.custom_api_rules import check_message_allows
from sandbox.systems.dataverse.errors import invalid_argument, not_simulated, still_referenced
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Row, Store, Values
from sandbox.systems.dataverse.virtual_definitions import SOURCES, check_unused

WEBHOOK = 8
ASYNCHRONOUS = 1
POST_OPERATION = 40
STAGES = frozenset({10, 20, POST_OPERATION})
PRE_IMAGE, POST_IMAGE = 0, 1
_CREATING = frozenset({"Create", "CreateMultiple"})
_UPDATING = frozenset({"Update", "UpdateMultiple"})
_IMAGE_PROPERTIES = {
    "Create": {"Id", "Target"},
    "CreateMultiple": {"Ids", "Targets"},
    "UpdateMultiple": {"Targets"},
    **{message: {"EntityMoniker"} for message in specialised.SET_STATE},
}
"""By which property of the message its images find their rows; of the other messages it is Target."""


def check_registration(table: Table, whole: Values, store: Store, schema: Schema) -> None:
    """Raise 400 for an endpoint, step or image that is not possible."""
    for name in _REQUIRED.get(table.name, ()):
        if whole.get(name) is None:
            raise invalid_argument(f"Required field '{name}' is missing for {table.name}.")
    if table.name == "serviceendpoint" and whole["contract"] == WEBHOOK and not whole.get("url"):
        raise invalid_argument("A webhook needs a url.")
    if table.name == "serviceendpoint" and whole["contract"] in service_bus.CONTRACTS:
        _check_bus(whole)
    if table.name == managed_identity.TABLE:
        managed_identity.check_identity(whole)
    if table.name == "sdkmessageprocessingstep":
        _check_step(whole, store, schema)
    if table.name == "sdkmessageprocessingstepimage":
        _check_image(whole, store, schema)
    if table.name == external_messages.METADATA:
        external_messages.check_metadata(whole, store, schema)


def check_delete(row: Row, store: Store) -> list[Row]:
    """The rows that go with a row: images with their step, components with their solution.

    400 while steps use an endpoint.
    """
    if row.table == "serviceendpoint":
        users = store.referring("sdkmessageprocessingstep", "eventhandler", row)
        if users:
            raise still_referenced(f"ServiceEndpoint({row.id})", len(users))
    if row.table == "sdkmessageprocessingstep":
        return store.referring("sdkmessageprocessingstepimage", "sdkmessageprocessingstepid", row)
    if row.table == external_messages.METADATA:
        return external_messages.going_with(row.values, store)
    if row.table == SOURCES:
        check_unused(row, store)
    if row.table == "solution":
        return store.referring("solutioncomponent", "solutionid", row)
    return []


def _check_bus(whole: Values) -> None:
    kind = whole.get("authtype") or service_bus.SAS_KEY
    if kind not in service_bus.SIGN_IN:
        raise not_simulated("A queue, topic or event hub with another authtype than SASKey (2) and ManagedIdentity (9)")
    missing = [name for name in ("namespaceaddress", "path", *service_bus.SIGN_IN[kind]) if not whole.get(name)]
    if missing:
        raise invalid_argument(f"A queue, topic or event hub needs {', '.join(missing)}.")
    if whole.get("messageformat") == service_bus.BINARY_XML:
        raise not_simulated("The message format .NET binary XML")


def _check_step(whole: Values, store: Store, schema: Schema) -> None:
    if whole["stage"] not in STAGES:
        raise invalid_argument(
            "Steps are registered in the stages 10 (pre-validation), 20 (pre-operation) and 40 (post-operation)."
        )
    if whole["mode"] == ASYNCHRONOUS and whole["stage"] != POST_OPERATION:
        raise invalid_argument("Asynchronous steps are supported in the post-operation stage (40) only.")
    message = store.get("sdkmessage", whole["sdkmessageid"]["id"])
    check_message_allows(message, whole["mode"], store)
    chosen = whole.get("sdkmessagefilterid")
    of_table = store.get("sdkmessagefilter", chosen["id"]) if chosen else None
    if of_table is not None and of_table.values["sdkmessageid"] != whole["sdkmessageid"]:
        raise invalid_argument("The message filter belongs to another message.")
    if whole.get("filteringattributes"):
        if message is None or message.values["name"] not in _UPDATING:
            raise invalid_argument("Filtering attributes are supported for the Update message only.")
        if of_table is not None:
            _check_columns(schema[of_table.values["primaryobjecttypecode"]], whole["filteringattributes"])


def _check_image(whole: Values, store: Store, schema: Schema) -> None:
    step = store.get("sdkmessageprocessingstep", whole["sdkmessageprocessingstepid"]["id"])
    message = store.get("sdkmessage", step.values["sdkmessageid"]["id"]) if step else None
    name = message.values["name"] if message else ""
    if name in {"Win", "Lose"} or store.find("customapi", {"uniquename": name}) is not None:
        raise invalid_argument(f"Images are not supported for the {name} message.")
    if name in _CREATING and whole["imagetype"] != POST_IMAGE:
        raise invalid_argument(f"PreImage is not supported for the {name} message.")
    if name == "Delete" and whole["imagetype"] != PRE_IMAGE:
        raise invalid_argument("PostImage is not supported for the Delete message.")
    if step is not None and step.values["stage"] != POST_OPERATION and whole["imagetype"] != PRE_IMAGE:
        raise invalid_argument("PostImage is supported in the post-operation stage (40) only.")
    chosen = step.values.get("sdkmessagefilterid") if step else None
    of_table = store.get("sdkmessagefilter", chosen["id"]) if chosen else None
    if of_table is not None and whole.get("attributes"):
        _check_columns(schema[of_table.values["primaryobjecttypecode"]], whole["attributes"])
    expected = _IMAGE_PROPERTIES.get(name, {"Target"})
    if whole.get("messagepropertyname") not in expected:
        raise invalid_argument(
            f"Message property name '{whole.get('messagepropertyname')}' is not valid on message {name}."
        )


def _check_columns(table: Table, listed: str) -> None:
    for name in (each.strip() for each in listed.split(",")):
        if name and name not in table.columns:
            raise invalid_argument(f"Attribute '{name}' does not exist on entity '{table.name}'.")


_REQUIRED = {
    "serviceendpoint": ("name", "contract"),
    "sdkmessageprocessingstep": ("name", "eventhandler", "sdkmessageid", "stage", "mode"),
    "sdkmessageprocessingstepimage": ("name", "sdkmessageprocessingstepid", "imagetype"),
    external_messages.METADATA: ("name", "extensionofrecordid"),
}

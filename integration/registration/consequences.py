"""What a change means, in words."""

from collections.abc import Iterator
from typing import Any, Final

from integration.flow.event_flow import NO_TABLE
from integration.registration.endpoints import MANAGED_IDENTITY
from integration.registration.items import Found, Item, State, of_step
from integration.registration.steps import SYNCHRONOUS

_FIRST: Final = "its application needs a federated credential, and the role to send, before anything is sent with it"
_OF_CHANGED: Final = {
    "managed-identity": f"Dataverse signs in otherwise from now on: {_FIRST}",
    "change-tracking": "cannot be switched off again",
    "key": "rows cannot be addressed by it until its new index is built",
}
_OF_DELETED: Final = {
    "column": "deletes its values in all rows; nothing brings them back",
    "key": "rows cannot be addressed by it any more",
    "virtual-table": "deletes the views, forms and columns that people have made for it; its rows stay in the ERP",
    "virtual-column": "views and forms lose it; its values stay in the ERP",
    "virtual-events": "changes in the ERP are not reported any more: flows and steps on the table run no more",
    "custom-api": "whoever calls it gets an error; steps and flows on it run no more",
    "role": "whoever has it may no longer do what it permits",
}


def of_create(item: Item) -> tuple[str, ...]:
    """What follows from a new thing."""
    return tuple(_of_new(item))


def of_delete(found: Found) -> tuple[str, ...]:
    """What follows when something that is no longer declared is deleted."""
    if found.kind == "step":
        return (_of_deleted_step(found.name),)
    said = _OF_DELETED.get(found.kind)
    return () if said is None else (said,)


def _of_deleted_step(name: str) -> str:
    table, message, check = of_step(name)
    if check:
        return f"{message} of {table} goes through without {check}"
    return f"{f'a call of {message}' if table == NO_TABLE else f'{message} of {table}'} is not sent any more"


def of_update(item: Item, found: Found, differs: list[str], state: State) -> tuple[str, ...]:
    """What follows from a change."""
    return tuple(_of_changed(item, found.fields, differs, state))


def _of_new(item: Item) -> Iterator[str]:
    if item.kind == "step":
        yield from _of_step(item)
        yield f"{_sent(item)} is sent from now on; what happened before is not"
    elif item.kind == "key":
        yield "Dataverse builds its index in the background; it cannot be used before, and fails if values occur twice"
    elif item.kind == "custom-api":
        yield "a call does nothing by itself: the steps on it run, and what others have made for it"
    elif item.kind == "data-source":
        yield "its key is sent with it; who may read data sources in Dataverse can read it there"
    elif item.kind == "virtual-table":
        yield "nobody sees it until a security role gives read access; its rows are not copied"
    elif item.kind == "managed-identity":
        yield _FIRST
    elif item.kind == "user":
        yield "the application may sign in from now on, and do what its role permits"


def _sent(item: Item) -> str:
    table, message, _ = of_step(item.name)
    if table == NO_TABLE:
        return f"every call of {message}"
    if item.fields["filteringattributes"]:
        return f"every {message} of {table} that names one of the filtering attributes"
    return f"every {message} of {table}"


def _of_step(item: Item) -> Iterator[str]:
    table, message, _ = of_step(item.name)
    if message == "Update" and not item.fields["filteringattributes"]:
        yield f"has no filtering attributes: every save of {table} sends an event, also those that change nothing"
    if item.fields["mode"] == SYNCHRONOUS:
        yield "runs synchronously: people wait for the endpoint, and see its errors; what is rolled back was sent"


def _of_changed(item: Item, before: Any, differs: list[str], state: State) -> Iterator[str]:
    if item.kind == "step":
        yield from _of_step(item)
        yield from _of_changed_step(item, before, differs)
    elif item.kind == "endpoint":
        yield from _of_changed_endpoint(item, differs, state)
    elif item.kind == "column" and (there := before.get("MaxLength")) and there > item.fields["MaxLength"]:
        yield "becomes shorter: longer values that exist stay, and cannot be saved again"
    elif item.kind in {"data-source", "virtual-table", "virtual-column"}:
        yield from _of_changed_virtual(item, set(differs))
    elif item.kind in _OF_CHANGED:
        yield _OF_CHANGED[item.kind]
    elif item.kind == "role":
        yield from _of_changed_role(item, before)
    elif item.kind in {"custom-api", "parameter", "response"}:
        yield from _of_changed_api(item, differs)
    elif item.kind == "user":
        yield (
            "somebody has disabled it: nothing that needs Dataverse was done meanwhile; events wait"
            if "enabled" in differs
            else "without its role every call is refused; events wait"
        )


def _of_changed_virtual(item: Item, differs: set[str]) -> Iterator[str]:
    if item.kind == "data-source" and {"msdyn_uri", "msdyn_parameter1name"} & differs:
        yield "its key is sent again, and rows are read at the new address"
    elif {"external", "collection", "key"} & differs:
        yield "until now Dataverse asked for a name that the app does not have, and showed an error"


def _of_changed_api(item: Item, differs: list[str]) -> Iterator[str]:
    if "plugin" in differs:
        yield "somebody has given it a plug-in, which is taken away: no plug-in may keep such an event from succeeding"
    if set(differs) - {"displayname", "isprivate", "executeprivilegename", "plugin"}:
        what = "it, with its parameters, steps and place in the catalog," if item.kind == "custom-api" else "it"
        yield f"Dataverse does not change this: {what} is deleted and made again, and calls fail meanwhile"


def _of_changed_role(item: Item, before: Any) -> Iterator[str]:
    declared, there = set(item.fields["privileges"]), set(before["privileges"])
    if missing := sorted(declared - there):
        yield f"{', '.join(missing)} is missing: calls that need it are refused, and their events wait"
    if extra := sorted(there - declared):
        yield f"{', '.join(extra)} is taken away: no flow needs it"


def _of_changed_step(item: Item, before: Any, differs: list[str]) -> Iterator[str]:
    if "enabled" in differs:
        yield "somebody has disabled it: what has happened meanwhile was not sent"
    if "filteringattributes" in differs:
        declared, there = set(item.fields["filteringattributes"]), set(before["filteringattributes"])
        if there and (missed := sorted(declared - there)):
            yield f"changes of {', '.join(missed)} alone were not sent until now"
        if extra := sorted(there - declared):
            yield f"changes of {', '.join(extra)} alone are not sent any more"


def _of_changed_endpoint(item: Item, differs: list[str], state: State) -> Iterator[str]:
    if {"url", "namespaceaddress", "path"}.intersection(differs):
        yield "events go to the new address, with the sign-in that is set"
    if "authtype" in differs:
        identity = item.fields["authtype"] == MANAGED_IDENTITY
        yield f"Dataverse signs in with {'its managed identity, and its key is removed' if identity else 'the key'}"
    elif "secret" in differs:
        yield "has no key: its calls are refused until there is one"
    if others := state.others.get(state.found[item.address].id):
        yield f"{others} steps of others call it too"

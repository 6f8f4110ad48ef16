"""Registers a synchronous step in the Dataverse stand-in that asks a check of the app, as people do by hand."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sandbox.client.dataverse import Dataverse

_PRE_OPERATION, _SYNCHRONOUS, _WEBHOOK, _WEBHOOK_KEY = 20, 0, 8, 4


@contextmanager
def asking(dataverse: Dataverse, url: str, key: str, *, table: str, attributes: Sequence[str]) -> Iterator[None]:
    """While it lasts, an Update of `table` that touches one of `attributes` asks the check at `url` first."""
    endpoint = _made(dataverse, "serviceendpoints", {
        "name": "check", "url": url, "contract": _WEBHOOK, "authtype": _WEBHOOK_KEY, "authvalue": key,
    })  # fmt: skip
    message = _id_of(dataverse, "sdkmessages", "sdkmessageid", "name eq 'Update'")
    where = f"primaryobjecttypecode eq '{table}' and sdkmessageid/name eq 'Update'"
    of_table = _id_of(dataverse, "sdkmessagefilters", "sdkmessagefilterid", where)
    step = _made(dataverse, "sdkmessageprocessingsteps", {
        "name": f"check: Update of {table}",
        "stage": _PRE_OPERATION,
        "mode": _SYNCHRONOUS,
        "rank": 1,
        "supporteddeployment": 0,
        "filteringattributes": ",".join(attributes),
        "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({endpoint})",
        "sdkmessageid@odata.bind": f"/sdkmessages({message})",
        "sdkmessagefilterid@odata.bind": f"/sdkmessagefilters({of_table})",
    })  # fmt: skip
    try:
        yield
    finally:
        dataverse.ask("DELETE", f"sdkmessageprocessingsteps({step})")
        dataverse.ask("DELETE", f"serviceendpoints({endpoint})")


def _made(dataverse: Dataverse, entity_set: str, row: dict[str, Any]) -> str:
    address: str = dataverse.ask("POST", entity_set, json=row).headers["OData-EntityId"]
    return address.rpartition("(")[2].rstrip(")")


def _id_of(dataverse: Dataverse, entity_set: str, column: str, where: str) -> str:
    found = dataverse.ask("GET", entity_set, params={"$filter": where, "$select": column}).json()["value"]
    return str(found[0][column])

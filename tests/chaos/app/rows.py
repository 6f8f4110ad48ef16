"""Rows in Dataverse, many at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.client import Client

AT_ONCE = 500
_KIND = "Microsoft.Dynamics.CRM.account"
_SILENT = {"MSCRM.BypassBusinessLogicExecution": "CustomSync,CustomAsync"}


def create_accounts(
    client: Client,
    ids: Sequence[str],
    name: str,
    *,
    silent: bool,
    columns: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Create accounts of this name with one request; `silent`: no step sends an event of it.

    `columns` are further columns of each, by its id.
    """
    targets = [{"@odata.type": _KIND, "accountid": it, "name": name, **(columns or {}).get(it, {})} for it in ids]
    path = "accounts/Microsoft.Dynamics.CRM.CreateMultiple"
    client.dataverse.ask("POST", path, json={"Targets": targets}, headers=_SILENT if silent else {})


def parts(ids: Sequence[str], size: int = AT_ONCE) -> Iterator[Sequence[str]]:
    """The ids in lists of this length."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]

"""Rows that events have brought, of which only one has gone through the worker: the others are copies of it.

A row is compared with what the ledger remembers of it. So a copy has the same columns, with an ERP number of its own,
and its entity in the ledger is the one that the worker has written, with this number and with the fingerprints that
the flow's effects have for the copy. It costs a fraction of an event.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from integration.batching import each
from integration.composition.services import build_services
from integration.dataverse import Row
from integration.dataverse.row import read_row
from integration.flows.account import flow
from integration.ledger import keys
from integration.settings import Settings
from integration.tables import Entity
from integration.worker.effects import fingerprint
from tests.chaos.app.bench import Bench
from tests.chaos.app.rows import AT_ONCE, create_accounts, parts

_NUMBER = "new_erpnumber"


def copy_account(bench: Bench, brought: str, ids: Sequence[str]) -> None:
    """Make accounts with these ids as copies of the account `brought`, with what the ledger remembers of it."""
    client, settings = bench.client(), Settings.from_environment(bench.sandbox.app_settings)
    values: dict[str, Any] = client.dataverse.retrieve("account", brought)
    number = values[_NUMBER]
    numbers = {it: f"{number}-{place}" for place, it in enumerate(ids)}
    for some in parts(ids):
        create_accounts(client, some, values["name"], silent=True, columns={it: {_NUMBER: numbers[it]} for it in some})
    row = read_row(flow.entity_set, brought, values)
    done = list(_fingerprints(row, settings))
    copies = {
        it: {number: numbers[it], **dict(zip(done, _fingerprints(replace(row, id=it), settings), strict=True))}
        for it in ids
    }
    asyncio.run(_remember(settings, brought, copies))


def _fingerprints(row: Row, settings: Settings) -> Iterator[str]:
    columns = flow.columns(row, prefix=settings.publisher_prefix)
    return (fingerprint(*effect.of(columns)) for effect in flow.effects)


async def _remember(settings: Settings, brought: str, copies: Mapping[str, Mapping[str, str]]) -> None:
    """Write the entity of the record `brought` for each copy, in whose texts it says something else."""
    records = build_services(settings).ledger.table(keys.RECORDS)
    found = await records.get(*keys.record_keys(f"{flow.table}:{brought}"))
    assert found is not None, f"the ledger does not know account {brought}"

    async def insert(row_id: str) -> None:
        partition, row = keys.record_keys(f"{flow.table}:{row_id}")
        copied: Entity = {
            name: _otherwise(value, copies[row_id]) if isinstance(value, str) else value
            for name, value in found.entity.items()
            if not name.startswith("odata.") and name != "Timestamp"
        }
        await records.insert(copied | {"PartitionKey": partition, "RowKey": row})

    for some in parts(list(copies), 10 * AT_ONCE):
        await each(insert, some)


def _otherwise(text: str, other: Mapping[str, str]) -> str:
    for before, after in other.items():
        text = text.replace(before, after)
    return text

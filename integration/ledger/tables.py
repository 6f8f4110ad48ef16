"""The ledger's three tables, made on first use; what goes wrong there is `Transient`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from azure.core.exceptions import AzureError
from azure.data.tables import TableClient, TableServiceClient

from integration.errors import Transient


class Tables:
    """Opens tables by name. `connect` makes the service client; it is called once, on first use."""

    def __init__(self, connect: Callable[[], TableServiceClient]) -> None:
        self._connect = connect

    @cached_property
    def _service(self) -> TableServiceClient:
        return self._connect()

    @cached_property
    def events(self) -> TableClient:
        """A row per event and a row per effect; the partition is the minute in the event id."""
        return self._open("events")

    @cached_property
    def correlations(self) -> TableClient:
        """Which events share a correlation id."""
        return self._open("correlations")

    @cached_property
    def records(self) -> TableClient:
        """What each record was last driven to."""
        return self._open("records")

    def _open(self, name: str) -> TableClient:
        with guarded():
            return self._service.create_table_if_not_exists(name)


def upsert(table: TableClient, rows: Sequence[Mapping[str, Any]]) -> None:
    """Merge rows of one partition into the table, all or none, 100 at most.

    A lone one goes without a transaction: the SDK starts a pool of threads for each, four times the CPU time.
    """
    if len(rows) == 1:
        table.upsert_entity(rows[0])
    else:
        table.submit_transaction(("upsert", row) for row in rows)


@contextmanager
def guarded(*expected: type[AzureError]) -> Iterator[None]:
    """Turn what the Tables SDK raises into `Transient`: nothing that it says can be the event's own fault.

    What is `expected` goes through.
    """
    try:
        yield
    except expected:
        raise
    except AzureError as error:
        raise Transient(f"ledger: {type(error).__name__}", reason="ledger-unavailable") from error

"""The ledger: accepted by the intake, worked on by the worker, read by support."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableTransactionError

from integration.clock import Clock
from integration.coalescing import Coalescer
from integration.events import IntegrationEvent
from integration.ledger import rows
from integration.ledger.entry import Entry
from integration.ledger.operation import Operation
from integration.ledger.tables import Tables, guarded, upsert

_TRANSACTION_ROWS = 100
_LISTED = 100


class Ledger:
    """One row per event and one per effect. All methods raise `Transient` where the tables are away."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock
        self._accepted: Coalescer[IntegrationEvent] = Coalescer("ledger-accepted", self._write_accepted)

    def accept(self, event: IntegrationEvent) -> "Future[None]":
        """Write down that the intake accepted `event`; a redelivery, or one the worker already has, changes nothing."""
        return self._accepted.submit(event)

    def open(self, event: IntegrationEvent) -> Entry:
        """The entry of `event`, to work on."""
        operation = self.read(event.event_id)
        if operation is None and event.attempt > 1:
            self._accepted.submit(event)  # the intake could not: nobody would find it by its correlation id
        return Entry(self._tables.events, self._clock, event, operation)

    def read(self, event_id: str) -> Operation | None:
        """What is known about an event, or None."""
        with guarded():
            found = list(self._tables.events.query_entities(rows.OF_EVENT, parameters=rows.event_range(event_id)))
        return rows.to_operation(event_id, found)

    def by_correlation(self, correlation_id: str) -> list[Operation]:
        """The events that share a correlation id, oldest first, 100 at most."""
        prefix = rows.correlation_prefix(correlation_id)
        query = f"PartitionKey eq '{rows.CORRELATIONS}' and RowKey ge '{prefix}.' and RowKey lt '{prefix}~'"
        with guarded():
            pages = self._tables.correlations.query_entities(query, results_per_page=_LISTED).by_page()
            ids = [row["eventId"] for row in next(pages, [])]
        operations = [operation for event_id in ids if (operation := self.read(event_id))]
        return sorted(operations, key=lambda operation: operation.accepted_time)

    def ping(self) -> None:
        """Reach the tables, or raise `Transient`."""
        with guarded():
            list(self._tables.events.query_entities("PartitionKey eq 'ping'"))

    def close(self) -> None:
        """Write what is waiting."""
        self._accepted.close()

    def _write_accepted(self, events: Sequence[IntegrationEvent]) -> None:
        with guarded():
            for partition in _partitions(rows.event_row(event) for event in events):
                self._create(partition)
            for partition in _partitions(rows.correlation_row(event) for event in events):
                upsert(self._tables.correlations, partition)

    def _create(self, partition: Sequence[rows.Row]) -> None:
        """Create rows of one partition; those that exist stay as they are."""
        if len(partition) > 1:
            try:
                self._tables.events.submit_transaction(("create", row) for row in partition)
            except TableTransactionError as error:
                if error.status_code != 409:
                    raise
            else:
                return
        for row in partition:
            with suppress(ResourceExistsError):
                self._tables.events.create_entity(row)


def _partitions(many: Iterable[rows.Row]) -> Iterable[list[rows.Row]]:
    """Group rows into what one transaction takes: one partition, no row twice, 100 at most."""
    grouped: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in many:
        grouped[row["PartitionKey"]].setdefault(row["RowKey"], row)
    for by_key in grouped.values():
        partition = list(by_key.values())
        for start in range(0, len(partition), _TRANSACTION_ROWS):
            yield partition[start : start + _TRANSACTION_ROWS]

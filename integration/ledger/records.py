"""What each record was last driven to, so that late and duplicate events of it cost nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from azure.core.exceptions import ResourceNotFoundError

from integration.ledger.tables import Tables, guarded

_BASIS = "basis_"


@dataclass(frozen=True, slots=True)
class RecordMemory:
    """What one record was driven to.

    `row_version` is the row's when it was last acted on, by `event_id`; `bases` has per effect a digest of what it was
    done with.
    """

    row_version: int = 0
    event_id: str = ""
    bases: Mapping[str, str] = field(default_factory=dict)


class Records:
    """Remembers records in the table `records`; raises `Transient` where the tables are away."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def recall(self, table: str, record_id: str) -> RecordMemory:
        """What is remembered of a record; an empty memory where it was never acted on."""
        with guarded():
            try:
                row = self._tables.records.get_entity(f"{table}:{record_id}", "state")
            except ResourceNotFoundError:
                return RecordMemory()
        bases = {name.removeprefix(_BASIS): value for name, value in row.items() if name.startswith(_BASIS)}
        return RecordMemory(int(row.get("rowVersion", 0)), row.get("eventId", ""), bases)

    def remember(
        self, table: str, record_id: str, *, bases: Mapping[str, str], row_version: int = 0, event_id: str = ""
    ) -> None:
        """Merge into what is remembered. Row version and event only where the record itself was acted on."""
        row: dict[str, object] = {"PartitionKey": f"{table}:{record_id}", "RowKey": "state"}
        row |= {f"{_BASIS}{name}": basis for name, basis in bases.items()}
        if event_id:
            row |= {"rowVersion": str(row_version), "eventId": event_id}
        with guarded():
            self._tables.records.upsert_entity(row)

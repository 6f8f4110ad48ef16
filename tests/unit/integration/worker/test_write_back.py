"""What is written back where another row still has the same number: after the ERP was restored from an older copy."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from integration.dataverse import DataverseClient, Row
from integration.errors import Permanent, Transient
from integration.events import IntegrationEvent
from integration.worker import Pace, Work
from integration.worker.write_back import Target, WriteBack
from tests.builders import event
from tests.memory_table import ManualClock, MemoryLedger


class Rows(DataverseClient):
    """Two customers' rows, whose ERP number is an alternate key."""

    def __init__(self) -> None:
        self.numbers: dict[str, str | None] = {"a": "C-1", "b": "C-2"}

    async def update(self, entity_set: str, row_id: str, values: Mapping[str, Any], **_: Any) -> Row:
        number = values["new_erpnumber"]
        if number is not None and any(it != row_id and has == number for it, has in self.numbers.items()):
            raise Permanent("taken", reason="dataverse-duplicate", service="dataverse")
        self.numbers[row_id] = number
        return self.row(row_id)

    def row(self, row_id: str) -> Row:
        return Row("accounts", row_id, {"new_erpnumber": self.numbers[row_id]}, 'W/"1"', 1)


@pytest.fixture
def rows() -> Rows:
    return Rows()


async def write(rows: Rows, row_id: str, number: str, it: IntegrationEvent) -> None:
    clock = ManualClock()
    ledger = MemoryLedger(clock)
    it = dataclasses.replace(it, table="account", record_id=row_id)
    work = Work(it, await ledger.record(it.session_id), ledger, clock, pace=Pace(0.0, clock), deadline=1e9)
    write_back = WriteBack(rows, clock, prefix="new", tag="dataverse-integration")
    await write_back.write(work, Target("account", "accounts", ("erpnumber",)), rows.row(row_id), {"erpnumber": number})


async def test_records_that_are_sent_again_may_swap_their_numbers(rows: Rows) -> None:
    """The first gives its old number up and waits; the second can take it, and then the first gets its own."""
    forced = dataclasses.replace(event(), forced=True)
    with pytest.raises(Transient, match="another row") as waits:
        await write(rows, "a", "C-2", forced)
    assert waits.value.reason == "number-taken"
    await write(rows, "b", "C-1", forced)
    await write(rows, "a", "C-2", forced)
    assert rows.numbers == {"a": "C-2", "b": "C-1"}


async def test_a_number_that_another_row_has_is_refused_where_nobody_asked_to_send_again(rows: Rows) -> None:
    """Somebody has to look at it: the ERP has given one number to two customers."""
    with pytest.raises(Permanent):
        await write(rows, "a", "C-2", event())
    assert rows.numbers == {"a": "C-1", "b": "C-2"}

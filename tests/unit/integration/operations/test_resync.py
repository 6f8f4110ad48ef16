"""Records are sent again after a restore: forced, at a bounded rate."""

import uuid

import pytest

from integration.errors import Rejected
from integration.operations.resync import MOST, Resync
from tests.unit.integration.operations.parts import WHO, Desk

ORGANISATION = "0a0a0a0a-0000-4000-8000-000000000000"


class Pauses(list[float]):
    """Notes how long was slept."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)


def resync_of(desk: Desk, pauses: Pauses) -> Resync:
    return Resync(
        desk.queueing,
        desk.audit,
        desk.world.clock,
        organisation=ORGANISATION,
        per_second=10,
        sleep=pauses.sleep,
    )


async def test_each_record_is_sent_once_as_a_forced_update() -> None:
    desk, pauses = Desk(), Pauses()
    ids = [str(uuid.uuid4()) for _ in range(3)]
    done = await resync_of(desk, pauses).resync("opportunity", [*ids, ids[0].upper(), f"{{{ids[1]}}}"], **WHO)

    sent = desk.world.queue.sent
    assert done.sent == tuple(it.record_id for it in sent) == tuple(ids)
    assert done.left == ()
    assert {(it.message, it.forced, it.organisation, it.correlation_id) for it in sent} == {
        ("Update", True, ORGANISATION, done.correlation_id)
    }
    assert pauses == [0.1, 0.1]
    assert desk.audited[0]["count"] == 3
    assert desk.audited[0]["outcome"] == f"sent 3 of 3, correlation id {done.correlation_id}"


async def test_records_of_another_system_have_keys_of_their_own() -> None:
    desk = Desk()
    done = await resync_of(desk, Pauses()).resync("erp.order", ["SO-1", "SO-1 ", "so-1"], **WHO)
    assert done.sent == ("SO-1", "so-1")
    assert desk.world.queue.sent[0].session_id == "erp.order:SO-1"


async def test_what_was_done_before_is_done_again() -> None:
    """The system may have lost it, whatever the record remembers."""
    desk = Desk()
    original = await desk.dead_letter()
    record_id = str(original.record_id)
    for _ in range(2):
        await resync_of(desk, Pauses()).resync("opportunity", [record_id], **WHO)
        await desk.work()
    assert len(desk.world.handler.keys) == 2


async def test_what_was_not_sent_is_named() -> None:
    """The broker goes away in the middle: the rest can be asked for again."""
    desk = Desk()
    ids = [str(uuid.uuid4()) for _ in range(3)]

    class Away(Pauses):
        async def sleep(self, seconds: float) -> None:
            desk.world.queue.full = True

    done = await resync_of(desk, Away()).resync("account", ids, **WHO)
    assert (list(done.sent), list(done.left)) == (ids[:1], ids[1:])
    assert str(desk.audited[0]["outcome"]).startswith("sent 1 of 3")


@pytest.mark.parametrize(
    ("table", "ids", "pointer"),
    [
        ("Not a table", [str(uuid.uuid4())], "/table"),
        ("account", ["nonsense"], "/recordIds/0"),
        ("erp.order", ["a/b"], "/recordIds/0"),
        ("erp.order.line", ["SO-1"], "/table"),
        ("account", [], "/recordIds"),
        ("account", [str(uuid.uuid4()) for _ in range(MOST + 1)], "/recordIds"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_place(table: str, ids: list[str], pointer: str) -> None:
    desk = Desk()
    with pytest.raises(Rejected) as refused:
        await resync_of(desk, Pauses()).resync(table, ids, **WHO)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]
    assert desk.audited == []

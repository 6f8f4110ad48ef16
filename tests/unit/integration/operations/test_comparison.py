"""The broker's dead-letter queue beside the ledger: every message is listed, and what differs is said."""

import dataclasses

from integration.events import to_envelope
from integration.ledger import State
from integration.ledger.problems import Problems
from integration.operations.comparison import Comparison
from integration.operations.dead_letters import DeadLetterReader
from tests.builders import event
from tests.unit.integration.operations.parts import WHO, Desk


def comparison(desk: Desk) -> Comparison:
    ledger, clock = desk.world.ledger, desk.world.clock
    return Comparison(
        desk.letters,
        ledger,
        Problems(ledger),
        DeadLetterReader(desk.letters, ledger, desk.claim_check, clock),
        desk.audit,
    )


async def test_what_both_say_alike_differs_in_nothing() -> None:
    desk = Desk()
    original = await desk.dead_letter()
    compared = await comparison(desk).look()
    assert [(it.event_id, it.state, it.says) for it in compared.messages] == [(original.event_id, "dead-lettered", "")]
    assert (compared.different, compared.without, compared.unreadable) == ([], [], [])


async def test_a_message_that_nobody_can_read_hides_no_other() -> None:
    desk = Desk()
    desk.letters.put(b"hello")
    original = await desk.dead_letter()
    compared = await comparison(desk).look()
    assert [it.readable for it in compared.messages] == [False, True]
    assert compared.messages[1].event_id == original.event_id


async def test_differences_are_found_and_repaired() -> None:
    """An event whose worker died gets its reason; the message of one that was discarded goes."""
    desk = Desk()
    lost = dataclasses.replace(event())
    desk.letters.put(to_envelope(lost))
    discarded = await desk.dead_letter()
    await desk.repair.discard(discarded.event_id, **WHO)
    it = comparison(desk)
    assert [one.says for one in (await it.look()).different] == [
        "The ledger does not know its event.",
        "Its event is dealt with: the message can go.",
    ]
    await it.repair(**WHO)
    compared = await it.look()
    assert [(one.event_id, one.state) for one in compared.messages] == [(lost.event_id, State.DEAD_LETTERED.value)]
    assert compared.different == []
    assert "compare" in {row["what"] for row in desk.audited}


async def test_a_dead_letter_without_a_message_is_named() -> None:
    desk = Desk()
    original = await desk.dead_letter()
    desk.letters.messages.clear()
    assert (await comparison(desk).look()).without == [original.event_id]

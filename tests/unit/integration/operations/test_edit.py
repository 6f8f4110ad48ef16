"""A dead-lettered event is sent again with other values: those that its handler goes by, and no others."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from integration.errors import Permanent, Rejected, Transient
from integration.events import Choice, IntegrationEvent, Money, to_envelope
from integration.ledger import State
from integration.operations.edit import Edit
from integration.worker import DeadLettered
from tests.unit.integration.operations.parts import WHO, Desk

SECRET = "Fernandez"
CARRIED = frozenset({"amount", "target", "note"})


async def a_failed_order() -> tuple[Desk, IntegrationEvent]:
    """A dead letter of a handler that goes by what its events carry."""
    desk = Desk(declared=CARRIED)
    values = {"amount": Money(Decimal("10.50")), "note": SECRET}
    original = await desk.dead_letter(
        values=values, parameters={"target": Choice(1)}, changed_columns=("amount",), user_id="u-1"
    )
    return desk, original


def edit(values: Mapping[str, Any] = {}, parameters: Mapping[str, Any] = {}) -> Edit:
    return Edit(values, parameters)


async def test_the_new_event_carries_the_new_values_and_all_others_that_it_had() -> None:
    desk, original = await a_failed_order()
    new_id = await desk.edit.retry(original.event_id, edit({"note": None}, {"target": {"choice": 2}}), **WHO)
    (sent,) = desk.world.queue.sent
    assert (sent.event_id, sent.replay_of, sent.session_id) == (new_id, original.event_id, original.session_id)
    assert sent.values == {"amount": Money(Decimal("10.50")), "note": None}
    assert sent.parameters == {"target": Choice(2)}
    assert (sent.changed_columns, sent.user_id, sent.trimmed) == (("amount", "note"), "u-1", False)
    marked = await desk.world.ledger.read(original.event_id)
    assert marked is not None
    assert (marked.state, marked.replayed_by) == (State.RESUBMITTED, new_id)


async def test_the_audit_says_what_was_changed_without_the_values() -> None:
    """The audit outlives the row and its erasure: names, and fingerprints by which a value can be recognised."""
    desk, original = await a_failed_order()
    await desk.edit.retry(original.event_id, edit({"note": "Miller"}, {"target": {"choice": 1}}), **WHO)
    (entry,) = desk.audited
    assert (entry["what"], entry["eventId"], str(entry["outcome"])[:7]) == ("edit", original.event_id, "sent as")
    (change,) = json.loads(str(entry["changes"]))
    assert change["name"] == "/values/note"
    assert change["before"] != change["after"]
    assert SECRET not in str(desk.audited)
    assert "Miller" not in str(desk.audited)


async def test_a_value_that_it_lacked_is_shown_as_added() -> None:
    desk, original = await a_failed_order()
    await desk.edit.retry(original.event_id, edit(parameters={"note": "new"}), **WHO)
    (change,) = json.loads(str(desk.audited[0]["changes"]))
    assert (change["name"], change["before"]) == ("/parameters/note", None)


async def test_where_the_row_decides_an_edit_is_refused_and_says_what_has_an_effect() -> None:
    """It would change nothing, and whoever made it would believe that it did."""
    desk = Desk()
    original = await desk.dead_letter()
    with pytest.raises(Rejected, match="Put the row right in Dataverse") as refused:
        await desk.edit.retry(original.event_id, edit({"name": "two"}), **WHO)
    assert refused.value.status == 409
    assert desk.world.queue.sent == []
    assert (desk.audited[0]["what"], desk.audited[0]["outcome"]) == ("edit", "refused: The event cannot be edited")


@pytest.mark.parametrize(
    ("wanted", "pointers", "says"),
    [
        (edit({"name": "x", "note": "y"}), ["/values/name"], "carry amount, note, target"),
        (edit(parameters={"a/b": 1}), ["/parameters/a~1b"], "carry amount"),
        (edit({"amount": {"money": "much"}}), ["/values/amount"], "carry amount"),
        (edit({"amount": {"gold": "1"}}), ["/values/amount"], "carry amount"),
        (edit({"amount": {}}), ["/values/amount"], "carry amount"),
        (edit({"amount": 12}, {"target": "2"}), ["/values/amount", "/parameters/target"], "the form that it had"),
        (edit({"note": SECRET}), [], "the values that it had"),
        (edit(), [], "the values that it had"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_its_place(wanted: Edit, pointers: list[str], says: str) -> None:
    desk, original = await a_failed_order()
    with pytest.raises(Rejected, match=says) as refused:
        await desk.edit.retry(original.event_id, wanted, **WHO)
    assert (refused.value.status, [it.pointer for it in refused.value.faults]) == (400, pointers)
    assert SECRET not in str([refused.value.detail, refused.value.faults])
    assert desk.world.queue.sent == []


async def test_without_its_message_nobody_knows_the_rest() -> None:
    desk, original = await a_failed_order()
    desk.letters.messages.clear()
    with pytest.raises(Rejected, match="not in the dead-letter queue any more"):
        await desk.edit.retry(original.event_id, edit({"note": "y"}), **WHO)
    with pytest.raises(Rejected, match="not in the dead-letter queue any more"):
        await desk.repair.retry(original.event_id, **WHO)
    desk.letters.put(b"nonsense " + original.event_id.encode())
    with pytest.raises(Rejected, match="cannot be read"):
        await desk.repair.retry(original.event_id, **WHO)


async def test_a_plain_retry_carries_what_the_handler_goes_by() -> None:
    """Sent without it, its handler would have nothing to go by."""
    desk, original = await a_failed_order()
    await desk.repair.retry(original.event_id, **WHO)
    (sent,) = desk.world.queue.sent
    assert (sent.values, sent.parameters, sent.trimmed) == (original.values, original.parameters, False)


async def test_what_waits_and_carries_values_is_not_sent_again() -> None:
    """Only its copy has them."""
    desk = Desk(declared=CARRIED)
    original = await desk.dead_letter(Transient("later", reason="erp-failed"))
    with pytest.raises(Rejected, match="wait for its next attempt"):
        await desk.repair.retry(original.event_id, **WHO)
    with pytest.raises(Rejected, match="It waits"):
        await desk.edit.retry(original.event_id, edit({"note": "y"}), **WHO)


@pytest.mark.parametrize("request_name", ["", "r-1"])
async def test_an_edit_that_broke_off_is_asked_for_again(request_name: str) -> None:
    """The second request sends the very same event, and its effects happen once."""
    desk, original = await a_failed_order()
    rows = desk.table("events202611")
    rows.away = True
    with pytest.raises(Transient):
        await desk.edit.retry(original.event_id, edit({"note": "y"}), **WHO, request=request_name)
    assert desk.world.queue.sent == []
    rows.away = False
    desk.table("records").away = True
    with pytest.raises(Transient):
        await desk.edit.retry(original.event_id, edit({"note": "y"}), **WHO, request=request_name)
    desk.table("records").away = False
    new_id = await desk.edit.retry(original.event_id, edit({"note": "y"}), **WHO, request=request_name)
    assert [it.event_id for it in desk.world.queue.sent] == [new_id] * 2
    await desk.work()
    assert len(desk.world.handler.keys) == 1
    if request_name:
        assert await desk.edit.retry(original.event_id, edit({"note": "y"}), **WHO, request=request_name) == new_id
        assert desk.audited[-1]["outcome"] == f"was done before: {new_id}"


async def test_another_edit_is_another_event() -> None:
    desk, original = await a_failed_order()
    desk.table("records").away = True
    for note in ("y", "z"):
        with pytest.raises(Transient):
            await desk.edit.retry(original.event_id, edit({"note": note}), **WHO)
    assert len({it.event_id for it in desk.world.queue.sent}) == 2


async def test_an_edited_event_that_fails_can_be_edited_once_more() -> None:
    desk, original = await a_failed_order()
    await desk.edit.retry(original.event_id, edit({"note": "y"}), **WHO)
    (sent,) = desk.world.queue.sent
    desk.world.handler.script.append(Permanent("refused", reason="erp-rejected"))
    with pytest.raises(DeadLettered):
        await desk.work()
    await desk.world.ledger.close()
    desk.letters.put(to_envelope(sent))
    await desk.edit.retry(sent.event_id, edit({"note": "z"}), **WHO)
    assert desk.world.queue.sent[-1].values["note"] == "z"


async def test_a_check_says_what_would_change_and_does_nothing() -> None:
    desk, original = await a_failed_order()
    changed = await desk.edit.check(original.event_id, edit({"note": "Miller"}, {"target": {"choice": 1}}))
    assert [(it.pointer, it.before, it.after) for it in changed] == [("/values/note", SECRET, "Miller")]
    with pytest.raises(Rejected):
        await desk.edit.check(original.event_id, edit({"amount": {"money": "a lot"}}))
    assert (desk.world.queue.sent, desk.audited) == ([], [])


async def test_what_can_be_edited_is_what_the_handler_declares() -> None:
    desk, original = await a_failed_order()
    carrying = await desk.edit.carrying(original.event_id)
    assert carrying.names == CARRIED
    assert (carrying.values, carrying.parameters) == (
        {"amount": {"money": "10.50"}, "note": SECRET},
        {"target": {"choice": 1}},
    )

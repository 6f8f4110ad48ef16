"""A person turns debug detail of a correlation id on for a time: who, why and until when are written down."""

from datetime import timedelta

import pytest

from integration.errors import Rejected
from integration.operations.debug_detail import LONGEST, DetailControl
from tests.unit.integration.operations.console_kit import Console, text_of
from tests.unit.integration.operations.parts import WHO, Desk

ID = "9FFD9D79-CC7D-4B8C-BBC0-37E2375D3CAC"
STORED = ID.lower()


def control_of(desk: Desk) -> DetailControl:
    return DetailControl(desk.world.detail, desk.audit, desk.world.clock)


async def test_it_is_on_for_a_day_at_most_and_the_audit_has_it() -> None:
    desk = Desk()
    control, now = control_of(desk), desk.world.clock.now()
    assert (await control.turn_on(f"{{{ID}}}", timedelta(hours=1), **WHO))[0] == STORED
    assert (await control.running())[STORED].until == now + timedelta(hours=1)
    assert (await control.turn_on(ID, timedelta(days=2), **WHO))[1].until == now + LONGEST
    await control.turn_off(ID, **WHO)
    assert await control.running() == {}
    assert [(row["what"], row["who"], row["why"], row["correlationId"]) for row in desk.audited] == [
        (what, WHO["by"], WHO["why"], STORED) for what in ("debug-on", "debug-on", "debug-off")
    ]


async def test_what_is_no_correlation_id_or_has_no_reason_is_refused() -> None:
    control = control_of(Desk())
    with pytest.raises(Rejected, match="letters, digits"):
        await control.turn_on("a/b", LONGEST, **WHO)
    with pytest.raises(Rejected, match="Say why"):
        await control.turn_on(ID, LONGEST, by="anna", why=" ")
    with pytest.raises(Rejected, match="not on for"):
        await control.turn_off(ID, **WHO)


async def test_a_form_of_the_console_turns_it_on_and_off_and_the_page_says_who_wants_it() -> None:
    console = Console()
    form = {"correlation_id": ID, "minutes": "240", "why": "why is it slow?"}
    answer = await console.ask("systems/debug/on", who="oliver", form=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/api/console/systems?said=debug-on")
    entry = (await console.services.detail.running())[STORED]
    assert (entry.by, entry.until - entry.since) == ("oliver", timedelta(hours=4))
    page = text_of(await console.ask("systems", who="rita"))
    assert "oliver: why is it slow?" in page
    assert STORED in page
    await console.ask("systems/debug/off", who="oliver", form={"correlation_id": STORED, "why": "found"})
    assert await console.services.detail.running() == {}
    refused = await console.ask("systems/debug/on", who="oliver", form=form | {"why": ""})
    assert (refused.status_code, ID in text_of(refused)) == (400, True)


async def test_a_reader_of_the_console_cannot_turn_it_on() -> None:
    console = Console()
    answer = await console.ask("systems/debug/on", who="rita", form={"correlation_id": ID, "why": "x"})
    assert answer.status_code == 403
    assert await console.services.detail.running() == {}

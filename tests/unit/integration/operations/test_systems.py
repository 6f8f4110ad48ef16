"""A person pauses a system for all instances, and resumes it."""

import pytest

from integration.errors import Paused, Rejected
from integration.operations.systems import SystemControl
from integration.protection import MemoryState, Switch
from tests.unit.integration.operations.parts import WHO, Desk


async def test_a_paused_system_gets_no_calls_until_it_is_resumed() -> None:
    desk = Desk()
    switch = Switch("erp", MemoryState(), desk.world.clock, full=4)
    control = SystemControl({"erp": switch}, desk.audit)

    paused = await control.pause("erp", by="support", why=" maintenance until six ")
    assert paused.pause is not None
    assert (paused.pause.by, paused.pause.why) == ("support", "maintenance until six")
    assert (await control.states())["erp"] == paused
    with pytest.raises(Paused, match="maintenance until six"):
        await switch.admit()

    assert (await control.resume("erp", **WHO)).pause is None
    await switch.admit()
    assert [(it["what"], it["system"], it["outcome"]) for it in desk.audited] == [
        ("pause", "erp", "done"),
        ("resume", "erp", "done"),
    ]


async def test_an_unknown_system_is_refused_with_the_names_there_are() -> None:
    desk = Desk()
    control = SystemControl({"erp": Switch("erp", MemoryState(), desk.world.clock, full=4)}, desk.audit)
    with pytest.raises(Rejected, match="there are erp") as refused:
        await control.pause("sap", **WHO)
    assert refused.value.status == 404

"""What others have written steers no terminal, and makes no line that nobody has printed."""

import json

import pytest

from integration.errors import Permanent
from integration.ledger import keys
from integration.transport import Call, Response
from tests.hostile import STEERING, TEXTS
from tests.unit.integration.cli.support.test_support import run
from tests.unit.integration.operations.console_kit import Console
from tests.unit.integration.operations.test_exchanges import REFUSED, REQUEST

COMMANDS = (("overview",), ("causes",), ("list",), ("audit",), ("watch", "--times", "1"))


async def console_with(text: str) -> tuple[Console, str]:
    """A dead letter in whose places of free text stands this one, and a note and a discard with it."""
    console, whole = Console(), text[:15_000].encode(errors="replace").decode()
    answer = Response(REQUEST, 422, {"content-type": whole[:90]}, whole.encode())
    refused = Permanent(text[:1_000], reason="erp-rejected", service="erp")
    event = await console.desk.dead_letter(refused, call=Call(REQUEST, answer, REFUSED.at, 0.25))
    table = console.desk.table("events202611")
    table.entities[keys.event_keys(event.event_id)] |= {"message": whole[:60], "note": whole[:300]}
    await console.desk.repair.discard(event.event_id, by=whole[:90], why=whole[:300])
    await console.desk.repair.restore(event.event_id, by=whole[:90], why=whole[:300])
    await console.switches["credit"].pause(by=whole[:90], why=whole[:300])
    found = await console.services.causes.now()
    await console.services.notes.write(found.causes[0].key, text=whole[:400], assignee=whole[:90], by=whole[:90])
    return console, event.event_id


@pytest.mark.parametrize("text", TEXTS)
async def test_no_command_prints_what_steers_a_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A list has as many lines as for any other text; only an answer that is shown whole has its own."""
    usual, hostile = await console_with("a plain sentence"), await console_with(text)
    for command in (*COMMANDS, ("show", hostile[1])):
        await run(hostile[0], *command)
        said = capsys.readouterr().out
        assert not any(it in said for it in STEERING), command
        if command[0] != "show":
            await run(usual[0], *command)
            assert len(said.split("\n")) == len(capsys.readouterr().out.split("\n")), command
    await run(hostile[0], "show", hostile[1], "--json")
    said = capsys.readouterr().out
    assert not any(it in said for it in STEERING)
    assert json.loads(said)["message"] == text[:60].encode(errors="replace").decode()

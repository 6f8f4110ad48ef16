"""The commands of support against the routes of the app, over a desk in memory."""

import argparse
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func
import pytest

from integration.cli import desk, support
from integration.cli.desk import App, RefusedError
from integration.cli.desk import Desk as Client
from integration.errors import ConfigurationError, Permanent
from integration.ledger import State, keys
from integration.operations.functions import blueprint as status_routes
from integration.operations.health import Health
from integration.operations.routes import blueprints
from integration.operations.status import StatusQueries
from integration.public_address import PublicAddress
from tests.unit.integration.operations.console_kit import KEYS, Console
from tests.unit.integration.operations.test_exchanges import REFUSED, SENT

WHY = ("--why", "the ERP was repaired")


class InMemory(Client):
    """Asks the functions themselves, by their routes, with somebody's key."""

    def __init__(self, console: Console, who: str = "anna") -> None:
        self.console = console
        self.who = who
        app, address = func.FunctionApp(), PublicAddress(None)
        for blueprint in blueprints(console.staff, console.services, address):
            app.register_functions(blueprint)
        clock = console.desk.world.clock
        status = StatusQueries(console.desk.world.ledger, clock)
        app.register_functions(status_routes(console.staff, status, Health({}, clock), address))
        self.functions = sorted(app.get_functions(), key=lambda it: str(it.get_function_name()))

    async def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        where, _, query = path.partition("?")
        for function in self.functions:
            trigger = json.loads(function.get_function_json())["bindings"][0]
            pattern = re.sub(r"\{(\w+)\??\}", r"(?P<\1>[^/]+)", str(trigger["route"]))
            found = re.fullmatch(pattern, f"operations/{where}")
            if found and method in trigger["methods"]:
                request = func.HttpRequest(
                    method,
                    f"https://app/api/operations/{path}",
                    headers={"x-functions-key": KEYS[self.who]},
                    params=dict(parse_qsl(query)),
                    route_params=found.groupdict(),
                    body=json.dumps(body or {}).encode(),
                )
                answer = await function.get_user_function()(request)
                document: dict[str, Any] = json.loads(answer.get_body())
                if answer.status_code >= 400:
                    raise RefusedError(f"{document['title']}. {document['detail']}")
                return document
        raise AssertionError(f"no route for {method} {path}")


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    support.arguments(parser)
    return parser.parse_args(arguments)


async def run(console: Console, *arguments: str, who: str = "anna") -> int | None:
    options = parsed(*arguments)
    code: int | None = await options.does(InMemory(console, who), options)
    return code


async def test_the_overview_ends_with_3_where_somebody_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    assert await run(console, "overview") == 0
    await console.desk.dead_letter()
    console.services.causes.forget()
    assert await run(console, "overview") == 3
    said = capsys.readouterr().out
    assert "No event needs anybody." in said
    assert "1 event needs somebody." in said
    assert "erp-rejected" in said


async def test_what_was_sent_and_what_came_back_is_shown_with_the_event(capsys: pytest.CaptureFixture[str]) -> None:
    """To whoever may see payloads; others are told what they need."""
    console = Console()
    original = await console.desk.dead_letter(call=REFUSED)
    await run(console, "show", original.event_id)
    said = capsys.readouterr().out
    assert "> PUT https://erp.contoso.example/orders/1\n" in said
    assert f"> {SENT.decode()}\n  < 422\n  < content-type: application/problem+json" in said
    await run(console, "show", original.event_id, who="oliver")
    said = capsys.readouterr().out
    assert "Mia Wong" not in said
    assert "It needs the role payloads." in said


async def test_a_long_list_ends_with_a_hint_and_is_listed_to_the_end_on_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console()
    made = [f"2026112018{number // 100:02}-{number:032x}" for number in range(8_200)]
    for event_id in made:
        partition, row = keys.problem_keys("dead-lettered", event_id)
        await console.desk.table(keys.PROBLEMS).insert({"PartitionKey": partition, "RowKey": row, "reason": "x"})
    await run(console, "list")
    assert "There are more: --all lists them too." in capsys.readouterr().out
    await run(console, "list", "--all", "--json")
    assert [it["eventId"] for it in json.loads(capsys.readouterr().out)["problems"]] == made


async def test_a_cause_is_noted_by_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not given stays; where several causes match, none is noted."""
    console = Console()
    await console.desk.dead_letter()
    await console.desk.dead_letter(Permanent("no", reason="erp-rejected", service="archive"))
    assert await run(console, "note", "erp-rejected", "--note", "x") == 2
    assert "--system 'archive' --table 'opportunity'" in capsys.readouterr().err
    cause = ("erp-rejected", "--system", "erp")
    await run(console, "note", *cause, "--note", "the ERP team knows", "--assignee", "mara")
    await run(console, "note", *cause, "--assignee", "oliver")
    await run(console, "causes", "--assignee", "oliver")
    said = capsys.readouterr().out
    assert said.count("It is noted.") == 2
    assert "oliver    the ERP team knows" in said
    await run(console, "note", *cause, "--note", "", "--assignee", "")
    assert "The note is removed." in capsys.readouterr().out


async def test_everything_can_be_had_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    original = await console.desk.dead_letter()
    for arguments in (
        ("overview",),
        ("causes",),
        ("list",),
        ("show", original.event_id),
        ("audit",),
        ("watch", "--times", "1"),
    ):
        await run(console, *arguments, "--json")
        assert json.loads(capsys.readouterr().out)


async def test_an_event_is_listed_shown_and_sent_again(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    original = await console.desk.dead_letter()
    await run(console, "list", "--reason", "erp-rejected")
    await run(console, "show", original.event_id)
    assert await run(console, "retry", original.event_id, *WHY, who="oliver") is None
    said = capsys.readouterr().out
    assert said.count(original.event_id) == 2
    assert "attempt 1: erp-rejected" in said
    (sent,) = console.desk.world.queue.sent
    assert f"sent again as {sent.event_id}" in said


async def test_what_is_refused_is_said_and_the_others_are_still_done(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    first, second = await console.desk.dead_letter(), await console.desk.dead_letter()
    await run(console, "discard", first.event_id, *WHY)
    assert await run(console, "retry", first.event_id, second.event_id, *WHY) == 2
    assert "restore it first" in capsys.readouterr().err
    assert [it.replay_of for it in console.desk.world.queue.sent] == [second.event_id]
    assert await run(console, "restore", first.event_id, *WHY) is None
    assert await run(console, "force", first.event_id, *WHY) is None
    assert console.desk.world.queue.sent[-1].forced


async def test_many_are_planned_first_and_nothing_is_done_where_nobody_agrees(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """There is no terminal here: without --yes the plan is cancelled."""
    console = Console()
    for _ in range(3):
        await console.desk.dead_letter()
    assert await run(console, "retry", "--reason", "erp-rejected", *WHY) == 2
    (bulk,) = await console.services.bulks.recent()
    assert bulk.state.value == "cancelled"
    assert "calls at most: erp 6" in capsys.readouterr().out
    assert await run(console, "retry", "--reason", "erp-rejected", *WHY, "--yes") is None
    assert {it.state.value for it in await console.services.bulks.recent()} == {"cancelled", "running"}


async def test_an_edit_shows_the_difference_first(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(frozenset({"note"}))
    original = await console.desk.dead_letter(values={"note": "for Ms Fernandez"})
    given = ("edit", original.event_id, "--set", 'note="for Ms Miller"', *WHY)
    assert await run(console, *given) == 2
    assert console.desk.world.queue.sent == []
    assert await run(console, *given, "--yes") is None
    assert '- "for Ms Fernandez"\n+ "for Ms Miller"' in capsys.readouterr().out
    assert console.desk.world.queue.sent[0].values == {"note": "for Ms Miller"}
    with pytest.raises(RefusedError, match="is not JSON"):
        await run(console, "edit", original.event_id, "--set", "note=Miller", *WHY)


async def test_systems_are_paused_and_resumed_by_whoever_may() -> None:
    console = Console()
    await run(console, "pause", "system", "erp", *WHY, who="oliver")
    assert (await console.switches["erp"].state()).pause is not None
    await run(console, "resume", "system", "erp", *WHY, who="oliver")
    assert (await console.switches["erp"].state()).pause is None
    with pytest.raises(RefusedError, match="role operator"):
        await run(console, "pause", "system", "erp", *WHY, who="rita")


async def test_debug_detail_is_turned_on_for_a_time_listed_and_turned_off(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    await run(console, "debug", "order-7", "--minutes", "90", *WHY, who="oliver")
    await run(console, "debug")
    await run(console, "debug", "order-7", "--off", *WHY)
    await run(console, "debug")
    on, heads, entry, off, none = capsys.readouterr().out.splitlines()
    assert "2026-11-20T21:30:00" in on
    assert heads.split()[0] == "correlation"
    assert (entry.split()[0], "oliver" in entry) == ("order-7", True)
    assert ("off" in off, "no correlation id" in none) == (True, True)
    with pytest.raises(RefusedError, match="Say why"):
        await run(console, "debug", "order-7", "--why", " ")


async def test_the_audit_is_exported(tmp_path: Path) -> None:
    console = Console()
    original = await console.desk.dead_letter()
    await run(console, "discard", original.event_id, "--why", "=1+1")
    file = tmp_path / "audit.csv"
    await run(console, "export", str(file))
    assert f"anna,discard,'=1+1,done,{original.event_id}" in file.read_text()


async def test_personal_data_is_masked_without_the_right_to_see_it(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    error = Permanent("mia.wong@fourthcoffee.example is not valid", reason="erp-rejected", service="erp")
    original = await console.desk.dead_letter(error)
    for arguments in (("show", original.event_id), ("list", "--json"), ("overview", "--json")):
        await run(console, *arguments, who="rita")
        assert "mia.wong" not in capsys.readouterr().out
        await run(console, *arguments)
        assert "mia.wong" in capsys.readouterr().out


async def test_states_stay_as_they_are_when_a_reader_acts() -> None:
    console = Console()
    original = await console.desk.dead_letter()
    assert await run(console, "retry", original.event_id, *WHY, who="rita") == 2
    found = await console.desk.world.ledger.read(original.event_id)
    assert found is not None
    assert found.state is State.DEAD_LETTERED


def test_a_profile_names_an_app_and_the_variable_with_its_key(tmp_path: Path) -> None:
    file = tmp_path / "profiles.toml"
    file.write_text(
        '[production]\nurl = "https://prod.example/"\nkey-variable = "PROD_KEY"\n[test]\nurl = "https://t"\n'
    )
    environ = {"INTEGRATION_PROFILES": str(file), "PROD_KEY": "k1", "OPERATIONS_KEY": "k2"}
    assert desk.app(parsed("overview", "--profile", "production"), environ) == App("https://prod.example", "k1")
    assert desk.app(parsed("overview", "--profile", "test"), environ) == App("https://t", "k2")
    with pytest.raises(ConfigurationError, match="it has production, test"):
        desk.app(parsed("overview", "--profile", "other"), environ)
    with pytest.raises(ConfigurationError, match="PROD_KEY"):
        desk.app(parsed("overview", "--profile", "production"), {"INTEGRATION_PROFILES": str(file)})

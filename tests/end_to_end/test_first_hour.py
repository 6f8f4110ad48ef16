"""The first hour with the project: one sandbox in a terminal of 80 columns, and every small command beside it."""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import pytest
import requests

from sandbox.client import Client, eventually
from sandbox.client.rows import Rows
from sandbox.commands.__main__ import main
from sandbox.machine.ports import Ports, is_taken, option_of
from sandbox.repository import REPOSITORY
from sandbox.running.endpoints import Endpoints
from sandbox.running.registration import steps
from sandbox.terminal.words import short_id

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals of this kind", allow_module_level=True)

from tests.end_to_end.terminal import COLOURS, Terminal

WIDTH = 80
EVENT = re.compile(r"This caused event (\d{12}-[0-9a-f]{32})\.")
LINE = re.compile(r"\d\d:\d\d:\d\d (INFO |WARN |ERROR) ([0-9a-f]{8}| {8}) (\S+)")


@dataclass(frozen=True)
class Hour:
    """The sandbox that `up` keeps running."""

    up: Terminal
    state: Path
    ports: Ports
    settings: Path

    @property
    def reached(self) -> Endpoints:
        return Endpoints.read(self.state / "endpoints.json")

    def run(self, *arguments: str, status: int = 0) -> str:
        """A command on a terminal; its words. No line may be wider than the terminal."""
        terminal = Terminal(*arguments, "--state", str(self.state), width=WIDTH)
        ended = terminal.ended()
        assert ended == status, terminal.text
        assert fits(terminal.lines)
        return terminal.text

    def change(self, *columns: str, row: str = "Contoso Ltd", table: str = "account") -> str:
        """Change a row; the id of the event that this caused."""
        found = EVENT.search(self.run("change", table, row, *columns))
        assert found
        return found[1]

    def shown(self, event_id: str) -> list[str]:
        """The words with which `up` has shown an event so far."""
        lines = [found for line in self.up.lines if (found := LINE.match(line))]
        return [found[3] for found in lines if found[2] == short_id(event_id)]

    def wait_shown(self, event_id: str, word: str) -> None:
        eventually(lambda: word in self.shown(event_id), within=30, what=f"{word} of {event_id} on the terminal")


def fits(lines: list[str]) -> bool:
    """Whether no line is wider than the terminal, which would break it anywhere."""
    return max(map(len, lines)) <= WIDTH


@pytest.fixture(scope="module")
def hour() -> Iterator[Hour]:
    home = REPOSITORY / ".sandbox"
    home.mkdir(exist_ok=True)
    state, ports = Path(tempfile.mkdtemp(prefix="hour-", dir=home)), Ports.free()
    quick = {"RETRY_FIRST_DELAY_SECONDS": "0.5", "RETRY_LONGEST_DELAY_SECONDS": "1", "RECORD_PACE_SECONDS": "0"}
    settings = state / "quick.json"
    settings.write_text(json.dumps({"Values": quick}))
    chosen = [
        part
        for name, port in zip(Ports.__match_args__, astuple(ports), strict=True)
        for part in (option_of(name), str(port))
    ]
    written = state / "local.settings.json"
    up = Terminal(
        "up", "--state", str(state), "--settings", str(settings), "--write-settings", str(written), *chosen, width=WIDTH
    )
    hour = Hour(up, state, ports, written)
    try:
        eventually(lambda: "Events:" in up.text or up.process.poll() is not None, within=90, what="up")
        assert up.process.poll() is None, up.text
        yield hour
    finally:
        if up.process.poll() is None:
            up.press_ctrl_c()
            up.ended()
        shutil.rmtree(state, ignore_errors=True)


def test_up_says_where_everything_is_without_internal_notes(hour: Hour) -> None:
    """Addresses, and commands that do something on the company that is there."""
    for address in (f"{hour.reached.page}/", hour.reached.functions, hour.reached.dataverse, hour.reached.erp):
        assert address in hour.up.text
    assert 'change account "Contoso Ltd"' in hour.up.text
    assert "defaultMessageTimeToLive" not in hour.up.text
    assert COLOURS.search(hour.up.raw)


def test_endpoints_json_has_every_key_and_port(hour: Hour) -> None:
    """The plug-in's key is taken, faults can be armed, every port is listed."""
    reached = hour.reached
    answer = requests.post(f"{reached.functions}/api/events", params={"code": reached.plugin_key}, json={}, timeout=10)
    assert answer.status_code == 400
    assert reached.ports["amqp"] == hour.ports.amqp
    for name in ("erp", "credit"):
        assert requests.get(reached.faults[name], timeout=10).json() == []
    order = f"{reached.erp}/api/orders/x"
    assert requests.get(order, headers={"X-Api-Key": reached.erp_key}, timeout=10).status_code == 404


def test_a_change_can_be_followed_from_the_terminal_to_the_archive(hour: Hour) -> None:
    event_id = hour.change("telephone1=+44 20 7946 0000")
    hour.wait_shown(event_id, "completed")
    assert [hour.shown(event_id)[-1], "accepted" in hour.shown(event_id), "effect" in hour.shown(event_id)] == [
        "completed",
        True,
        True,
    ]
    status = hour.run("status", short_id(event_id)[:5], "--follow")
    assert "Update of account Contoso Ltd" in status
    assert re.search(r"erp-customer done \S+ customer C-\d{6}", status)
    assert short_id(event_id) in hour.run("status")
    assert short_id(event_id) in hour.run("archive")
    eventually(lambda: "archived" in hour.up.text, within=20, what="the archive's line")


def test_a_refusal_becomes_a_dead_letter_that_says_why_until_the_row_is_mended(hour: Hour) -> None:
    assert "erp answers 422 Unprocessable Entity" in hour.run("fail", "erp", "422", "--times", "1")
    assert "erp 422 1 time more" in hour.run("fail")
    event_id = hour.change("telephone1=1", row="Northwind")
    hour.wait_shown(event_id, "dead-lettered")
    broker = Client(hour.reached).broker
    eventually(broker.dead_letters, within=20, what="the dead letter")
    letters = hour.run("dead-letters")
    assert f"{short_id(event_id)} Update of account Northwind Traders erp-rejected erp answered 422" in letters
    status = hour.run("status", event_id, status=1)
    assert "state dead-lettered reason erp-rejected" in status
    assert "erp, credit, dataverse and broker work again" in hour.run("heal")
    healed = hour.change("telephone1=2", row="Northwind")
    hour.wait_shown(healed, "completed")


def test_an_outage_is_waited_for(hour: Hour) -> None:
    """Faults of Dataverse hit the app, not the person who changes the row."""
    for system in ("erp", "dataverse"):
        hour.run("fail", system, "503", "--times", "2")
    text = hour.run("change", "account", "Fabrikam", "telephone1=3", "--follow")
    assert "waiting" in text
    assert "erp-unavailable" in text
    assert "result completed" in text
    assert "No fault is armed" in hour.run("fail")


def test_a_won_opportunity_becomes_an_order(hour: Hour) -> None:
    text = hour.run("win", "Bridge refit", "--follow")
    assert "opportunity Bridge refit is closed as won" in text
    assert re.search(r"erp-order: order SO-\d{6}", text)
    page = requests.get(hour.reached.page or "", timeout=20).text
    assert "order-created" in page
    assert "Bridge refit" in page


def test_the_start_page_shows_events_and_each_of_them(hour: Hour) -> None:
    """The address of the functions leads there."""
    event_id = hour.change("telephone1=4")
    hour.wait_shown(event_id, "completed")
    page = requests.get(hour.reached.functions, timeout=20)
    assert page.url.rstrip("/") == hour.reached.page
    assert f"/events/{event_id}" in page.text
    for key in (hour.reached.webhook_key, hour.reached.operations_key, hour.reached.erp_key):
        assert key not in page.text
    of_event = f"{hour.reached.page}/events/{event_id}"
    eventually(lambda: "erp-customer" in requests.get(of_event, timeout=20).text, within=10, what="the event's steps")
    assert requests.get(f"{hour.reached.page}/else", timeout=20).status_code == 404


def test_the_log_of_the_worker_has_time_and_level(hour: Hour) -> None:
    hour.wait_shown(event_id := hour.change("telephone1=5"), "completed")
    assert re.search(rf"\d\d:\d\d:\d\d\.\d{{3}} INFO settled {short_id(event_id)}", hour.run("logs", "worker"))
    terminal = Terminal("logs", "worker", "-f", "-n", "1", "--state", str(hour.state), width=WIDTH)
    eventually(lambda: "INFO" in terminal.text, within=20, what="the log's last line")
    later = hour.change("telephone1=6")
    eventually(lambda: short_id(later) in terminal.text, within=20, what="the followed log")
    terminal.press_ctrl_c()
    assert terminal.ended() == 130


class Said:
    """What a command says that runs in this process and whose output is piped, at 80 columns."""

    def __init__(self, capsys: pytest.CaptureFixture[str], state: Path) -> None:
        self._capsys = capsys
        self._state = state

    def __call__(self, *arguments: str, status: int = 0) -> str:
        """All of it."""
        ended = main([*arguments, "--state", str(self._state)])
        captured = self._capsys.readouterr()
        assert ended == status, captured
        assert fits((captured.out + captured.err).splitlines())
        assert "\x1b" not in captured.out + captured.err
        return captured.out + captured.err


@pytest.fixture
def said(hour: Hour, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setenv("NO_COLOR", "1")
    return Said(capsys, hour.state)


@pytest.mark.parametrize(
    ("command", "status", "says"),
    [
        ("change account Nobody name=x", 1, "There is no account called Nobody. There are: Contoso Ltd;"),
        ("change acount x name=x", 1, "There is no table acount. There are: account"),
        ("change account Contoso nmae=x", 1, "accounts have no column nmae"),
        ("change account Contoso revenue=much", 1, "revenue is of type Money; much is not a value of it"),
        ("change account Contoso name", 1, "name is not column=value"),
        ("change account Contoso description=x", 0, "No step fired, so nothing was sent"),
        ("win Nothing", 1, "There is no opportunity called Nothing"),
        ("status ffffffffff", 1, "No event's id begins with ffffffffff"),
        ("fail erp", 1, "Say how it should fail"),
        ("fail erp --gateway", 1, "Say which status the gateway answers with"),
        ("fail erp 302", 1, "Only a gateway answers 302: add --gateway"),
        ("fail broker 503", 1, "The broker supports only --drop and --delay MS"),
        ("clean", 1, "Stop it first"),
        ("up --free-ports", 1, "A sandbox already runs on"),
    ],
)
def test_a_command_that_cannot_be_done_says_what_there_is(said: Said, command: str, status: int, says: str) -> None:
    assert says in " ".join(said(*command.split(), status=status).split())


def test_a_lookup_takes_the_name_of_a_row_and_an_empty_value_clears_a_column(said: Said, hour: Hour) -> None:
    assert "@odata.bind" in said("change", "account", "Fabrikam", "transactioncurrencyid=US Dollar", "telephone1=")
    client = Client(hour.reached)
    row = client.dataverse.retrieve("account", Rows(client.dataverse).find("account", "Fabrikam").id)
    assert row["telephone1"] is None
    assert row["_transactioncurrencyid_value"] == Rows(client.dataverse).find("transactioncurrency", "US Dollar").id


def test_a_settings_file_that_exists_is_not_overwritten(said: Said, hour: Hour) -> None:
    before = hour.settings.read_text()
    assert "Add --force" in said("up", "--write-settings", str(hour.settings), status=1)
    assert hour.settings.read_text() == before


def test_doctor_finds_the_running_app_and_everything_behind_its_settings_in_order(said: Said, hour: Hour) -> None:
    text = " ".join(said("doctor", hour.reached.functions, "--settings", str(hour.settings)).split())
    enabled = f"steps: {len(list(steps()))} are enabled"
    for found in ("queue: work can be reached", "organisation id", "columns of account", enabled):
        assert found in text
    assert "intake key of plugin: is accepted" in text
    assert text.endswith("Nothing is wrong.")


def test_doctor_says_what_is_wrong_and_what_to_do(said: Said, hour: Hour, tmp_path: Path) -> None:
    """Another organisation, a wrong secret, a wrong key, a namespace where nobody listens."""
    document = json.loads(hour.settings.read_text())
    values = document["Values"]
    values["DATAVERSE_ORGANISATION"] = "00000000-1111-2222-3333-444444444444"
    values["OPERATIONS_KEYS"] = json.dumps({"support": ["wrong"]})
    values["ServiceBus"] = values["ServiceBus"].replace(str(hour.ports.amqp), "9")
    (file := tmp_path / "s.json").write_text(json.dumps(document))
    text = " ".join(said("doctor", hour.reached.functions, "--settings", str(file), status=1).split())
    assert "Set DATAVERSE_ORGANISATION=22222222-bbbb-4bbb-8bbb-222222222222" in text
    assert "operations key of support: is refused (401)" in text
    assert "queue: Service Bus cannot be reached" in text
    values["DATAVERSE_CLIENT_SECRET"] = "wrong"
    file.write_text(json.dumps(document))
    assert "The client secret is wrong" in said("doctor", "--settings", str(file), status=1)


@pytest.mark.parametrize("command", ["status", "archive", "dead-letters", "logs worker", "fail"])
def test_lines_break_between_words_only(said: Said, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 80 columns the words are those that a far wider screen shows, once nothing happens between the two looks."""

    def words(width: int) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr(sys.modules[__name__], "WIDTH", width)
        return said(*command.split()).split()

    eventually(lambda: words(80) == words(120), within=20, what="the same words on both screens")


def test_the_terminal_of_up_has_no_line_that_is_too_wide(hour: Hour) -> None:
    assert fits(hour.up.lines)


def test_at_the_end_ctrl_c_leaves_nothing_running_and_clean_forgets_it(hour: Hour) -> None:
    """Exit status 0, no endpoints.json, every port free; then the state is removed."""
    hour.up.press_ctrl_c()
    assert hour.up.ended() == 0
    assert not (hour.state / "endpoints.json").exists()
    assert not [port for port in astuple(hour.ports) if is_taken(port)]
    assert "No sandbox runs on" in hour.run("status", status=1)
    assert "is deleted" in hour.run("clean")
    assert not (hour.state / "data").exists()

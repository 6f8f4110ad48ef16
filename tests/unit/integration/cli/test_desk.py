"""The commands of operations: which app they ask, what they ask for, and what they say."""

import argparse
import json
from pathlib import Path
from typing import Any, cast

import pytest

from integration.cli import bulk, desk, matches, pause, resume, resync
from integration.cli.desk import App, Desk, RefusedError
from integration.errors import ConfigurationError, Outage
from integration.transport import Request, Response, Transport

FREE = {"pausedBy": None, "why": None, "since": None}


class Asked(Desk):
    """Notes what is asked for; gives the answers in their order."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        super().__init__(App("https://app", "k"), cast(Transport, None))
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers = list(answers)

    async def look(self, *path: str, **params: str) -> dict[str, Any]:
        self.asked.append(("/".join(path), params))
        return self.answers.pop(0)

    async def act(self, *path: str, **body: Any) -> dict[str, Any]:
        self.asked.append(("/".join(path), body))
        return self.answers.pop(0)


def options(module: Any, *arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    module.arguments(parser)
    return parser.parse_args(arguments)


async def test_a_pause_and_a_resume_name_what_they_are_for(capsys: pytest.CaptureFixture[str]) -> None:
    app = Asked({}, {})
    await pause.pause(app, options(pause, "table", "contact", "--why", "a merge"))
    await resume.resume(app, options(resume, "system", "erp", "--why", "it is back"))
    assert app.asked == [
        ("tables/contact/pause", {"why": "a merge"}),
        ("systems/erp/resume", {"why": "it is back"}),
    ]
    assert "run.py resume table contact" in capsys.readouterr().out


async def test_a_pause_without_a_name_lists_what_is_held_back(capsys: pytest.CaptureFixture[str]) -> None:
    paused = {"pausedBy": "anna", "why": "a merge", "since": "2026-11-20T20:00:00Z"}
    away = {**FREE, "system": "credit", "phase": "open", "why": "credit-timeout"}
    systems = {"systems": [{**FREE, "system": "erp", "phase": "closed"}, away]}
    await pause.pause(Asked(systems, {"tables": [{"table": "contact", **paused}]}), options(pause))
    assert capsys.readouterr().out.splitlines() == [
        "system erp: not paused",
        "system credit: unavailable, gets no calls (open; credit-timeout)",
        "table contact: paused by anna since 2026-11-20T20:00:00Z: a merge",
    ]


async def test_records_are_sent_again_five_hundred_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "ids"
    file.write_text("\n".join(f"id-{number}" for number in range(700)) + "\n\n")
    app = Asked(*({"sent": ["x"], "left": [], "correlationId": "c"} for _ in range(2)))
    await resync.resync(app, options(resync, "account", "first", "--file", str(file), "--why", "x"))
    sizes = [len(body["recordIds"]) for _, body in app.asked]
    assert sizes == [500, 201]


async def test_a_resync_that_breaks_off_says_from_where_to_go_on() -> None:
    app = Asked({"sent": [], "left": ["id-7"], "correlationId": "c"})
    with pytest.raises(RefusedError, match="before record id-7"):
        await resync.resync(app, options(resync, "account", "id-7", "--why", "x"))


async def test_matches_are_listed_page_by_page_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows that follow their customer already are only counted."""
    one = {"recordId": "id-1", "outcome": "matched", "by": "taxNumber", "numbers": ["C-1"], "ownNumber": None}
    two = {"recordId": "id-2", "outcome": "linked", "by": None, "numbers": ["C-2"], "ownNumber": None}
    app = Asked({"matches": [one], "following": "next"}, {"matches": [two], "following": ""})
    await matches.matches(app, options(matches, "contact"))
    assert app.asked == [
        ("matches", {"table": "contact", "following": ""}),
        ("matches", {"table": "contact", "following": "next"}),
    ]
    assert capsys.readouterr().out.splitlines() == [
        "id-1  matched  taxNumber  C-1",
        "1 linked: follow their row already",
        "1 matched: would be taken over from the ERP",
    ]


async def test_a_plan_is_asked_for_as_it_is_narrowed(capsys: pytest.CaptureFixture[str]) -> None:
    plan = {
        "bulkId": "b-1",
        "total": 40,
        "more": True,
        "byReason": {"erp-rejected": 40},
        "byTable": {"account": 40},
        "seconds": 40,
        "perMinute": 60,
        "canary": 2,
        "callsAtMost": {"erp": 40},
        "sample": [{"eventId": "e-1", "message": "Update", "table": "account", "recordId": "r", "reason": "x"}],
    }
    app = Asked(plan)
    given = ("plan", "retry", "--reason", "erp-rejected", "--record-id", "r", "--from", "t", "--canary", "2")
    await bulk.bulk(app, options(bulk, *given, "--why", "x"))
    selection = {"reason": "erp-rejected", "recordId": "r", "from": "t"}
    body = {"action": "retry", "selection": selection, "perMinute": 60, "force": False, "why": "x", "canary": 2}
    assert app.asked == [("bulk", body)]
    said = capsys.readouterr().out
    assert "40 events, and there are more" in said
    assert "run.py bulk start b-1" in said


async def test_a_bulk_operation_is_changed_shown_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    it = {"bulkId": "b-1", "state": "paused", "action": "retry", "total": 3, "why": "w", "note": "because"}
    counted = {**it, "counts": {"pending": 0, "failed": 1, "done": 2}}
    items = [{"eventId": "e-1", "state": "failed", "outcome": "erp-rejected"}, {"eventId": "e-2", "state": "done"}]
    app = Asked(counted, {**counted, "items": items}, {**counted, "items": []}, {"bulks": [counted]})
    await bulk.bulk(app, options(bulk, "pause", "b-1", "--why", "x"))
    await bulk.bulk(app, options(bulk, "show", "b-1"))
    await bulk.bulk(app, options(bulk, "list"))
    assert app.asked == [
        ("bulk/b-1/pause", {"why": "x"}),
        ("bulk/b-1", {}),
        ("bulk/b-1", {"after": "e-2"}),
        ("bulk", {}),
    ]
    assert capsys.readouterr().out.splitlines() == [
        "b-1 is paused: 1 failed, 2 done",
        "b-1 is paused: 1 failed, 2 done",
        "because",
        "  e-1  failed: erp-rejected",
        "b-1  paused     retry 3: 1 failed, 2 done  (w)",
    ]


def test_the_app_is_the_one_that_is_named_else_the_running_sandbox(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text(json.dumps({"functions": "http://s", "operations_key": "sk"}))
    environ = {"INTEGRATION_URL": "https://e/", "OPERATIONS_KEY": "k"}
    sandbox = ("erp", "--why", "x", "--sandbox", str(tmp_path))
    assert desk.app(options(resume, "system", *sandbox), environ) == App("http://s", "sk")
    plain = options(resume, "system", "erp", "--why", "x")
    assert desk.app(plain, environ) == App("https://e", "k")
    named = options(resume, "system", "erp", "--why", "x", "--url", "https://o")
    assert desk.app(named, environ) == App("https://o", "k")
    with pytest.raises(ConfigurationError, match="OPERATIONS_KEY"):
        desk.app(named, {})
    with pytest.raises(ConfigurationError, match=r"run\.py up"):
        desk.app(options(resume, "system", "erp", "--why", "x", "--sandbox", str(tmp_path / "none")), {})


class Wire:
    """Answers as the app does."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status, self.body = status, body
        self.sent: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.sent.append(request)
        headers = {"content-type": "application/problem+json" if self.status >= 400 else "application/json"}
        return Response(request, self.status, headers, json.dumps(self.body).encode())


async def test_the_key_is_sent_and_names_are_no_paths() -> None:
    wire = Wire(200, {"ok": True})
    app = Desk(App("https://app", "k"), cast(Transport, wire))
    assert await app.act("systems", "a/b?c", "pause", why="x") == {"ok": True}
    await app.look("audit", who="ann a")
    first, second = wire.sent
    assert first.url == "https://app/api/operations/systems/a%2Fb%3Fc/pause"
    assert (first.headers["x-functions-key"], first.body) == ("k", b'{"why": "x"}')
    assert second.url == "https://app/api/operations/audit?who=ann+a"


async def test_a_refusal_is_said_in_the_apps_words() -> None:
    problem = {"title": "No", "detail": "Do this.", "errors": [{"pointer": "/why", "detail": "is missing"}]}
    app = Desk(App("https://app", "k"), cast(Transport, Wire(409, problem)))
    with pytest.raises(RefusedError, match=r"(?s)No\. Do this\..*/why is missing"):
        await app.look("tables")


def test_nobody_there_is_said_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    given = options(pause, "--url", "http://127.0.0.1:9")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OPERATIONS_KEY", "k")
        assert pause.main(given) == 1
    assert "could not be asked" in capsys.readouterr().err


@pytest.mark.parametrize("away", [RefusedError("not now", 503), Outage("gone", reason="app-unreachable")])
async def test_a_command_that_goes_page_by_page_waits_while_the_app_is_away(
    away: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app that is started anew ends no load; what it refuses is no reason to wait."""
    monkeypatch.setattr(desk, "_PAUSE", 0.0)
    answers: list[Exception] = [away, away]

    async def ask() -> dict[str, str]:
        if answers:
            raise answers.pop(0)
        return {"is": "there"}

    assert await desk.patiently(ask) == {"is": "there"}
    answers.append(RefusedError("taken", 409))
    with pytest.raises(RefusedError, match="taken"):
        await desk.patiently(ask)
    answers.append(RefusedError("taken", 409))
    assert await desk.patiently(ask, refused=(409, 503)) == {"is": "there"}

"""Debug detail of one correlation id: turned on, two events come, one of them is logged in detail; and then no more."""

import subprocess
import sys
import uuid
from typing import Any

from sandbox.client import Client, eventually
from sandbox.repository import REPOSITORY
from sandbox.running.sandbox import Sandbox
from sandbox.watching.log_lines import parse
from tests.end_to_end.journeys import context_of

_WHY = "why are its changes slow?"


def sent(client: Client, correlation_id: str) -> str:
    """An update of an account that never existed, once the worker is done with it; the event's id."""
    ids = {"OperationId": str(uuid.uuid4()), "PrimaryEntityId": str(uuid.uuid4())}
    body = context_of("webhook_async_update_account_2019", **ids)
    trace = {"traceparent": f"00-{uuid.uuid4().hex}-{'b' * 16}-00", "tracestate": "rojo=1"}
    answer = client.app.post_webhook(body, headers={"x-ms-correlation-request-id": correlation_id, **trace})
    event_id = str(answer.json()["eventId"])
    client.app.wait_for(event_id)
    return event_id


def details(sandbox: Sandbox, event_id: str) -> list[dict[str, Any]]:
    """What was logged in detail of the event, by whichever process."""
    logs = [path.read_text(encoding="utf-8", errors="replace") for path in sandbox.state.logs.glob("host-*.log")]
    lines = [parse(line).fields for log in logs for line in log.splitlines() if event_id in line]
    return [dict(it) for it in lines if str(it.get("what")).startswith("debug-")]


def support(sandbox: Sandbox, *arguments: str) -> str:
    """run.py support debug, as an operator uses it."""
    command = [sys.executable, "-m", "sandbox.commands", "support", "debug", *arguments]
    command += ["--sandbox", str(sandbox.state.root)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout  # noqa: S603 -- ours


def test_the_events_of_one_correlation_id_are_logged_in_detail_until_it_is_turned_off(
    client: Client, sandbox: Sandbox
) -> None:
    """By intake, worker and sinks; requests and answers are kept beside, and the audit says who wanted it."""
    looked_at, other = str(uuid.uuid4()), str(uuid.uuid4())
    support(sandbox, looked_at, "--minutes", "5", "--why", _WHY)
    assert _WHY in support(sandbox)

    def seen() -> str | None:
        event_id = sent(client, looked_at)
        words = {"debug-taken-in", "debug-call", "debug-decided"}
        return event_id if words <= {it["what"] for it in details(sandbox, event_id)} else None

    event_id = eventually(seen, within=30, what="an event that is logged in detail")
    eventually(
        lambda: {"archive_events"} <= {it.get("sink") for it in details(sandbox, event_id)},
        within=30,
        what="what the archive has made of it",
    )
    (call, *_) = [it for it in details(sandbox, event_id) if it["what"] == "debug-call"]
    assert (call["service"], call["status"], call["durationMs"] > 0) == ("dataverse", 404, True)
    exchanges = eventually(
        lambda: client.app.listed(f"{event_id}/exchanges")["exchanges"], within=30, what="what was sent and came back"
    )
    assert [(it["system"], it["status"]) for it in exchanges] == [("dataverse", 404)]
    assert details(sandbox, sent(client, other)) == []
    (entry,) = [it for it in client.app.audit() if it.get("correlationId") == looked_at]
    assert (entry["what"], entry["why"]) == ("debug-on", _WHY)

    support(sandbox, looked_at, "--off", "--why", "the cause is found")
    eventually(lambda: not details(sandbox, sent(client, looked_at)), within=30, what="an event without details")

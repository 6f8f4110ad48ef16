"""One trace for each event, as a collector gets it: through a retry, a dead letter, a resubmit, and to the readers."""

import subprocess
import sys
import uuid
from collections.abc import Callable
from typing import Any

import requests

from integration.telemetry import metrics
from sandbox.client import Client, eventually
from sandbox.machine.ports import LOOPBACK
from sandbox.repository import REPOSITORY
from sandbox.running.sandbox import Sandbox
from sandbox.systems.collector.tree import branches
from tests.contract.infra.bicep import INFRA
from tests.contract.infra.telemetry_columns import asked, missing
from tests.end_to_end.journeys import Person, context_of

Tree = list[tuple[int, str, str]]
_SYSTEM_SAYS_NO = {
    "status": 422,
    "headers": {"Content-Type": "application/problem+json"},
    "body": '{"type": "https://problems.example/value-invalid", "title": "Value invalid", "status": 422}',
}


def tree(spans: list[dict[str, Any]]) -> Tree:
    """Depth, name and error of each span; the readers of the hub in the order of their names."""
    found = list(branches(spans))
    rows = [
        (it.depth, it.span["name"], it.span["attributes"].get("integration.sink"), it.span["error"]) for it in found
    ]
    return [(depth, reader or name, error or "") for depth, name, reader, error in rows]


def traced(client: Client, event_id: str, complete: Callable[[Tree], bool]) -> list[dict[str, Any]]:
    """The spans of an event's traces once they are complete; every span has come once."""

    def look() -> list[dict[str, Any]] | None:
        spans = client.collector.trace_of(event_id)
        return spans if complete(tree(spans)) else None

    spans = eventually(look, within=30, what=f"the whole trace of {event_id}")
    assert client.collector.twice() == []
    return spans


def archived(times: int) -> Callable[[Tree], bool]:
    """Whether the archive has taken what was published so many times."""
    return lambda found: sum(name == "archive_events" for _, name, _ in found) == times


def test_a_retry_is_a_second_attempt_in_the_same_trace(client: Client, sandbox: Sandbox) -> None:
    """The caller's trace goes on; calls, scheduled copy, publication and the hub's reader have their places."""
    person = Person(client)
    opportunity, _ = person.opportunity(person.account(), 1_000)
    client.credit.add_fault("POST ^/api/scores", status=503)
    event_id = person.update("opportunity", opportunity, {"estimatedvalue": 300_000})  # another decision: it is written

    spans = traced(client, event_id, lambda found: archived(1)(found) and found[0][1] == "send work")
    shown = subprocess.run(  # noqa: S603 -- run.py trace
        [sys.executable, "-m", "sandbox.commands", "trace", event_id, "--state", str(sandbox.state.root)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert [line.split()[4:6] for line in shown.splitlines() if " process work " in line] == [["process", "work"]] * 2
    assert "attempt 2, completed" in shown
    assert requests.get(f"{client.collector.url}/traces/{event_id}", timeout=10).text.count("credit score") == 2
    found = [row for row in tree(spans) if row[0] < 3 or row[1] == "archive_events"]
    assert [row for row in found if not row[1].startswith("dataverse retrieve")] == [
        (0, "send work", ""),
        (1, "process work", "credit-unavailable"),
        (2, "credit score", "503"),
        (2, "send work", ""),
        (1, "process work", ""),
        (2, "credit score", ""),
        (2, "dataverse update opportunities", ""),
        (2, "send integration-events", ""),
        (3, "archive_events", ""),
    ]
    assert len({span["traceId"] for span in spans}) == 1
    (score,) = [it for it in spans if it["name"] == "credit score" and not it["error"]]
    assert score["attributes"] == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": int(client.credit.url.rpartition(":")[2]),
        "peer.service": "credit",
        "integration.system": "credit",
        "integration.operation": "score",
    }
    first, second = [it for it in spans if it["name"] == "process work"]
    assert (first["attributes"]["integration.state"], first["kind"]) == ("waiting", "consumer")
    assert (second["attributes"]["integration.state"], second["attributes"]["integration.attempt"]) == ("completed", 2)
    sent = [it["headers"]["traceparent"] for it in client.credit.received() if it["headers"].get("traceparent")]
    assert f"00-{score['traceId']}-{score['spanId']}-01" in sent


def test_a_dead_letter_and_its_resubmit_are_one_trace(client: Client) -> None:
    """The new event stands where the old one stood: under what was queued first."""
    person = Person(client)
    opportunity, _ = person.opportunity(person.account(), 1_000)
    client.credit.add_fault("POST ^/api/scores", **_SYSTEM_SAYS_NO)
    event_id = person.update("opportunity", opportunity, {"estimatedvalue": 3_000})
    assert client.app.operation(event_id)["state"] == "dead-lettered"  # type: ignore[index]
    again = client.app.act(f"{event_id}/retry").json()["eventId"]
    client.app.wait_for(again)

    spans = traced(
        client, again, lambda found: archived(1)([row for row in found if row[0] == 4]) and archived(2)(found)
    )
    found = tree(spans)
    assert found[0] == (0, "send work", "")
    assert (1, "process work", "credit-value-invalid") in found
    assert (2, "credit score", "422") in found
    at = found.index((1, "send work", ""))
    assert (2, "process work", "") in found[at:]
    assert (3, "send integration-events", "") in found[at:]
    assert {it["attributes"].get("integration.event.id") for it in spans} >= {event_id, again}
    assert spans == client.collector.trace_of(event_id)


def test_the_callers_trace_goes_on(client: Client) -> None:
    trace = uuid.uuid4().hex
    sent = context_of("webhook_async_update_account_2019", OperationId=str(uuid.uuid4()))
    answer = client.app.post_webhook(sent, headers={"traceparent": f"00-{trace}-{'b' * 16}-00"})
    assert answer.status_code == 202
    event_id = answer.json()["eventId"]
    spans = traced(client, event_id, lambda found: {"send work", "process work"} <= {name for _, name, _ in found})
    assert {it["traceId"] for it in spans} == {trace}
    assert spans[0]["parentSpanId"] == "b" * 16


def test_queries_ask_for_what_is_exported(client: Client, sandbox: Sandbox) -> None:
    """The names and attributes that the queries of infra/queries want of spans and metrics are those that come here."""
    person = Person(client)
    person.opportunity(person.account(), 1_000)
    client.credit.add_fault("POST ^/api/scores", status=503)
    opportunity, _ = person.opportunity(person.account(), 1_000)
    assert opportunity
    host = f"http://{LOOPBACK}:{sandbox.ports.events_host}"
    requests.post(f"{host}/admin/functions/operations_figures", json={}, timeout=10).raise_for_status()
    queries = {path.stem: asked(path.read_text(encoding="utf-8")) for path in (INFRA / "queries").glob("*.kql")}
    wanted = [(name, it) for name, found in queries.items() for it in found]
    assert {it.table for _, it in wanted} == {"dependencies", "customMetrics"}

    def complete() -> bool:
        rows = {"dependencies": client.collector.spans(), "customMetrics": client.collector.metrics()}
        return not any(missing(it, rows[it.table]) for _, it in wanted)

    eventually(complete, within=30, what="all that the queries ask for")
    exported = {it["name"] for it in client.collector.metrics()}
    assert exported == {it.name for it in metrics.INSTRUMENTS}

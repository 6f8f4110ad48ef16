"""Dataverse's limits while four processes of the worker share one application user."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from sandbox.client import Client, eventually
from sandbox.running.sandbox import Sandbox
from tests.end_to_end.test_drain import plant, send

REQUESTS, RECORDS, A_HANDFUL = 400, 260, 8
"""What the app allows itself in five minutes; events that need two requests each, more than that; and few."""


@pytest.fixture
def four_workers(sandbox: Sandbox, client: Client) -> Iterator[Client]:
    settings = {"FUNCTIONS_WORKER_PROCESS_COUNT": "4", "DATAVERSE_REQUESTS": str(REQUESTS)}
    sandbox.processes.restart("host-events", settings)
    yield client
    client.dataverse.clear_limits()
    sandbox.processes.restart("host-events", {"FUNCTIONS_WORKER_PROCESS_COUNT": "1", "DATAVERSE_REQUESTS": "6000"})


def test_four_processes_stay_within_one_budget(four_workers: Client) -> None:
    """They send a tenth less than Dataverse takes, whoever comes first; what is left waits, and nothing is given up."""
    client = four_workers
    known = {it.message_id for it in client.broker.dead_letters()}
    ids = [plant(client) for _ in range(RECORDS)]
    client.dataverse.enforce_limits(requests=REQUESTS * 11 // 10, window_seconds=300)
    began = datetime.now(UTC).isoformat()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda row_id: send(client, row_id), ids))
    assert {answer.status_code for answer in answers} == {202}

    def states() -> Counter[str]:
        found = (client.app.operation(answer.json()["eventId"]) for answer in answers)
        return Counter(it["state"] if it else "unknown" for it in found)

    eventually(lambda: set(states()) <= {"completed", "waiting"}, within=60, what="events that are done or wait")
    refused = [it for it in client.dataverse.received() if it["status"] == 429 and it["at"] > began]
    assert len(refused) <= A_HANDFUL
    assert states()["completed"] > RECORDS // 3
    assert {it.message_id for it in client.broker.dead_letters()} <= known  # fewer: those of others were resolved

"""Many records at once."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.client import Client, eventually
from tests.end_to_end.journeys import context_of

RECORDS = 200


@pytest.mark.parametrize("slow", [False, True], ids=["quick", "slower than sessionIdleTimeout"])
def test_200_events_on_200_records_drain_within_30_seconds(client: Client, slow: bool) -> None:
    """Each event on its own record, so each in its own session; each makes one ERP customer, also with an ERP that
    takes longer than the host waits for the next message of a session.
    """  # noqa: D205 -- one thought
    if slow:
        client.erp.add_fault("PUT .*", status=None, delay_ms=1500, times=None)
    ids = [plant(client) for _ in range(RECORDS)]
    started = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda row_id: send(client, row_id), ids))
    assert all(answer.status_code == 202 for answer in answers)

    def drained() -> bool:
        return set(ids) <= {effect["id"] for effect in client.erp.effects()}

    eventually(drained, within=30 - (time.monotonic() - started), what="200 customers in the ERP")
    kinds = [effect["kind"] for effect in client.erp.effects() if effect["id"] in set(ids)]
    assert kinds == ["customer-created"] * RECORDS
    for answer in answers:
        assert client.app.wait_for(answer.json()["eventId"])["state"] == "completed"


def plant(client: Client) -> str:
    """A row that no step reports, so that only the webhooks sent here count."""
    row_id = str(uuid.uuid4())
    return client.dataverse.create("account", {"name": f"Drain {row_id}"}, row_id=row_id, silent=True)


def send(client: Client, row_id: str) -> requests.Response:
    """What Dataverse would have sent for a new account."""
    context = context_of("webhook_async_update_account_2019", OperationId=str(uuid.uuid4()), PrimaryEntityId=row_id)
    context["InputParameters"][0]["value"]["Id"] = row_id
    return requests.post(
        f"{client.app.url}/api/dataverse/webhook", params={"code": client.app.webhook_key}, json=context, timeout=30
    )

"""The stand-in for any other system: what it keeps, and what it makes up for the flow that reads its answers."""

import json
import uuid
from collections.abc import AsyncIterator

import pytest
import requests

from integration.clock import SystemClock
from integration.errors import NotFound, Stale
from integration.systems import Message
from integration.systems.rest import Resources
from integration.transport import ApiKey, Host, Transport
from tests.contract.sandbox.systems.stand_in import StandIn, Start

ANSWERS = {
    "facilities": {
        "jobNumber": {"kind": "text"},
        "rank": {"kind": "whole"},
        "size": {"kind": "choice", "words": ["small"]},
    },
    "marketing": {},
}


class Job(Message):
    """What is sent."""

    topic: str
    source_version: int


class Planned(Message):
    """What a flow reads."""

    job_number: str
    rank: int
    size: str
    topic: str
    source_version: int


@pytest.fixture(scope="module")
def system(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    db = tmp_path_factory.mktemp("resources") / "others.db"
    return start("resources", "--db", db, "--answers", json.dumps(ANSWERS))


@pytest.fixture
async def facilities(system: StandIn) -> AsyncIterator[Resources]:
    transport = Transport([Host(system.url)], clock=SystemClock())
    yield Resources(transport, "facilities", ApiKey("resources-sandbox-key"), f"{system.url}/facilities/api")
    await transport.aclose()


@pytest.fixture
def path() -> str:
    return f"jobs/{uuid.uuid4()}"


async def test_a_new_resource_gets_what_the_flow_reads_and_keeps_it(facilities: Resources, path: str) -> None:
    made = await facilities.put(path, Job(topic="Roof", source_version=1), Planned, key=f"1{path}")
    assert made.job_number.startswith("FACILITIES-")
    assert (made.size, made.topic) == ("small", "Roof")
    changed = await facilities.put(path, Job(topic="Cellar", source_version=2), Planned, key=f"2{path}")
    assert (changed.job_number, changed.rank, changed.topic) == (made.job_number, made.rank, "Cellar")
    assert await facilities.get(path, Planned) == changed


async def test_the_same_key_has_one_effect_and_an_older_version_none(
    facilities: Resources, system: StandIn, path: str
) -> None:
    job = Job(topic="Roof", source_version=2)
    for _ in range(2):
        await facilities.put(path, job, Planned, key=path)
    with pytest.raises(Stale):
        await facilities.put(path, Job(topic="Roof", source_version=1), Planned, key=f"older{path}")
    effects = system.control("GET", "ledger?system=facilities").json()["effects"]
    assert [it["kind"] for it in effects if it["path"] == path] == ["created"]


async def test_what_is_removed_is_not_there_any_more(facilities: Resources, path: str) -> None:
    await facilities.put(path, Job(topic="Roof", source_version=1), Planned, key=path)
    assert await facilities.delete(path, key=f"d{path}")
    assert not await facilities.delete(path, key=f"d{path}")
    with pytest.raises(NotFound):
        await facilities.get(path, Planned)


async def test_something_without_an_address_gets_one(facilities: Resources) -> None:
    posted = await facilities.post("jobs", Job(topic="Roof", source_version=1), Planned, key=str(uuid.uuid4()))
    assert posted.topic == "Roof"


def test_systems_are_apart_and_a_key_is_needed(system: StandIn, path: str) -> None:
    def status(name: str, key: str) -> int:
        answer = requests.get(f"{system.url}/{name}/api/{path}", headers={"X-Api-Key": key}, timeout=10)
        return answer.status_code

    assert status("marketing", "resources-sandbox-key") == 404
    assert status("marketing", "wrong") == 401
    assert status("unknown", "resources-sandbox-key") == 404

"""Protected clients against stand-ins that are limited, away, and back: what two instances of the app would do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from integration.clock import SystemClock
from integration.dataverse import DataverseClient, dataverse_failure
from integration.errors import NotFound, Outage, Paused, Throttled
from integration.protection import BreakerPolicy, MemoryState, Protected, Switch
from integration.systems.rest import ErpClient, rest_failure
from integration.transport import ApiKey, Host, Limits, Transport
from tests.contract.integration.sign_in import tokens_of
from tests.contract.sandbox.systems.stand_in import StandIn

LIMITS = Limits(connect=1.0, read=1.0, total=2.0)
POLICY = BreakerPolicy(first_open=1.0, longest_open=1.0, ramp_step=0.2, outages=3)

DataverseInstance = Callable[..., DataverseClient]
ErpInstance = Callable[[], ErpClient]


@pytest.fixture
def shared() -> MemoryState:
    """What the instances share."""
    return MemoryState()


@pytest.fixture
async def dataverse_instance(dataverse_system: StandIn, shared: MemoryState) -> AsyncIterator[DataverseInstance]:
    """Makes the client of one more instance."""
    transports: list[Transport] = []
    who = dataverse_system.control("GET", "environment").json()
    clock = SystemClock()

    def make(requests: int | None = None) -> DataverseClient:
        transports.append(Transport([Host(dataverse_system.url, ca_file=who["ca_file"], limits=LIMITS)], clock=clock))
        tokens = tokens_of(dataverse_system, transports[-1])
        switch = Switch("dataverse", shared, clock, full=8, policy=POLICY)
        sender = Protected(
            transports[-1], switch, concurrency=8, failure_of=dataverse_failure, clock=clock, requests=requests
        )
        return DataverseClient(sender, tokens, dataverse_system.url, clock=clock)

    dataverse_system.control("DELETE", "requests")
    yield make
    dataverse_system.control("DELETE", "limits")
    for transport in transports:
        await transport.aclose()


@pytest.fixture
async def erp_instance(erp_system: StandIn, shared: MemoryState) -> AsyncIterator[ErpInstance]:
    """Makes the client of one more instance."""
    transports: list[Transport] = []
    clock = SystemClock()

    def make() -> ErpClient:
        transports.append(Transport([Host(erp_system.url, limits=LIMITS)], clock=clock))
        switch = Switch("erp", shared, clock, full=8, policy=POLICY)
        sender = Protected(transports[-1], switch, concurrency=8, failure_of=rest_failure, clock=clock)
        return ErpClient(sender, ApiKey("erp-sandbox-key"), erp_system.url)

    erp_system.control("DELETE", "faults")
    erp_system.control("DELETE", "requests")
    yield make
    erp_system.control("DELETE", "faults")
    for transport in transports:
        await transport.aclose()


def asked(system: StandIn) -> int:
    return len([one for one in system.control("GET", "requests").json() if "/api/" in one["path"]])


async def test_many_events_stay_within_what_dataverse_takes(
    dataverse_instance: DataverseInstance, dataverse_system: StandIn
) -> None:
    """Without a budget the eleventh request is refused, and Dataverse asks for a pause of minutes."""
    dataverse_system.control("POST", "limits", json={"requests": 11, "window_seconds": 300})
    one = dataverse_instance(requests=10)
    results = await asyncio.gather(*[one.who_am_i() for _ in range(30)], return_exceptions=True)
    assert sum(isinstance(result, Paused) for result in results) == 20
    assert [one["status"] for one in dataverse_system.control("GET", "requests").json() if "/api/" in one["path"]] == [
        200
    ] * 10


async def test_a_pause_that_one_instance_is_asked_for_holds_for_the_other(
    dataverse_instance: DataverseInstance, dataverse_system: StandIn
) -> None:
    first, second = dataverse_instance(), dataverse_instance()
    await second.who_am_i()
    dataverse_system.control("POST", "limits", json={"requests": 1, "window_seconds": 60})
    dataverse_system.control("DELETE", "requests")
    await first.who_am_i()
    with pytest.raises(Throttled):
        await first.who_am_i()
    third = dataverse_instance()
    with pytest.raises(Throttled) as raised:
        await third.who_am_i()
    assert (raised.value.retry_after or 0) > 50
    assert asked(dataverse_system) == 2


async def get(erp: ErpClient) -> type[Exception]:
    """What comes of reading something that the ERP does not have."""
    try:
        await erp.get_customer(str(uuid4()))
    except (NotFound, Outage) as error:
        return type(error)
    raise AssertionError("the ERP has what nobody put there")


async def test_while_a_gateway_answers_the_erp_is_left_alone_and_one_call_tries(
    erp_instance: ErpInstance, erp_system: StandIn
) -> None:
    """Thirty events of two instances cost a few requests; once the ERP is back, all get their answers."""
    first, second = erp_instance(), erp_instance()
    erp_system.fault("* /api/", status=404, times=None, gateway=True)
    assert [await get(first) for _ in range(4)] == [Outage] * 3 + [Paused]
    assert [await get(second) for _ in range(10)] == [Paused] * 10
    assert asked(erp_system) == 3
    await asyncio.sleep(1.05)
    results = await asyncio.gather(*[get(erp) for erp in (first, second) for _ in range(10)])
    assert sorted(result.__name__ for result in results) == ["Outage"] + ["Paused"] * 19
    erp_system.control("DELETE", "faults")
    await asyncio.sleep(1.05)
    assert await get(first) is NotFound
    results = await asyncio.gather(*[get(first) for _ in range(10)])
    assert results == [NotFound] * 10
    assert asked(erp_system) == 3 + 1 + 1 + 10


async def test_an_erp_that_dies_and_comes_back_is_found_again(erp_instance: ErpInstance, erp_system: StandIn) -> None:
    erp = erp_instance()
    assert await get(erp) is NotFound
    erp_system.kill()
    try:
        assert [await get(erp) for _ in range(5)] == [Outage] * 3 + [Paused] * 2
    finally:
        erp_system.start_again()
    await asyncio.sleep(1.05)
    assert await get(erp) is NotFound

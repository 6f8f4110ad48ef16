"""An ERP behind Azure Relay: whatever happens to relay and listeners, what was asked for is there once in the end.

The relay is the sandbox's, the listeners are Microsoft's (hyco-https).
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path

import pytest

from integration.errors import NotFound, Outage
from integration.systems import CustomerSystem, OrderSystem
from integration.systems.rest import ErpClient
from integration.transport import (
    ApiKey,
    Authorizer,
    CallContext,
    Host,
    Limits,
    RelaySender,
    Request,
    Response,
    Sender,
    SharedAccessSignatures,
    ThroughRelay,
    Transport,
)
from tests.contract.integration.systems.story import Story
from tests.contract.integration.systems.subjects import BusinessCentral, Rest, Subject
from tests.contract.sandbox.azure.relay.relay_process import PATIENCE, SEND_KEY, RelayProcess, listener, packages, until
from tests.contract.sandbox.systems.stand_in import StandIn

ANSWER_SECONDS = 1.5
LIMITS = Limits(connect=2.0, read=5.0, total=5.0)


class Behind:
    """A relay, and listeners in front of one system; `subject` asks the system through the relay."""

    def __init__(self, there: Path) -> None:
        self.relay = RelayProcess(answer_seconds=ANSWER_SECONDS)
        self.listeners: list[subprocess.Popen[bytes]] = []
        self._packages = there

    def listen(self, system: StandIn, count: int = 1) -> None:
        """Start so many more listeners."""
        self.listeners += [listener(self.relay, system.url, packages=self._packages) for _ in range(count)]
        self.relay.wait_for_listeners(len(self.listeners))

    def kill(self, one: subprocess.Popen[bytes]) -> None:
        one.kill()
        one.wait(PATIENCE)
        self.listeners.remove(one)


class Patient:
    """Waits a moment after a failure, as the worker does, so that what was killed has time to come back."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def send(self, request: Request, *, authorizer: Authorizer | None, context: CallContext) -> Response:
        try:
            return await self._sender.send(request, authorizer=authorizer, context=context)
        except Outage:
            await asyncio.sleep(0.5)
            raise


class Relayed(Subject):
    """A system that is asked through the relay."""

    def __init__(self, system: StandIn, behind: Behind) -> None:
        super().__init__(system)
        self.url = behind.relay.url
        self.transport = Transport([Host(self.url, limits=LIMITS)], clock=self.clock)
        self.relay = SharedAccessSignatures(self.url, key_name="send", key=SEND_KEY, clock=self.clock)


class RelayedRest(Relayed, Rest):
    """An ERP that honours the Idempotency-Key."""

    def adapters(
        self, through: Callable[[Sender], Sender] = lambda sender: sender, store: object = None
    ) -> tuple[CustomerSystem, OrderSystem]:
        authorizer = ThroughRelay(ApiKey("erp-sandbox-key"), self.relay)
        client = ErpClient(Patient(RelaySender(through(self.transport))), authorizer, self.url)
        return client, client


class RelayedBusinessCentral(Relayed, BusinessCentral):
    """Business Central on premises, which honours no key; its token endpoint is behind the relay too."""

    def adapters(
        self, through: Callable[[Sender], Sender] = lambda sender: sender, store: object = None
    ) -> tuple[CustomerSystem, OrderSystem]:
        authorizer = ThroughRelay(self.tokens(self.relay), self.relay)
        adapter = self.adapter(authorizer, through=lambda sender: Patient(RelaySender(through(sender))))
        return adapter, adapter


@pytest.fixture(scope="module")
def there() -> Path:
    """Where hyco-https is installed."""
    return packages()


@pytest.fixture(scope="module")
def running(there: Path) -> Iterator[Behind]:
    """A relay for all these tests."""
    made = Behind(there)
    made.relay.start()
    yield made
    made.relay.stop()


@pytest.fixture
def behind(running: Behind) -> Iterator[Behind]:
    """The relay, with no listener yet."""
    yield running
    for one in list(running.listeners):
        running.kill(one)
    running.relay.wait_for_listeners(0)


@pytest.fixture(params=[RelayedRest, RelayedBusinessCentral], ids=["rest", "business-central"])
async def relayed(request: pytest.FixtureRequest, behind: Behind) -> AsyncIterator[Subject]:
    """An adapter that asks its system through the relay."""
    name = "erp_system" if request.param is RelayedRest else "business_central_system"
    made: Subject = request.param(request.getfixturevalue(name), behind)
    made.system.control("DELETE", "faults")
    yield made
    await made.transport.aclose()
    made.system.control("DELETE", "faults")


async def played(subject: Subject, meanwhile: Callable[[], Coroutine[None, None, None]]) -> None:
    """Stories one after the other while something happens, and what is there of each in the end."""
    happens = asyncio.create_task(meanwhile())
    stories: list[Story] = []
    while not happens.done() or not stories:
        stories.append(Story())
        await stories[-1].play(subject, subject.adapters)
    await happens
    for story in stories:
        await story.check(subject)


async def test_a_listener_that_dies_with_a_request_in_its_hands_doubles_nothing(
    relayed: Subject, behind: Behind
) -> None:
    """Each create reaches the system, which takes its time; the listener dies before the answer."""
    behind.listen(relayed.system)
    for method in relayed.methods[:2]:
        relayed.system.fault(f"{method} {relayed.path}", times=1, delay_ms=400, after=True)
        story = Story()
        playing = asyncio.create_task(story.play(relayed, relayed.adapters))
        await asyncio.to_thread(until, lambda: not relayed.system.control("GET", "faults").json(), "a request is there")
        await asyncio.to_thread(behind.kill, behind.listeners[0])
        await asyncio.to_thread(behind.listen, relayed.system)
        await playing
        await story.check(relayed)


async def test_a_relay_that_is_killed_and_comes_back_doubles_nothing(relayed: Subject, behind: Behind) -> None:
    """The listeners connect again by themselves."""
    behind.listen(relayed.system)

    async def restart() -> None:
        await asyncio.to_thread(behind.relay.kill)
        await asyncio.to_thread(behind.relay.start)
        await asyncio.to_thread(behind.relay.wait_for_listeners, 1)

    await played(relayed, restart)


async def test_two_listeners_share_the_work_and_one_may_die(relayed: Subject, behind: Behind) -> None:
    behind.listen(relayed.system, 2)

    async def lose_one() -> None:
        await asyncio.sleep(0.2)
        await asyncio.to_thread(behind.kill, behind.listeners[0])

    await played(relayed, lose_one)


async def test_without_a_listener_an_order_waits_and_is_not_unknown(relayed: Subject, behind: Behind) -> None:
    """The relay's 404 is an outage; only the system's own 404 says that there is no such order."""
    story = Story()
    _, orders = relayed.adapters()
    with pytest.raises(Outage) as raised:
        await orders.get_order(story.order_id)
    assert "not-found" not in raised.value.reason
    await asyncio.to_thread(behind.listen, relayed.system)
    with pytest.raises(NotFound):
        await orders.get_order(story.order_id)

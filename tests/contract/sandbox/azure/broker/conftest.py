"""One broker for all tests of this folder. `BROKER_CONNECTION_STRING` names another one to run the SDK tests against.

That one (Microsoft's emulators, or Azure) needs the entities of the two Config.json here; tests that move the clock or
look inside are skipped then. Each test has a queue of its own or leaves its queue empty, and senders stay open: opening
a link takes the Python SDKs half a second.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusSender

from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

_SETTLED = 1  # the snd-settle-mode of receive-and-delete


@pytest.fixture(scope="session")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess | None]:
    if "BROKER_CONNECTION_STRING" in os.environ:
        yield None
        return
    process = BrokerProcess(tmp_path_factory.mktemp("broker"))
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="session")
def connection_string(own_broker: BrokerProcess | None) -> str:
    return own_broker.connection_string if own_broker else os.environ["BROKER_CONNECTION_STRING"]


@pytest.fixture(scope="session")
def broker(own_broker: BrokerProcess | None) -> BrokerProcess:
    """The broker of this repository, with its controls."""
    if own_broker is None:
        pytest.skip("needs the controls of the sandbox's broker")
    return own_broker


@pytest.fixture(scope="session")
def now(own_broker: BrokerProcess | None) -> Callable[[], datetime]:
    """The broker's time, which tests move."""
    return own_broker.now if own_broker else lambda: datetime.now(UTC)


@pytest.fixture(scope="session")
def client(connection_string: str) -> Iterator[ServiceBusClient]:
    with ServiceBusClient.from_connection_string(connection_string, retry_total=0) as client:
        yield client


@pytest.fixture(scope="session")
def sender(client: ServiceBusClient) -> Iterator[Callable[[str], ServiceBusSender]]:
    """Opens a sender to a queue (or a topic, named `topic/...`) once and for all."""
    opened: dict[str, ServiceBusSender] = {}
    with ExitStack() as stack:

        def open_once(entity: str) -> ServiceBusSender:
            if entity not in opened:
                topic = entity.removeprefix("topic/")
                new = client.get_queue_sender(entity) if topic == entity else client.get_topic_sender(topic)
                opened[entity] = stack.enter_context(new)
            return opened[entity]

        yield open_once
        with ThreadPoolExecutor() as pool:  # each takes half a second
            list(pool.map(lambda open_sender: open_sender.close(), opened.values()))


@pytest.fixture
def amqp(broker: BrokerProcess) -> Iterator[AmqpClient]:
    """A bare AMQP connection to the broker."""
    with AmqpClient(broker.port) as client:
        yield client


@pytest.fixture
def empty_queue(amqp: AmqpClient) -> Iterator[str]:
    """A queue that a test may leave as it likes."""
    yield "protocol"
    link = amqp.receiver("protocol", credit=1000, snd_settle_mode=_SETTLED)
    link.request_drain()
    assert amqp.wait(lambda: link.credit == 0)
    amqp.received.clear()

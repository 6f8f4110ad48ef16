"""Apache Qpid Proton, a C implementation of AMQP 1.0, against the broker.

`python3 journeys.py URL [CA_FILE]`, with amqp or amqps. It needs nothing but `proton`, so that it runs with any Python
that has it. Prints the name of each journey that passes; the first failure ends it with status 1.
"""

import sys
from typing import Any

from proton import Delivery, Message, SSLDomain, symbol
from proton.reactor import Filter
from proton.utils import BlockingConnection, LinkDetached, SendException

LARGE = 200_000
SECONDS = 10


def connect() -> Any:
    """A connection to the broker; with a CA file its certificate is checked."""
    domain = None
    if len(sys.argv) > 2:
        domain = SSLDomain(SSLDomain.MODE_CLIENT)
        domain.set_trusted_ca_db(sys.argv[2])
        domain.set_peer_authentication(SSLDomain.VERIFY_PEER)
    return BlockingConnection(
        sys.argv[1], timeout=SECONDS, ssl_domain=domain, allowed_mechs="ANONYMOUS", virtual_host="localhost"
    )


def send_and_settle(connection: Any) -> None:
    """Messages of one frame and of many; accept, release, and reject into the dead-letter queue."""
    sender = connection.create_sender("proton")
    for body in ("accept", "release", "reject", "x" * LARGE):
        sender.send(Message(body=body, properties={"n": 5, "text": "ü", "flag": True}))
    receiver = connection.create_receiver("proton", credit=1)
    message = receiver.receive(SECONDS)
    assert (message.body, message.properties) == ("accept", {"n": 5, "text": "ü", "flag": True})
    receiver.accept()
    assert receiver.receive(SECONDS).body == "release"
    receiver.release(delivered=False)
    assert receiver.receive(SECONDS).body == "release"
    receiver.accept()
    assert receiver.receive(SECONDS).body == "reject"
    receiver.reject()
    assert len(receiver.receive(SECONDS).body) == LARGE
    receiver.accept()
    receiver.close()
    dead = connection.create_receiver("proton/$DeadLetterQueue", credit=1)
    assert dead.receive(SECONDS).body == "reject"
    dead.accept()
    dead.close()
    sender.close()


def sessions(connection: Any) -> None:
    """A session by its id, through a filter on the source."""
    sender = connection.create_sender("proton-sessions")
    for group in ("one", "two"):
        sender.send(Message(body=group, group_id=group))
    wanted = Filter({symbol("com.microsoft:session-filter"): "two"})
    receiver = connection.create_receiver("proton-sessions", credit=5, options=wanted)
    assert receiver.receive(SECONDS).body == "two"
    receiver.accept()
    receiver.close()


def refusals(connection: Any) -> None:
    """What is not there, and what is too large: the link or the message is refused, the connection goes on."""
    refused: list[LinkDetached | SendException] = []
    try:
        connection.create_sender("nothing")
    except LinkDetached as error:
        refused.append(error)
    sender = connection.create_sender("proton")
    try:
        sender.send(Message(body="x" * 300_000))
    except SendException as error:
        refused.append(error)
    assert len(refused) == 2, refused
    assert "amqp:not-found" in str(refused[0])
    assert refused[1].state == Delivery.REJECTED


def hubs(connection: Any) -> None:
    """Events to a partition, read from the beginning."""
    sender = connection.create_sender("proton-events/Partitions/0")
    sender.send(Message(body=b"event"))
    receiver = connection.create_receiver("proton-events/ConsumerGroups/$Default/Partitions/0", credit=10)
    message = receiver.receive(SECONDS)
    assert bytes(message.body) == b"event"
    assert message.annotations["x-opt-sequence-number"] >= 0
    receiver.close()


for journey in (send_and_settle, sessions, refusals, hubs):
    opened = connect()
    journey(opened)
    opened.close()
    print(journey.__name__)  # noqa: T201 -- what the test reads

"""Topics and subscriptions with filters, through azure-servicebus."""

from collections.abc import Callable
from datetime import timedelta

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender

from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

Sender = Callable[[str], ServiceBusSender]


def test_each_subscription_gets_what_its_rules_want(
    client: ServiceBusClient, sender: Sender, broker: BrokerProcess
) -> None:
    """Correlation filters on system and application properties, an SQL filter, and a subscription without rule."""
    topic = sender("topic/orders")
    topic.send_messages(
        [
            ServiceBusMessage("json", content_type="application/json"),
            ServiceBusMessage("red", application_properties={"color": "red"}),
            ServiceBusMessage("large", subject="order 1", application_properties={"amount": 200}),
            ServiceBusMessage("small", subject="order 2", application_properties={"amount": 50}),
        ]
    )
    active = {name: broker.counts(f"orders/Subscriptions/{name}")["active"] for name in ("all", "json", "red", "large")}
    assert active == {"all": 4, "json": 1, "red": 1, "large": 1}
    with client.get_subscription_receiver("orders", "all") as receiver:
        taken = receiver.receive_messages(4, max_wait_time=3)
        while len(taken) < 4:
            taken += receiver.receive_messages(4, max_wait_time=3)
        assert [str(item) for item in taken] == ["json", "red", "large", "small"]
        assert taken[0].enqueued_sequence_number is not None
        receiver.dead_letter_message(taken[0], reason="no")
        for message in taken[1:]:
            receiver.complete_message(message)
    with client.get_subscription_receiver(
        "orders", "all", sub_queue="deadletter", receive_mode="receiveanddelete"
    ) as dead:
        [message] = dead.receive_messages(1, max_wait_time=3)
        assert message.dead_letter_source == "orders/Subscriptions/all"


def test_scheduling_on_a_topic(sender: Sender, broker: BrokerProcess) -> None:
    """A scheduled message reaches the subscriptions when it is due; a cancelled one never does."""
    before = broker.counts("orders/Subscriptions/all")["active"]
    at = broker.now() + timedelta(minutes=20)
    numbers = sender("topic/orders").schedule_messages([ServiceBusMessage("kept"), ServiceBusMessage("cancelled")], at)
    sender("topic/orders").cancel_scheduled_messages(numbers[1])
    assert broker.counts("orders/Subscriptions/all")["active"] == before
    broker.advance(20 * 60 + 1)
    assert broker.counts("orders/Subscriptions/all")["active"] == 1

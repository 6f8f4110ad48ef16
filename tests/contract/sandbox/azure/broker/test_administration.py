"""The administration API, through azure-servicebus: counts for support tools, entities and rules made and deleted."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender
from azure.servicebus import exceptions as sdk
from azure.servicebus.management import (
    CorrelationRuleFilter,
    ServiceBusAdministrationClient,
    SqlRuleAction,
    SqlRuleFilter,
    TrueRuleFilter,
)

from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient, text
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

Sender = Callable[[str], ServiceBusSender]


def administration(broker: BrokerProcess) -> ServiceBusAdministrationClient:
    """A client as Microsoft's sample for its emulator makes it: the SDK would insist on https."""
    client = ServiceBusAdministrationClient.from_connection_string(broker.connection_string)
    client._impl._client._base_url = f"http://localhost:{broker.http_port}"
    return client


@pytest.fixture
def admin(broker: BrokerProcess) -> Iterator[ServiceBusAdministrationClient]:
    with administration(broker) as client:
        yield client


def test_entities_are_listed_with_their_properties(admin: ServiceBusAdministrationClient) -> None:
    """Queues, topics, subscriptions, rules, the namespace; in pages."""
    names = [queue.name for queue in admin.list_queues()]
    assert {"send", "sessions"} <= set(names)
    assert [queue.name for queue in admin.list_queues(max_page_size=3)] == names
    queue = admin.get_queue("session-lock")
    assert (queue.requires_session, queue.lock_duration, queue.max_delivery_count) == (True, timedelta(seconds=30), 5)
    assert admin.get_queue("duplicates").duplicate_detection_history_time_window == timedelta(seconds=30)
    assert str(admin.get_queue("forwarding").forward_to).endswith("/forwarded")
    assert {topic.name for topic in admin.list_topics()} >= {"orders", "rules"}
    assert [item.name for item in admin.list_subscriptions("orders")] == ["all", "json", "red", "large"]
    assert admin.get_topic_runtime_properties("orders").subscription_count == 4
    [red] = admin.list_rules("orders", "red")
    assert isinstance(red.filter, CorrelationRuleFilter)
    assert red.filter.properties == {"color": "red"}
    [large] = admin.list_rules("orders", "large")
    assert isinstance(large.filter, SqlRuleFilter)
    assert large.filter.sql_expression == "amount > 100 AND sys.Label LIKE 'order%'"
    assert isinstance(admin.get_rule("orders", "all", "$Default").filter, TrueRuleFilter)
    assert admin.get_namespace_properties().messaging_sku == "Standard"


def test_runtime_counts_are_those_of_azure(
    admin: ServiceBusAdministrationClient, amqp: AmqpClient, broker: BrokerProcess
) -> None:
    """Active (with what is locked or deferred), dead-letter, scheduled; of queues and subscriptions."""
    admin.create_queue("counted", default_message_time_to_live=timedelta(days=1))
    admin.create_topic("counted-topic")
    admin.create_subscription("counted-topic", "sub")
    client = ServiceBusClient.from_connection_string(broker.connection_string, retry_total=0)
    with client, client.get_queue_sender("counted") as sender, client.get_queue_receiver("counted") as receiver:
        sender.send_messages([ServiceBusMessage(str(index)) for index in range(4)])
        sender.schedule_messages([ServiceBusMessage("later")] * 2, broker.now() + timedelta(hours=1))
        first, second = (receiver.receive_messages(1, max_wait_time=3)[0] for _ in range(2))
        receiver.defer_message(first)
        receiver.dead_letter_message(second)
        amqp.send(amqp.sender("counted-topic"), text("x"))
        queue = admin.get_queue_runtime_properties("counted")
        assert (queue.active_message_count, queue.dead_letter_message_count) == (3, 1)
        assert (queue.scheduled_message_count, queue.total_message_count) == (2, 6)
        assert queue.size_in_bytes is not None
        assert queue.size_in_bytes > 0
        assert queue.accessed_at_utc is not None
        assert abs((queue.accessed_at_utc - broker.now()).total_seconds()) < 60
        listed = {item.name: item for item in admin.list_queues_runtime_properties()}
        assert listed["counted"].dead_letter_message_count == 1
        subscription = admin.get_subscription_runtime_properties("counted-topic", "sub")
        assert (subscription.active_message_count, subscription.total_message_count) == (1, 1)
    admin.delete_queue("counted")
    admin.delete_topic("counted-topic")


def test_entities_and_rules_are_made_changed_and_deleted(
    admin: ServiceBusAdministrationClient, amqp: AmqpClient, broker: BrokerProcess
) -> None:
    """Receivers of a deleted entity are notified; an entity that is missing or exists already has its own error."""
    admin.create_queue("made", lock_duration=timedelta(seconds=20), requires_session=True, forward_to="send")
    queue = admin.get_queue("made")
    assert (queue.lock_duration, queue.requires_session, queue.max_delivery_count) == (timedelta(seconds=20), True, 10)
    queue.lock_duration = timedelta(seconds=45)
    queue.forward_to = None
    admin.update_queue(queue)
    assert admin.get_queue("made").lock_duration == timedelta(seconds=45)
    with pytest.raises(ResourceExistsError):
        admin.create_queue("made")
    admin.create_topic("made-topic")
    admin.create_subscription("made-topic", "sub")
    action = SqlRuleAction("SET seen = 'yes'")
    admin.create_rule("made-topic", "sub", "new", filter=CorrelationRuleFilter(properties={"n": 5}), action=action)
    rule = admin.get_rule("made-topic", "sub", "new")
    assert isinstance(rule.filter, CorrelationRuleFilter)
    assert rule.filter.properties == {"n": 5}
    assert isinstance(rule.action, SqlRuleAction)
    assert rule.action.sql_expression == "SET seen = 'yes'"
    rule.filter = SqlRuleFilter("n > 7")
    admin.update_rule("made-topic", "sub", rule)
    assert [item.name for item in admin.list_rules("made-topic", "sub")] == ["$Default", "new"]
    admin.delete_rule("made-topic", "sub", "$Default")
    with pytest.raises(HttpResponseError, match="expected"):
        admin.create_rule("made-topic", "sub", "wrong", filter=SqlRuleFilter("n >"))
    link = amqp.receiver("made-topic/Subscriptions/sub", credit=1)
    sender = amqp.sender("made-topic")
    admin.delete_topic("made-topic")
    assert amqp.wait(lambda: link in amqp.errors)
    error = amqp.errors[link]
    assert error is not None
    assert error.condition == "amqp:not-found"
    assert "amqp:not-found" in str(amqp.send(sender, text("x")))
    admin.delete_queue("made")
    for gone in (lambda: admin.get_queue("made"), lambda: admin.delete_queue("made"), lambda: admin.get_topic("made")):
        with pytest.raises(ResourceNotFoundError):
            gone()
    with pytest.raises(ResourceNotFoundError):
        admin.get_subscription("made-topic", "sub")
    client = ServiceBusClient.from_connection_string(broker.connection_string, retry_total=0)
    with client, pytest.raises(sdk.ServiceBusAuthenticationError):
        client.get_queue_sender("made").__enter__()

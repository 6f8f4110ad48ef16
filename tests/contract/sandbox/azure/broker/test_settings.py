"""Settings over the administration API: what Azure refuses is refused, and nothing that is accepted gets lost."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus import exceptions as sdk
from azure.servicebus.management import (
    ApiVersion,
    CorrelationRuleFilter,
    EntityStatus,
    ServiceBusAdministrationClient,
    SqlRuleAction,
    SqlRuleFilter,
)

from sandbox.azure.amqp import Accepted, Rejected, Target
from sandbox.azure.amqp.message import build
from sandbox.azure.amqp.types import Described, Symbol, Timestamp
from sandbox.azure.broker.http.atom import INSTANCE
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient, text
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

TIME = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def admin(broker: BrokerProcess) -> Iterator[ServiceBusAdministrationClient]:
    with ServiceBusAdministrationClient.from_connection_string(
        broker.secure_connection_string, connection_verify=str(broker.ca_file), api_version=ApiVersion.V2021_05
    ) as client:
        yield client


@pytest.fixture
def name(admin: ServiceBusAdministrationClient) -> Iterator[str]:
    """A name; if a test makes an entity of this name, it is deleted afterwards."""
    one = f"set-{uuid.uuid4().hex[:8]}"
    yield one
    for delete in (admin.delete_queue, admin.delete_topic):
        try:
            delete(one)
        except HttpResponseError:
            continue


@pytest.mark.parametrize(
    "settings",
    [
        {"lock_duration": timedelta(days=25)},
        {"lock_duration": timedelta(milliseconds=1)},
        {"max_delivery_count": 0},
        {"max_delivery_count": 2001},
        {"default_message_time_to_live": timedelta(0)},
        {"requires_duplicate_detection": True, "duplicate_detection_history_time_window": timedelta(days=25)},
        {"requires_duplicate_detection": True, "duplicate_detection_history_time_window": timedelta(seconds=1)},
        {"auto_delete_on_idle": MINUTE},
        {"max_size_in_megabytes": 7},
        {"max_message_size_in_kilobytes": 1024},
        {"user_metadata": "x" * 1025},
        {"forward_to": "nowhere"},
        {"enable_express": True, "requires_duplicate_detection": True},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(
    admin: ServiceBusAdministrationClient, name: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(HttpResponseError) as refused:
        admin.create_queue(name, **settings)
    assert refused.value.status_code in {400, 404}
    assert name not in [queue.name for queue in admin.list_queues()]


@pytest.mark.parametrize("wrong", ["x" * 300, "a b", "a?c", ".a", "a#b"], ids=lambda wrong: wrong[:5])
def test_names_that_azure_refuses_are_refused(broker: BrokerProcess, wrong: str) -> None:
    description = '<QueueDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"/>'
    assert put(broker, quote(wrong, safe=""), description).status_code == 400


def put(broker: BrokerProcess, path: str, description: str, **headers: str) -> requests.Response:
    """One PUT as the REST reference shows it."""
    entry = (
        f'<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">{description}</content></entry>'
    )
    url = f"http://localhost:{broker.http_port}/{path}"
    return requests.put(
        url, entry.encode(), headers={name.replace("_", "-"): it for name, it in headers.items()}, timeout=10
    )


def test_a_setting_that_nobody_knows_is_refused(broker: BrokerProcess, name: str) -> None:
    """A typing mistake does not end as a queue with defaults."""
    space = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"
    answer = put(broker, name, f'<QueueDescription xmlns="{space}"><LockDuraton>PT1M</LockDuraton></QueueDescription>')
    assert answer.status_code == 400
    assert "LockDuraton" in answer.text


@pytest.mark.parametrize(
    ("path", "kind", "setting"),
    [
        ("topic", "TopicDescription", "<LockDuration>PT1M</LockDuration>"),
        ("topic", "TopicDescription", "<RequiresSession>true</RequiresSession>"),
        ("topic", "TopicDescription", "<ForwardTo>send</ForwardTo>"),
        ("topic", "TopicDescription", "<EnableSubscriptionPartitioning>true</EnableSubscriptionPartitioning>"),
        ("queue", "QueueDescription", "<FilteringMessagesBeforePublishing>true</FilteringMessagesBeforePublishing>"),
        ("queue", "QueueDescription", "<IsAnonymousAccessible>true</IsAnonymousAccessible>"),
        ("rules/Subscriptions/s", "SubscriptionDescription", "<MaxSizeInMegabytes>1024</MaxSizeInMegabytes>"),
        (
            "rules/Subscriptions/s",
            "SubscriptionDescription",
            "<RequiresDuplicateDetection>true</RequiresDuplicateDetection>",
        ),
    ],
)
def test_a_setting_of_another_kind_of_entity_is_refused(
    broker: BrokerProcess, path: str, kind: str, setting: str
) -> None:
    space = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"
    answer = put(broker, f"{path}-{uuid.uuid4().hex[:8]}", f'<{kind} xmlns="{space}">{setting}</{kind}>')
    assert answer.status_code == 400


def test_options_of_lists_that_are_not_simulated_are_refused(broker: BrokerProcess) -> None:
    """Pages are there; filters and negative numbers are not passed over."""
    for wrong in ("$filter=startswith(path,'a')", "$orderby=path", "$skip=-1", "$top=-1", "$top=x"):
        answer = requests.get(f"http://localhost:{broker.http_port}/$Resources/Queues?{wrong}", timeout=10)
        assert answer.status_code == 400, wrong


def test_settings_of_a_topic_are_given_back(admin: ServiceBusAdministrationClient, name: str) -> None:
    """Their order has no effect here, and is not forgotten."""
    topic = admin.create_topic(name, support_ordering=False)
    assert topic.support_ordering is False
    topic.support_ordering = True
    admin.update_topic(topic)
    assert admin.get_topic(name).support_ordering is True


def test_a_topic_counts_the_filters_of_its_subscriptions(admin: ServiceBusAdministrationClient, name: str) -> None:
    admin.create_topic(name)
    admin.create_subscription(name, "one")
    admin.create_subscription(name, "two")
    admin.create_rule(name, "one", "sql", filter=SqlRuleFilter("1=1"))
    admin.create_rule(name, "two", "correlation", filter=CorrelationRuleFilter(correlation_id="x"))
    found = admin.get_topic_runtime_properties(name)
    assert (found.sql_filter_count, found.correlation_filter_count) == (3, 1)


def test_a_correlation_filter_on_an_unknown_property_is_refused(broker: BrokerProcess) -> None:
    space = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"
    wanted = f'<Filter i:type="CorrelationFilter" xmlns:i="{INSTANCE}"><Labl>x</Labl></Filter>'
    path = "rules/Subscriptions/managed/Rules/wrong"
    answer = put(broker, path, f'<RuleDescription xmlns="{space}">{wanted}</RuleDescription>')
    assert answer.status_code == 400
    assert "Labl" in answer.text


def test_everything_that_is_set_is_given_back(
    admin: ServiceBusAdministrationClient, name: str, broker: BrokerProcess
) -> None:
    """Also what the broker does not act on, and also after a change of something else."""
    settings: dict[str, Any] = {
        "auto_delete_on_idle": 10 * MINUTE,
        "max_size_in_megabytes": 3072,
        "enable_express": True,
        "enable_partitioning": True,
        "enable_batched_operations": False,
        "duplicate_detection_history_time_window": 12 * MINUTE,
        "user_metadata": "owned by <support>",
    }
    admin.create_queue(name, **settings)
    queue = admin.get_queue(name)
    queue.max_delivery_count = 7
    admin.update_queue(queue)
    found = admin.get_queue(name)
    assert {key: getattr(found, key) for key in settings} == settings
    assert found.max_delivery_count == 7
    assert broker.counts(name)["active"] == 0


@pytest.mark.parametrize("setting", ["requires_session", "requires_duplicate_detection", "enable_partitioning"])
def test_what_is_fixed_for_good_cannot_be_changed(
    admin: ServiceBusAdministrationClient, name: str, setting: str
) -> None:
    """It is refused, not silently ignored."""
    admin.create_queue(name)
    queue = admin.get_queue(name)
    setattr(queue, setting, True)
    with pytest.raises(HttpResponseError, match="cannot be changed"):
        admin.update_queue(queue)
    assert getattr(admin.get_queue(name), setting) is False


def test_the_status_of_a_queue_is_honoured(
    admin: ServiceBusAdministrationClient, name: str, broker: BrokerProcess, amqp: AmqpClient
) -> None:
    """SendDisabled takes nothing, ReceiveDisabled gives nothing and detaches, Active does both again."""
    admin.create_queue(name, status=EntityStatus.SEND_DISABLED)
    assert admin.get_queue(name).status == EntityStatus.SEND_DISABLED
    client = ServiceBusClient.from_connection_string(broker.connection_string, retry_total=0)
    with client, pytest.raises(sdk.MessagingEntityDisabledError), client.get_queue_sender(name) as sender:
        sender.send_messages(ServiceBusMessage("x"))
    queue = admin.get_queue(name)
    queue.status = EntityStatus.ACTIVE
    admin.update_queue(queue)
    sender_link, receiver = amqp.sender(name), amqp.receiver(name, credit=1)
    queue.status = EntityStatus.RECEIVE_DISABLED
    admin.update_queue(queue)
    assert amqp.send(sender_link, text("x")) == Accepted()
    assert amqp.wait(lambda: receiver in amqp.errors)
    assert "com.microsoft:entity-disabled" in str(amqp.errors[receiver])
    assert amqp.received == []
    queue.status = EntityStatus.DISABLED
    admin.update_queue(queue)
    assert isinstance(amqp.send(sender_link, text("x")), Rejected)
    queue.status = EntityStatus.ACTIVE
    admin.update_queue(queue)
    amqp.receiver(name, credit=1)
    assert len(amqp.receive(1)) == 1


def test_a_topic_that_is_disabled_takes_nothing_and_its_subscription_keeps_what_it_has(
    admin: ServiceBusAdministrationClient, name: str, amqp: AmqpClient
) -> None:
    admin.create_topic(name)
    admin.create_subscription(name, "sub", status=EntityStatus.RECEIVE_DISABLED)
    assert amqp.send(amqp.sender(name), text("x")) == Accepted()
    link = amqp.receiver(f"{name}/Subscriptions/sub")
    assert "com.microsoft:entity-disabled" in str(amqp.errors[link])
    assert admin.get_subscription_runtime_properties(name, "sub").active_message_count == 1
    topic = admin.get_topic(name)
    topic.status = EntityStatus.DISABLED
    admin.update_topic(topic)
    refused = amqp.session.attach_sender("refused", Target(name))
    assert amqp.wait(lambda: refused in amqp.errors)
    assert "com.microsoft:entity-disabled" in str(amqp.errors[refused])


SPAN = Described(Symbol("com.microsoft:timespan"), 90 * 10_000_000)
TYPED: dict[str, tuple[Any, Any, Any]] = {
    "time": (TIME, Timestamp(int(TIME.timestamp() * 1000)), Timestamp(0)),
    "duration": (timedelta(seconds=90), SPAN, Described(Symbol("com.microsoft:timespan"), 1)),
    "number": (2**40, 2**40, 5),
    "truth": (True, True, False),
}


@pytest.mark.parametrize("kind", TYPED)
def test_correlation_filters_compare_values_of_their_own_type(
    admin: ServiceBusAdministrationClient, name: str, amqp: AmqpClient, kind: str
) -> None:
    """Times, durations, large numbers and truth values are given back, and let the right message pass."""
    wanted, same, other = TYPED[kind]
    admin.create_topic(name)
    admin.create_subscription(name, "sub")
    admin.delete_rule(name, "sub", "$Default")
    admin.create_rule(name, "sub", "typed", filter=CorrelationRuleFilter(properties={"p": wanted}))
    found = admin.get_rule(name, "sub", "typed").filter
    assert isinstance(found, CorrelationRuleFilter)
    assert found.properties == {"p": wanted}
    sender = amqp.sender(name)
    for value, body in ((other, b"other"), (same, b"same")):
        amqp.send(sender, build(body, application_properties={"p": value}).encode())
    amqp.receiver(f"{name}/Subscriptions/sub", credit=2)
    [(_, message)] = amqp.receive(1)
    assert message.body() == b"same"
    assert amqp.receive(1, 0.2) == []


def test_sql_rules_have_parameters(admin: ServiceBusAdministrationClient, name: str, amqp: AmqpClient) -> None:
    """In filters and actions; one that has no value is refused."""
    admin.create_topic(name)
    admin.create_subscription(name, "sub")
    admin.delete_rule(name, "sub", "$Default")
    given: dict[str, Any] = {"@least": 5, "@since": TIME}
    wanted = SqlRuleFilter("n >= @least AND at >= @since", parameters=given)
    action = SqlRuleAction("SET seen = @by", parameters={"@by": "me"})
    admin.create_rule(name, "sub", "sql", filter=wanted, action=action)
    rule = admin.get_rule(name, "sub", "sql")
    assert isinstance(rule.filter, SqlRuleFilter)
    assert isinstance(rule.action, SqlRuleAction)
    assert (rule.filter.parameters, rule.action.parameters) == (given, {"@by": "me"})
    sender, moment = amqp.sender(name), int(TIME.timestamp() * 1000)
    for number, time in ((4, moment), (6, moment - 1), (6, moment)):
        properties = {"n": number, "at": Timestamp(time)}
        amqp.send(sender, build(b"x", application_properties=properties).encode())
    amqp.receiver(f"{name}/Subscriptions/sub", credit=3)
    [(_, message)] = amqp.receive(1)
    assert message.application_properties()["seen"] == "me"
    assert amqp.receive(1, 0.2) == []
    with pytest.raises(HttpResponseError, match="@missing"):
        admin.create_rule(name, "sub", "wrong", filter=SqlRuleFilter("n > @missing"))


def test_hubs_are_made_changed_and_deleted_at_run_time(tmp_path: Path) -> None:
    """With their consumer groups; they and their events outlive a kill; readers of a deleted hub are detached."""
    space = 'xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"'
    broker = BrokerProcess(tmp_path)
    broker.start()
    made = put(
        broker, "new-hub", f"<EventHubDescription {space}><PartitionCount>3</PartitionCount></EventHubDescription>"
    )
    assert made.status_code == 201
    assert "<PartitionCount>3</PartitionCount>" in made.text
    group = f"<ConsumerGroupDescription {space}/>"
    assert put(broker, "new-hub/ConsumerGroups/archive", group).status_code == 201
    assert put(broker, "new-hub/ConsumerGroups/archive", group).status_code == 409
    wrong = f"<EventHubDescription {space}><PartitionCount>33</PartitionCount></EventHubDescription>"
    assert put(broker, "other-hub", wrong).status_code == 400
    with AmqpClient(broker.port) as client:
        assert client.send(client.sender("new-hub/Partitions/2"), text("x")) == Accepted()
    broker.kill()
    broker.start()
    address = "new-hub/ConsumerGroups/archive/Partitions/2"
    url = f"http://localhost:{broker.http_port}"
    with AmqpClient(broker.port) as client:
        link = client.receiver(address, credit=1)
        assert len(client.receive(1)) == 1
        listed = requests.get(f"{url}/$Resources/EventHubs", timeout=10).text
        assert "new-hub" in listed
        assert requests.delete(f"{url}/new-hub", timeout=10).status_code == 200
        assert client.wait(lambda: link in client.errors)
        assert "amqp:not-found" in str(client.errors[link])
    assert "new-hub" not in requests.get(f"{url}/$Resources/EventHubs", timeout=10).text
    assert broker.stop() == 0

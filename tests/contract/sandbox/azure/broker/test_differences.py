"""Every known difference of the broker is on its page, and every one on the page is still there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from sandbox.azure.amqp import Accepted, Rejected, Target
from sandbox.azure.amqp.message import build
from sandbox.azure.amqp.types import Described, Int, Symbol, Timestamp, ULong
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient, text
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess
from tests.contract.sandbox.differences import listed

SPACE = 'xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"'
INSTANCE = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
DAY = 86_400


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker whose clock may be moved by a day."""
    broker = BrokerProcess(tmp_path_factory.mktemp("differences"))
    broker.start()
    yield broker
    assert broker.stop() == 0


@pytest.fixture
def client(own: BrokerProcess) -> Iterator[AmqpClient]:
    with AmqpClient(own.port) as one:
        yield one


def put(broker: BrokerProcess, path: str, kind: str, content: str) -> int:
    description = f"<{kind} {SPACE} {INSTANCE}>{content}</{kind}>"
    entry = (
        f'<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">{description}</content></entry>'
    )
    return requests.put(f"http://localhost:{broker.http_port}/{path}", entry.encode(), timeout=10).status_code


def no_transactions(_: BrokerProcess, client: AmqpClient) -> None:
    coordinator: Any = Described(ULong(0x30), [[Symbol("amqp:local-transactions")]])
    link = client.session.attach_sender("coordinator", coordinator)
    assert client.wait(lambda: link in client.errors)
    error = client.errors[link]
    assert error is not None
    assert error.condition == "amqp:not-implemented"
    via = client.session.attach_sender(
        "via", Target("secure"), properties={"com.microsoft:transfer-destination-address": "send"}
    )
    assert client.wait(lambda: via in client.errors)


def tokens_last(broker: BrokerProcess, _: AmqpClient) -> None:
    """Tokens are looked at when they come, and not again."""
    expired = "SharedAccessSignature sr=sb%3A%2F%2Flocalhost%2Fsecure&sig=x&se=1&skn=RootManageSharedAccessKey"
    with AmqpClient(broker.port) as client:
        answer, _body = client.request("$cbs", expired, operation="put-token", name="sb://localhost/secure", type="jwt")
        assert answer["status-code"] == 202
        assert client.sender("secure").attached


def no_deletion_in_bulk(_: BrokerProcess, client: AmqpClient) -> None:
    body = {"message-count": Int(1), "enqueued-time-utc": Timestamp(0)}
    answer, _body = client.request("secure/$management", body, operation="com.microsoft:batch-delete-messages")
    assert (answer["statusCode"], answer["errorCondition"]) == (501, "amqp:not-implemented")


def nothing_over_http(broker: BrokerProcess, _: AmqpClient) -> None:
    url = f"http://localhost:{broker.http_port}/secure/messages"
    assert requests.post(url, b"x", timeout=10).status_code == 405
    assert requests.delete(f"{url}/head", timeout=10).status_code == 404


def no_properties_of_the_service(broker: BrokerProcess, _: AmqpClient) -> None:
    wanted = '<Filter i:type="SqlFilter"><SqlExpression>sys.EnqueuedTimeUtc IS NULL</SqlExpression></Filter>'
    assert put(broker, "rules/Subscriptions/managed/Rules/wrong", "RuleDescription", wanted) == 400


def any_token_will_do(_: BrokerProcess, client: AmqpClient) -> None:
    assert client.send(client.sender("secure"), text("x")) == Accepted()


def no_entra(_: BrokerProcess, client: AmqpClient) -> None:
    answer, _body = client.request("$cbs", "not.a.jwt", operation="put-token", name="sb://localhost/send", type="jwt")
    assert answer["status-code"] < 300, "nobody looks into the token"


def kept_without_effect(broker: BrokerProcess, client: AmqpClient) -> None:
    rules = '<AuthorizationRules><AuthorizationRule i:type="SharedAccessAuthorizationRule"/></AuthorizationRules>'
    assert put(broker, "idle", "QueueDescription", f"{rules}<AutoDeleteOnIdle>PT5M</AutoDeleteOnIdle>") == 201
    broker.advance(DAY)
    assert client.sender("idle").attached
    described = requests.get(f"http://localhost:{broker.http_port}/idle", timeout=10).text
    assert "SharedAccessAuthorizationRule" in described
    assert "<AutoDeleteOnIdle>PT5M</AutoDeleteOnIdle>" in described


def standard_tier(broker: BrokerProcess, client: AmqpClient) -> None:
    large = "<MaxMessageSizeInKilobytes>1024</MaxMessageSizeInKilobytes>"
    assert put(broker, "large", "QueueDescription", large) == 400
    assert isinstance(client.send(client.sender("secure"), text("x" * 300_000)), Rejected)


def forwarding_is_refused_at_once(broker: BrokerProcess, client: AmqpClient) -> None:
    assert put(broker, "target", "QueueDescription", "<Status>SendDisabled</Status>") == 201
    assert put(broker, "source", "QueueDescription", "<ForwardTo>target</ForwardTo>") == 201
    assert isinstance(client.send(client.sender("source"), text("x")), Rejected)


def many_connections(broker: BrokerProcess, _: AmqpClient) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(AmqpClient(broker.port)) for _ in range(120)]
        assert all(each.wait(lambda each=each: each.connection.opened) for each in clients)  # type: ignore[misc]


def numbers_become_long(broker: BrokerProcess, client: AmqpClient) -> None:
    assert put(broker, "typed", "TopicDescription", "") == 201
    assert put(broker, "typed/Subscriptions/sub", "SubscriptionDescription", "") == 201
    action = '<Action i:type="SqlRuleAction"><SqlExpression>SET n = n + 1</SqlExpression></Action>'
    assert put(broker, "typed/Subscriptions/sub/Rules/more", "RuleDescription", action) == 201
    client.send(client.sender("typed"), build(b"x", application_properties={"n": Int(1)}).encode())
    client.receiver("typed/Subscriptions/sub", credit=2)
    encoded = [message.raw_application_properties or b"" for _, message in client.receive(2)]
    [changed] = [each for each in encoded if b"RuleName" in each]
    assert b"\xa1\x01n\x55\x02" in changed, "0x55 is a small long, 0x54 a small int"


def text_passes_for_numbers(broker: BrokerProcess, client: AmqpClient) -> None:
    assert put(broker, "lenient", "TopicDescription", "") == 201
    value = '<Value i:type="d6p1:int" xmlns:d6p1="http://www.w3.org/2001/XMLSchema">5</Value>'
    pair = f"<KeyValueOfstringanyType><Key>n</Key>{value}</KeyValueOfstringanyType>"
    wanted = f'<Filter i:type="CorrelationFilter"><Properties>{pair}</Properties></Filter>'
    rule = f"<DefaultRuleDescription>{wanted}</DefaultRuleDescription>"
    assert put(broker, "lenient/Subscriptions/sub", "SubscriptionDescription", rule) == 201
    client.send(client.sender("lenient"), build(b"x", application_properties={"n": "5"}).encode())
    client.receiver("lenient/Subscriptions/sub", credit=1)
    assert len(client.receive(1)) == 1


def hubs_have_no_status(broker: BrokerProcess, _: AmqpClient) -> None:
    assert put(broker, "new", "EventHubDescription", "<Status>Disabled</Status>") == 400
    assert put(broker, "new", "EventHubDescription", "<CaptureDescription/>") == 400
    group = "<UserMetadata>x</UserMetadata>"
    assert put(broker, "events/ConsumerGroups/new", "ConsumerGroupDescription", group) == 400


DIFFERENCES: dict[str, Callable[[BrokerProcess, AmqpClient], None]] = {
    "transactions, and sending via another entity": no_transactions,
    "without `--key` a token is needed": any_token_will_do,
    "Entra ID tokens": no_entra,
    "messages are deleted in bulk (`batch-delete-messages` in `$management`)": no_deletion_in_bulk,
    "a link ends when its token expires": tokens_last,
    "messages are sent and received over HTTP as well": nothing_over_http,
    "AutoDeleteOnIdle, MaxSizeInMegabytes, EnableExpress, EnablePartitioning, EnableBatchedOperations, "
    "SupportOrdering, FilteringMessagesBeforePublishing, DeadLetteringOnFilterEvaluationExceptions, authorization "
    "rules have an effect": kept_without_effect,
    "messages above 256 KB, as in the Premium tier": standard_tier,
    "a message that cannot be forwarded goes to the transfer dead-letter queue": forwarding_is_refused_at_once,
    "quotas of entities and connections": many_connections,
    "SQL filters read the system properties that the service sets, such as `sys.EnqueuedTimeUtc`": (
        no_properties_of_the_service
    ),
    "an SQL action keeps the type of a number that it sets anew": numbers_become_long,
    "a correlation filter with a number lets no text pass": text_passes_for_numbers,
    "the Status of an event hub, Capture, and settings of consumer groups": hubs_have_no_status,
}


def test_the_page_lists_the_differences_that_are_tried_here() -> None:
    assert listed("sandbox-broker.md") == list(DIFFERENCES)


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_listed_difference_is_there(own: BrokerProcess, client: AmqpClient, difference: str) -> None:
    """When this fails because the broker now does it: take the row off the page and out of this list."""
    DIFFERENCES[difference](own, client)

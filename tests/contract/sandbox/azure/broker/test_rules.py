"""Rules of subscriptions over `$management`, as the JavaScript and .NET rule managers ask for them."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.azure.amqp import Properties, build
from sandbox.azure.amqp.types import Described, Int
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient, text
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

SUBSCRIPTION = "rules/Subscriptions/managed"
TRUE_FILTER, CORRELATION_FILTER, SQL_ACTION = 0x1370000007, 0x1370000009, 0x13700000006

Manage = Callable[..., tuple[int, Any]]


@pytest.fixture
def manage(amqp: AmqpClient) -> Manage:
    """Status and body of one operation on the subscription."""

    def ask(operation: str, **body: Any) -> tuple[int, Any]:
        arguments = {key.replace("_", "-"): value for key, value in body.items()}
        answer, result = amqp.request(f"{SUBSCRIPTION}/$management", arguments, operation=f"com.microsoft:{operation}")
        return answer["statusCode"], result

    return ask


def rules(manage: Manage) -> dict[str, list[Any]]:
    """The subscription's rules by name: filter, action, name, created at."""
    _, body = manage("enumerate-rules", skip=Int(0), top=Int(100))
    descriptions = [rule["rule-description"] for rule in body.get("rules", [])]
    assert all(isinstance(item, Described) and item.descriptor == 0x13700000004 for item in descriptions)
    return {item.value[2]: item.value for item in descriptions}


def test_rules_are_added_listed_and_removed(amqp: AmqpClient, manage: Manage, broker: BrokerProcess) -> None:
    """`$Default` lets everything pass until it is removed; rules with an action add changed copies of their own."""
    [default] = rules(manage).values()
    assert (default[2], default[0]) == ("$Default", Described(TRUE_FILTER, []))
    assert manage("remove-rule", rule_name="$Default")[0] == 200
    assert manage("enumerate-rules", skip=Int(0), top=Int(100))[0] == 204
    amqp.send(amqp.sender("rules"), text("nobody wants it"))
    correlation = {"correlation-filter": {"label": "wanted", "properties": {"n": 5}}}
    assert manage("add-rule", rule_name="one", rule_description=correlation)[0] == 200
    changed = {"sql-filter": {"expression": "n > 1"}, "sql-rule-action": {"expression": "SET n = n + 1"}}
    assert manage("add-rule", rule_name="two", rule_description=changed)[0] == 200
    assert manage("add-rule", rule_name="three", rule_description={"false-filter": {}})[0] == 200
    listed = rules(manage)
    assert list(listed) == ["one", "two", "three"]
    assert listed["one"][0] == Described(
        CORRELATION_FILTER, [None, None, None, None, "wanted", None, None, None, {"n": 5}]
    )
    assert listed["two"][1] == Described(SQL_ACTION, ["SET n = n + 1", 20])
    message = build(b"x", properties=Properties(subject="wanted"), application_properties={"n": 5})
    amqp.send(amqp.sender("rules"), message.encode())
    amqp.receiver(SUBSCRIPTION, credit=10, snd_settle_mode=1)
    given = [content.application_properties() for _, content in amqp.receive(2)]
    assert given == [{"n": 5}, {"n": 6, "RuleName": "two"}]
    for name in listed:
        manage("remove-rule", rule_name=name)
    manage("add-rule", rule_name="$Default", rule_description={"true-filter": {}})
    assert broker.counts(SUBSCRIPTION)["active"] == 0


def test_wrong_rules_are_refused(amqp: AmqpClient, manage: Manage) -> None:
    """A name that is taken, a name that is not there, an expression that makes no sense, an entity without rules."""
    before = rules(manage)
    assert manage("add-rule", rule_name="$default", rule_description={"true-filter": {}})[0] == 409
    assert manage("remove-rule", rule_name="nothing")[0] == 404
    senseless: list[dict[str, Any]] = [{"sql-filter": {"expression": "amount >"}}, {"sql-filter": {}}, {}]
    for wrong in senseless:
        assert manage("add-rule", rule_name="wrong", rule_description=wrong)[0] == 400
    answer, _ = amqp.request("send/$management", {"rule-name": "x"}, operation="com.microsoft:remove-rule")
    assert answer["errorCondition"] == "amqp:not-allowed"
    assert rules(manage) == before

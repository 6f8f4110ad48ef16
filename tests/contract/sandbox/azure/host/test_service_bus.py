"""Queues and subscriptions without sessions (ServiceBusListener.cs, MessageProcessor.cs; encodings: test_values.py)."""

import json
import time
import uuid

import pytest
from azure.servicebus import ServiceBusMessage

from tests.contract.sandbox.azure.host.processes import Broker, HostProcess, Senders, most_at_once, wait_until


@pytest.fixture(scope="module", autouse=True)
def long_runs(messages_host: HostProcess, senders: Senders) -> str:
    """A message and a batch of three seconds, under locks of two; the other tests run meanwhile. The group of both."""
    group = uuid.uuid4().hex
    for queue in ("slow", "batches"):
        senders.send(queue, order(group=group, sleep=3))
    return group


def order(**values: object) -> ServiceBusMessage:
    return ServiceBusMessage(json.dumps(values))


def test_a_message_arrives_with_its_metadata(messages_host: HostProcess, senders: Senders) -> None:
    """What azure.functions makes of the metadata: types, and the fields that are never sent."""
    sent = uuid.uuid4().hex
    message = ServiceBusMessage(
        "hello", message_id=sent, correlation_id="c", subject="s", content_type="text/plain", to="t", reply_to="r"
    )
    message.application_properties = {"tenant": "t1", "n": 5}
    senders.send("single", message)
    (seen,) = messages_host.wait_for("single", message_id=sent)
    assert seen["body"] == "hello"
    assert (seen["correlation_id"], seen["subject"], seen["label"]) == ("c", "s", "s")
    assert (seen["content_type"], seen["to"], seen["reply_to"]) == ("text/plain", "t", "r")
    assert seen["application_properties"] == seen["user_properties"] == {"tenant": "t1", "n": 5}
    assert seen["delivery_count"] == 1
    assert uuid.UUID(seen["lock_token"])
    assert isinstance(seen["sequence_number"], int)
    assert seen["session_id"] is None
    for never_sent in ("time_to_live", "locked_until", "dead_letter_reason", "scheduled_enqueue_time_utc"):
        assert seen[never_sent] is None


def test_times_arrive_naive(messages_host: HostProcess, senders: Senders) -> None:
    """The host writes EnqueuedTimeUtc and ExpiresAtUtc without a zone, so Python gets naive datetimes."""
    sent = uuid.uuid4().hex
    senders.send("single", ServiceBusMessage("x", message_id=sent))
    (seen,) = messages_host.wait_for("single", message_id=sent)
    assert seen["enqueued_time_utc"].startswith("datetime.datetime(")
    assert "tzinfo" not in seen["enqueued_time_utc"]
    assert "tzinfo" not in seen["expires_at_utc"]


def test_a_message_without_time_to_live_expires_at_the_end_of_time(
    messages_host: HostProcess, senders: Senders
) -> None:
    """DateTimeOffset.MaxValue, as azure.functions reads it."""
    sent = uuid.uuid4().hex
    senders.send("single", ServiceBusMessage("x", message_id=sent))
    (seen,) = messages_host.wait_for("single", message_id=sent)
    assert seen["expires_at_utc"].startswith("datetime.datetime(9999, 12, 31, 23, 59, 59")


def test_body_keys_overwrite_metadata(messages_host: HostProcess, senders: Senders) -> None:
    """A JSON body with a key `messageId` changes the message's id: azure-functions-dotnet-worker#991."""
    evil = uuid.uuid4().hex
    senders.send("single", ServiceBusMessage(json.dumps({"messageId": evil, "correlationId": 9}), message_id="good"))
    (seen,) = messages_host.wait_for("single", message_id=evil)
    assert seen["correlation_id"] == "9"


def test_binary_keeps_metadata(messages_host: HostProcess, senders: Senders) -> None:
    """With data_type=BINARY the body is no string, and nothing is overwritten."""
    sent = uuid.uuid4().hex
    senders.send("raw", ServiceBusMessage(json.dumps({"messageId": "EVIL"}), message_id=sent))
    messages_host.wait_for("raw", message_id=sent)


def test_a_parameter_of_bytes_gets_the_body_alone(messages_host: HostProcess, senders: Senders) -> None:
    body = uuid.uuid4().hex
    senders.send("plain", ServiceBusMessage(body))
    (seen,) = messages_host.wait_for("plain", body=body)
    assert seen["type"] == "bytes"


def test_metadata_that_cannot_be_decoded_dead_letters_before_the_function_runs(
    messages_host: HostProcess, broker: Broker, senders: Senders
) -> None:
    """`{"deliveryCount": "many"}` makes every delivery fail in the worker."""
    before = broker.queue("single")["deadLetter"]
    sent = uuid.uuid4().hex
    senders.send("single", ServiceBusMessage(json.dumps({"deliveryCount": "many"}), message_id=sent))
    wait_until("the dead letter", lambda: broker.queue("single")["deadLetter"] == before + 1)
    assert not messages_host.records("single", message_id=sent)
    assert "ValueError" in messages_host.text()


def test_an_exception_abandons_at_once_and_burns_all_deliveries(
    messages_host: HostProcess, broker: Broker, senders: Senders
) -> None:
    """There is no delay between deliveries: maxDeliveryCount (3 here) is used up before a lock (5 s) would end."""
    before = broker.queue("single")["deadLetter"]
    sent = uuid.uuid4().hex
    start = time.monotonic()
    senders.send("single", ServiceBusMessage("boom", message_id=sent))
    wait_until("the dead letter", lambda: broker.queue("single")["deadLetter"] == before + 1)
    assert time.monotonic() - start < 5
    seen = messages_host.records("single", message_id=sent)
    assert [one["delivery_count"] for one in seen] == [1, 2, 3]


def test_a_batch_shifts_string_properties(messages_host: HostProcess, senders: Senders) -> None:
    """Only the second message has a correlation id, Python gives it to the first: Azure-Functions#2084."""
    first, second = uuid.uuid4().hex, uuid.uuid4().hex
    senders.send(
        "many", ServiceBusMessage(first, message_id=first), ServiceBusMessage(second, correlation_id="of the second")
    )
    wait_until("both", lambda: {first, second} <= _bodies(messages_host))
    batch = next(one for one in messages_host.records("many") if one["items"][0]["body"] == first)
    assert len(batch["items"]) == 2
    assert batch["items"][0]["correlation_id"] == "of the second"
    assert batch["items"][1]["correlation_id"] is None


def _bodies(host: HostProcess) -> set[str]:
    return {item["body"] for batch in host.records("many") for item in batch["items"]}


def test_an_empty_body_fails_its_whole_batch(messages_host: HostProcess, broker: Broker, senders: Senders) -> None:
    """Bodies and metadata no longer have the same length: IndexError for every message of the batch."""
    before = broker.queue("many")["deadLetter"]
    body = uuid.uuid4().hex
    senders.send("many", ServiceBusMessage(""), ServiceBusMessage(body))
    wait_until("the dead letters", lambda: broker.queue("many")["deadLetter"] >= before + 1)
    assert "IndexError" in messages_host.text()


def test_the_lock_of_a_batch_is_not_renewed(messages_host: HostProcess, broker: Broker, long_runs: str) -> None:
    """The lock lasts 2 s, the function 3 s: it has returned, and the message comes again all the same."""
    seen = messages_host.wait_for("batches", 2, group=long_runs)
    assert [one["delivery"] for one in seen] == [1, 2]
    assert "A message of 'batches' could not be settled" in messages_host.text()
    wait_until("it to be completed", lambda: broker.queue("batches")["locked"] == 0)


def test_a_binary_batch_keeps_empty_bodies(messages_host: HostProcess, senders: Senders) -> None:
    """A byte[][] drops nulls only: the batch does not fail."""
    group = uuid.uuid4().hex
    senders.send("batches", ServiceBusMessage(b""), order(group=group))
    (seen,) = messages_host.wait_for("batches", group=group)
    assert seen["size"] == 2


def test_batches_run_one_after_the_other(messages_host: HostProcess, senders: Senders) -> None:
    """One at a time for each instance, whatever maxConcurrentCalls says."""
    group = uuid.uuid4().hex
    before = messages_host.invocations("batches")
    senders.send("batches", order(group=group, n=1, sleep=1))
    wait_until("the first to run", lambda: messages_host.invocations("batches") > before)
    senders.send("batches", order(group=group, n=2))
    first, second = messages_host.wait_for("batches", 2, group=group)
    assert (first["n"], second["n"]) == (1, 2)
    assert second["started"] >= first["at"]


def test_a_retry_policy_on_service_bus_is_ignored(messages_host: HostProcess, broker: Broker, senders: Senders) -> None:
    """Its support was withdrawn: the host warns, and every failure is a delivery."""
    assert "Function 'plain': retry policies are not supported by its trigger" in messages_host.text()
    before, body = broker.queue("plain")["deadLetter"], f"boom {uuid.uuid4().hex}"
    senders.send("plain", ServiceBusMessage(body))
    wait_until("the dead letter", lambda: broker.queue("plain")["deadLetter"] == before + 1)
    assert len(messages_host.records("plain", body=body)) == 3


def test_a_subscription_is_served(messages_host: HostProcess, senders: Senders) -> None:
    sent = uuid.uuid4().hex
    senders.send("topic", ServiceBusMessage("x", message_id=sent), topic=True)
    messages_host.wait_for("subscription", message_id=sent)


def test_a_lock_is_renewed_while_the_function_runs(messages_host: HostProcess, broker: Broker, long_runs: str) -> None:
    """The lock lasts 2 s, the function 3 s, and the message is processed once."""
    messages_host.wait_for("slow", group=long_runs)
    wait_until("the queue to be empty", lambda: broker.queue("slow")["active"] + broker.queue("slow")["locked"] == 0)
    assert len(messages_host.records("slow", group=long_runs)) == 1


def test_calls_run_beside_each_other_up_to_the_limit(messages_host: HostProcess, senders: Senders) -> None:
    """MaxConcurrentCalls is 4: of eight messages four are worked on at the same time."""
    group = uuid.uuid4().hex
    senders.send("slow", *(order(group=group, sleep=0.8) for _ in range(8)))
    seen = messages_host.wait_for("slow", 8, group=group)
    assert most_at_once(seen) == 4


def test_the_admin_api_runs_a_function(messages_host: HostProcess) -> None:
    """202 at once; the input is the body of a made-up message; without a JSON object it is a 400."""
    body = uuid.uuid4().hex
    assert messages_host.post("/admin/functions/single", json.dumps({"input": body})).status_code == 202
    messages_host.wait_for("single", body=body)
    assert messages_host.post("/admin/functions/single", "no json").status_code == 400

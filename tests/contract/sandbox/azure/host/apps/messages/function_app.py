"""Service Bus functions: one message, many, text, bytes, sessions, a subscription."""

# ruff: noqa: UP006, UP035 -- the runtime takes typing.List and refuses list

import json
import time
from typing import Any, List

import azure.functions as func
import probe

app = func.FunctionApp()

FIELDS = (
    *("message_id", "delivery_count", "lock_token", "session_id", "correlation_id", "content_type", "subject", "label"),
    *("to", "reply_to", "partition_key", "sequence_number", "application_properties", "user_properties"),
    *("enqueued_time_utc", "expires_at_utc", "time_to_live", "locked_until", "dead_letter_reason"),
    "scheduled_enqueue_time_utc",
)


def seen(message: func.ServiceBusMessage) -> dict[str, Any]:
    return {"body": message.get_body().decode(), **{name: getattr(message, name) for name in FIELDS}}


@app.service_bus_queue_trigger(arg_name="message", queue_name="%SINGLE%", connection="ServiceBus")
async def single(message: func.ServiceBusMessage, context: func.Context) -> None:
    probe.record("single", invocation=context.invocation_id, **seen(message))
    if b"boom" in message.get_body():
        raise ValueError("boom")


@app.service_bus_queue_trigger(
    arg_name="message", queue_name="raw", connection="ServiceBus", data_type=func.DataType.BINARY
)
def raw(message: func.ServiceBusMessage) -> None:
    probe.record("raw", **seen(message))


@app.service_bus_queue_trigger(
    arg_name="message", queue_name="plain", connection="ServiceBus", data_type=func.DataType.BINARY
)
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:01")
def plain(message: bytes) -> None:
    probe.record("plain", type=type(message).__name__, body=message.decode())
    if message.startswith(b"boom"):
        raise ValueError("boom")


@app.service_bus_queue_trigger(arg_name="messages", queue_name="many", connection="ServiceBus", cardinality="many")
def many(messages: List[func.ServiceBusMessage]) -> None:
    probe.record("many", items=[seen(message) for message in messages])


@app.service_bus_queue_trigger(
    arg_name="messages",
    queue_name="batches",
    connection="ServiceBus",
    cardinality="many",
    data_type=func.DataType.BINARY,
)
def batches(messages: List[func.ServiceBusMessage]) -> None:
    started = time.time()
    orders = [json.loads(message.get_body() or b"{}") for message in messages]
    time.sleep(max(order.get("sleep", 0) for order in orders) if messages[0].delivery_count == 1 else 0)
    for message, order in zip(messages, orders, strict=True):
        probe.record("batches", started=started, size=len(messages), delivery=message.delivery_count, **order)


@app.service_bus_topic_trigger(arg_name="message", topic_name="topic", subscription_name="sub", connection="ServiceBus")
def subscription(message: func.ServiceBusMessage) -> None:
    probe.record("subscription", **seen(message))


@app.service_bus_queue_trigger(
    arg_name="message", queue_name="slow", connection="ServiceBus", data_type=func.DataType.BINARY
)
def slow(message: bytes) -> None:
    order = json.loads(message)
    started = time.time()
    time.sleep(order["sleep"])
    probe.record("slow", started=started, **order)


@app.service_bus_queue_trigger(
    arg_name="message",
    queue_name="%SESSIONS%",
    connection="ServiceBus",
    is_sessions_enabled=True,
    data_type=func.DataType.BINARY,
)
def in_session(message: func.ServiceBusMessage) -> None:
    order = json.loads(message.get_body())
    started = time.time()
    time.sleep(order.get("sleep", 0))
    probe.record("in_session", session=message.session_id, started=started, delivery=message.delivery_count, **order)
    if order.get("fail", 0) >= message.delivery_count:
        raise ValueError("not yet")

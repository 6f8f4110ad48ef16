"""Service Bus functions under options that are not the defaults."""

# ruff: noqa: UP006, UP035 -- the runtime takes typing.List and refuses list

import json
import time
from typing import List

import azure.functions as func
import probe

app = func.FunctionApp()


@app.service_bus_queue_trigger(
    arg_name="message", queue_name="kept", connection="ServiceBus", data_type=func.DataType.BINARY
)
def kept(message: func.ServiceBusMessage) -> None:
    order = json.loads(message.get_body())
    probe.record("kept", delivery=message.delivery_count, **order)
    if order.get("fail"):
        raise ValueError("as ordered")


@app.service_bus_queue_trigger(
    arg_name="message", queue_name="ahead", connection="ServiceBus", data_type=func.DataType.BINARY
)
def ahead(message: bytes) -> None:
    probe.record("ahead")
    time.sleep(1.5)


@app.service_bus_queue_trigger(
    arg_name="message",
    queue_name="pairs",
    connection="ServiceBus",
    is_sessions_enabled=True,
    data_type=func.DataType.BINARY,
)
def in_pairs(message: func.ServiceBusMessage) -> None:
    started = time.time()
    time.sleep(1)
    probe.record("in_pairs", session=message.session_id, started=started)


@app.service_bus_queue_trigger(arg_name="messages", queue_name="gathered", connection="ServiceBus", cardinality="many")
def gathered(messages: List[func.ServiceBusMessage]) -> None:
    probe.record("gathered", bodies=[message.get_body().decode() for message in messages])

"""FastStream: 128 messages at a time, acknowledged after the work, returned to the queue when it fails."""

import asyncio
import os

import uvloop
from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue

from sandbox.bench.comparators.context import Context
from sandbox.bench.comparators.work import Work

broker = RabbitBroker(os.environ["AMQP_URL"])
app = FastStream(broker)
_work: list[Work] = []


@app.on_startup
async def connect() -> None:
    """Sign in before the first message."""
    _work.append(await Work.open())


@broker.subscriber(
    RabbitQueue(os.environ["QUEUE"], durable=True),
    channel=Channel(prefetch_count=128),
    ack_policy=AckPolicy.NACK_ON_ERROR,
    no_reply=True,
)
async def handle(context: Context) -> None:
    """One message."""
    await _work[0](context)


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(app.run())

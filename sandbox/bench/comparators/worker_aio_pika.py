"""aio-pika on uvloop: 128 messages at a time, acknowledged after the work, returned to the queue when it fails."""

import asyncio
import os

import aio_pika
import uvloop
from aio_pika.abc import AbstractIncomingMessage

from sandbox.bench.comparators.context import Context
from sandbox.bench.comparators.work import Work


async def main() -> None:
    """Work until the process is ended."""
    work = await Work.open()
    connection = await aio_pika.connect_robust(os.environ["AMQP_URL"])
    channel = await connection.channel()
    await channel.set_qos(prefetch_count=128)
    queue = await channel.declare_queue(os.environ["QUEUE"], durable=True)

    async def handle(message: AbstractIncomingMessage) -> None:
        async with message.process(requeue=True):
            await work(Context.model_validate_json(message.body))

    await queue.consume(handle)
    await asyncio.Future()


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(main())

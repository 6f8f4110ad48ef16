"""aiohttp and aio-pika on uvloop, without a framework: the most that Python can do with these promises."""

import os

import aio_pika
import uvloop
from aiohttp import web

from sandbox.bench.comparators.context import PATH, RefusedError, admit


async def application() -> web.Application:
    """The application with its channel, publisher confirms on."""
    connection = await aio_pika.connect_robust(os.environ["AMQP_URL"])
    channel = await connection.channel(publisher_confirms=True)
    queue = await channel.declare_queue(os.environ["QUEUE"], durable=True)

    async def webhook(request: web.Request) -> web.Response:
        body = await request.read()
        try:
            context = admit(request.query.get("code", ""), body)
        except RefusedError as refused:
            return web.Response(status=refused.status)
        message = aio_pika.Message(
            body,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=str(context.operation_id),
            correlation_id=str(context.correlation_id),
        )
        await channel.default_exchange.publish(message, queue.name)
        return web.Response(status=202)

    app = web.Application(client_max_size=2**20)
    app.router.add_post(PATH, webhook)
    return app


if __name__ == "__main__":
    uvloop.install()
    web.run_app(application(), host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)

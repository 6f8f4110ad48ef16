"""FastAPI and FastStream: `uvicorn sandbox.bench.comparators.intake_fastapi:app`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from faststream.rabbit import RabbitBroker, RabbitQueue

from sandbox.bench.comparators.context import PATH, RefusedError, admit

broker = RabbitBroker(os.environ["AMQP_URL"])
queue = RabbitQueue(os.environ["QUEUE"], durable=True)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Connect before the first request."""
    await broker.start()
    await broker.declare_queue(queue)
    yield
    await broker.stop()


app = FastAPI(lifespan=lifespan)


@app.post(PATH)
async def webhook(request: Request, code: str = "") -> Response:
    """202 once the broker has confirmed the message; publisher confirms are FastStream's default."""
    body = await request.body()
    try:
        context = admit(code, body)
    except RefusedError as refused:
        return Response(status_code=refused.status)
    await broker.publish(
        body,
        queue=queue,
        persist=True,
        mandatory=True,
        message_id=str(context.operation_id),
        correlation_id=str(context.correlation_id),
    )
    return Response(status_code=202)

"""Functions that answer with the process that runs them."""

import asyncio
import json
import logging
import os
import time

import azure.functions as func
import probe

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="whoami")
async def whoami(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    logging.getLogger("app").info("answering")
    seen = {"pid": os.getpid(), "body": req.get_body().decode(), "invocation": context.invocation_id}
    return func.HttpResponse(json.dumps(seen), headers={"x-back": "1"})


@app.route(route="nap/{seconds:double}")
async def nap(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(float(req.route_params["seconds"]))
    return func.HttpResponse(str(os.getpid()))


@app.route(route="boom")
async def boom(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("a secret")


@app.route(route="die")
async def die(req: func.HttpRequest) -> func.HttpResponse:
    os._exit(3)


@app.service_bus_queue_trigger(
    arg_name="message", queue_name="spread", connection="ServiceBus", data_type=func.DataType.BINARY
)
def spread(message: func.ServiceBusMessage) -> None:
    order = json.loads(message.get_body())
    probe.record("spread", pid=os.getpid(), delivery=message.delivery_count, **order)
    if order.get("die") and message.delivery_count == 1:
        os._exit(3)
    time.sleep(order.get("sleep", 0))

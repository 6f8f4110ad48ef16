"""HTTP functions for every rule of the front."""

import asyncio
import json
import logging
import time
from typing import cast

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
log = logging.getLogger("app")


@app.route(route="echo/{kind}/{id:int?}", methods=["GET", "POST"])
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "params": dict(req.params),
        "route": dict(req.route_params),
        "headers": dict(req.headers),
        "body": req.get_body().decode(errors="replace"),
        "bytes": req.get_body().hex(),
        "invocation": context.invocation_id,
        "trace": context.trace_context.trace_parent,
    }
    return func.HttpResponse(json.dumps(seen), status_code=201, mimetype="application/json", headers={"x-back": "1"})


@app.route(route="files/{*path}")
def files(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params.get("path", "none"))


@app.route(route="order/{anything}")
def a_parameter(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("parameter")


@app.route(route="order/literal")
def b_literal(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("literal")


@app.route(route="boom")
async def boom(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("a secret")


@app.route(route="none")
def nothing(req: func.HttpRequest) -> func.HttpResponse:
    return cast("func.HttpResponse", None)  # what a forgotten return gives, whatever is declared


@app.route(route="text")
def text(req: func.HttpRequest) -> str:
    return req.get_body().decode()


@app.route(route="cookies")
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse(status_code=204)
    response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
    response.headers.add("Set-Cookie", "b=2; Max-Age=60; SameSite=Lax")
    return response


@app.route(route="keyed", auth_level=func.AuthLevel.FUNCTION)
def keyed(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")


@app.route(route="mastered", auth_level=func.AuthLevel.ADMIN)
def mastered(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")


@app.route(route="off")
def off(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("on")


@app.route(route="sleep/{seconds:double}")
def sleep_in_thread(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(float(req.route_params["seconds"]))
    return func.HttpResponse("slept")


@app.route(route="nap/{seconds:double}")
async def nap(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(float(req.route_params["seconds"]))
    return func.HttpResponse("napped")


@app.route(route="burn")
async def burn(req: func.HttpRequest) -> func.HttpResponse:
    async def work() -> None:
        end = time.thread_time() + 0.1
        while time.thread_time() < end:
            pass

    await asyncio.gather(work(), asyncio.create_task(work()))
    return func.HttpResponse("burnt")


@app.route(route="log")
def logs(req: func.HttpRequest) -> func.HttpResponse:
    log.info("two\nlines")
    log.info('{"event": "of json"}')
    return func.HttpResponse("logged")

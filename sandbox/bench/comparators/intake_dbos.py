"""FastAPI and DBOS: `uvicorn sandbox.bench.comparators.intake_dbos:app`. A row of SQLite is the message."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dbos import DBOSClient
from fastapi import FastAPI, Request, Response

from sandbox.bench.comparators.context import PATH, RefusedError, admit

_clients: list[DBOSClient] = []


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Open the database, which the worker has made."""
    _clients.append(DBOSClient(system_database_url=os.environ["DBOS_URL"], application_name="bench"))
    yield
    _clients[0].destroy()


app = FastAPI(lifespan=lifespan)


@app.post(PATH)
async def webhook(request: Request, code: str = "") -> Response:
    """202 once the workflow is committed."""
    body = await request.body()
    try:
        context = admit(code, body)
    except RefusedError as refused:
        return Response(status_code=refused.status)
    options = {"workflow_name": "handle", "queue_name": "work", "workflow_id": str(context.operation_id)}
    await _clients[0].enqueue_async(options, body.decode())
    return Response(status_code=202)

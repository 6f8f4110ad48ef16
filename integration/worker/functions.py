"""The Service Bus trigger of the worker."""

import azure.functions as func

from integration.telemetry import spans
from integration.worker.pipeline import Worker


def blueprint(worker: Worker, *, queue: str) -> func.Blueprint:
    """Bind the worker.

    The message is bound as bytes: as text, top-level keys of its body would overwrite the trigger's metadata
    (azure-functions-dotnet-worker#991), and decoding that metadata costs thirty times what the body does.
    """
    bp = func.Blueprint()

    @bp.service_bus_queue_trigger(
        arg_name="message",
        queue_name=queue,
        connection="ServiceBus",
        is_sessions_enabled=True,
        data_type=func.DataType.BINARY,
    )
    async def work(message: bytes, context: func.Context = spans.OUTSIDE) -> None:
        spans.invoked(context)
        await worker.handle(message)

    return bp

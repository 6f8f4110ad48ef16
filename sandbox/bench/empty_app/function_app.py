"""The app without its code: the same trigger on the same queue, and a function that does nothing.

What a host spends on this is the host's own cost of a message. EMPTY_APP says whether the function is `async` or
`sync`, as the host treats them differently.
"""

import os

import azure.functions as func

app = func.FunctionApp()
trigger = app.service_bus_queue_trigger(
    arg_name="message",
    queue_name=os.environ.get("WORK_QUEUE", "work"),
    connection="ServiceBus",
    is_sessions_enabled=True,
    data_type=func.DataType.BINARY,
)

if os.environ["EMPTY_APP"] == "async":

    @trigger
    async def work(message: bytes) -> None:
        """Nothing."""

else:

    @trigger
    def work(message: bytes) -> None:
        """Nothing."""

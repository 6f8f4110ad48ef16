"""`@app.retry`: running a function again in memory until it succeeds or its retries are used up.

Sources: webjobs-sdk FunctionExecutorExtensions.cs, RandomizedExponentialBackoffStrategy.cs.
"""

import asyncio
import random

from sandbox.azure.host.encoding.values import Encoded
from sandbox.azure.host.functions import Function, RetryOptions
from sandbox.azure.host.workers.dispatcher import Dispatcher
from sandbox.azure.host.workers.invocations import Outcome


async def invoke_with_retries(dispatcher: Dispatcher, function: Function, encoded: Encoded) -> Outcome:
    """The outcome of the last attempt."""
    retry, count = function.retry, 0
    while True:
        outcome = await dispatcher.invoke(function, *encoded, retry_count=count)
        if outcome.succeeded or retry is None or 0 <= retry.max_retries <= count:
            return outcome
        await asyncio.sleep(retry_delay(retry, count))
        count += 1


def retry_delay(retry: RetryOptions, count: int) -> float:
    """Seconds before retry number `count` (from 0): fixed, or growing from minimum to maximum with a jitter of 20 %."""
    if retry.delay is not None:
        return retry.delay
    growth = (2**count - 1) * retry.minimum * random.uniform(0.8, 1.2) if count < 32 else retry.maximum
    return min(retry.minimum + growth, retry.maximum)

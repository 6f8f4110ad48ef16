"""Event Hub triggers: which partitions this host reads, reading them in batches, checkpoints, `@app.retry`.

Sources: azure-sdk-for-net EventHubListener.cs, EventHubListener.PartitionProcessor.cs, PartitionLoadBalancer.cs.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass

from azure.core.exceptions import AzureError

from sandbox.azure.amqp import Source
from sandbox.azure.amqp.performatives import SETTLE_SETTLED
from sandbox.azure.amqp.types import Described, Symbol
from sandbox.azure.host.amqp.links import AmqpError, Receiver
from sandbox.azure.host.amqp.namespaces import BackOff, Namespace, keep_trying
from sandbox.azure.host.encoding import event_hubs as encoding
from sandbox.azure.host.encoding.event_hubs import Event, PartitionContext
from sandbox.azure.host.encoding.values import Encoded
from sandbox.azure.host.functions import Function
from sandbox.azure.host.host_json import EventHubOptions
from sandbox.azure.host.triggers.checkpoints import Checkpoint, CheckpointStore, Ownership
from sandbox.azure.host.triggers.retries import invoke_with_retries
from sandbox.azure.host.workers.dispatcher import Dispatcher

log = logging.getLogger(__name__)

_SELECTOR = Symbol("apache.org:selector-filter:string")
_RELEASE_TIMEOUT = 3.0  # seconds; an ownership that is not released runs out
_OWNER_LEVEL = 0  # the epoch with which an event processor reads


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub, its consumer group, and what one function does with its events."""

    function: Function
    name: str
    group: str
    namespace: Namespace
    options: EventHubOptions
    dispatcher: Dispatcher
    checkpoints: CheckpointStore

    def context(self, partition: str) -> PartitionContext:
        """What a function learns about the partition."""
        return PartitionContext(self.namespace.address.namespace, self.name, self.group, partition)

    async def process(self, partition: str, events: Sequence[Event]) -> None:
        """Run the function on a batch (or on its events one after the other), with its retries; never fails."""
        context, binary = self.context(partition), self.function.binary
        if self.function.many:
            await self._run(encoding.batch(events, context, binary=binary))
            return
        for event in events:
            await self._run(encoding.single(event, context, binary=binary))

    async def run_manually(self, text: str) -> None:
        """Run the function on an event made of `text` (the admin API)."""
        await self.process("0", [encoding.synthetic(text)])

    async def _run(self, encoded: Encoded) -> None:
        await invoke_with_retries(self.dispatcher, self.function, encoded)


class PartitionPump:
    """Reads one partition: a batch, the function, a checkpoint, whether the function failed or not."""

    def __init__(self, hub: Hub, partition: str) -> None:
        self._hub = hub
        self._partition = partition
        self._receiver: Receiver | None = None
        self._stopping = False
        self._since_checkpoint = 0
        self._back_off = BackOff(f"Function '{hub.function.name}' on '{hub.name}', partition {partition}")
        self._task = asyncio.get_running_loop().create_task(keep_trying(self._back_off, self._read))

    async def stop(self) -> None:
        """Let the running batch end, then release the partition."""
        self._stopping = True
        if self._receiver is None:
            self._task.cancel()
        else:
            self._receiver.interrupt()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        if self._stopping:
            raise asyncio.CancelledError
        hub, options = self._hub, self._hub.options
        checkpoint = await hub.checkpoints.checkpoint(self._partition)
        connection = await hub.namespace.connection()
        path = f"{hub.name}/ConsumerGroups/{hub.group}/Partitions/{self._partition}"
        receiver = await connection.attach_receiver(
            path,
            Source(path, filter={_SELECTOR: Described(_SELECTOR, self._start_position(checkpoint))}),
            properties={"com.microsoft:epoch": _OWNER_LEVEL},
            snd_settle_mode=SETTLE_SETTLED,
        )
        self._receiver = receiver
        self._back_off.succeeded()
        receiver.grant(options.prefetch_count)
        try:
            while events := await self._next_batch(receiver):
                await hub.process(self._partition, events)
                await self._checkpoint(events[-1])
                receiver.grant(len(events))
        finally:
            self._receiver = None
            if receiver.failure is None:
                receiver.link.detach()

    def _start_position(self, checkpoint: Checkpoint | None) -> str:
        if checkpoint is not None:
            return f"amqp.annotation.x-opt-offset > '{checkpoint.offset}'"
        start = "-1" if self._hub.options.from_start else "@latest"
        return f"amqp.annotation.x-opt-offset > '{start}'"

    async def _next_batch(self, receiver: Receiver) -> list[Event]:
        """The next events; less than `minEventBatchSize` only after `maxWaitTime`. None when the pump is to stop."""
        options = self._hub.options
        first = await receiver.receive()
        if first is None:
            return []
        batch = [first, *receiver.take(options.max_batch_size - 1)]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + options.max_wait
        while len(batch) < options.min_batch_size and loop.time() < deadline:
            more = await receiver.receive(deadline - loop.time())
            if more is None:
                break
            batch += [more, *receiver.take(options.max_batch_size - len(batch) - 1)]
        return [Event.read(delivery) for delivery in batch]

    async def _checkpoint(self, last: Event) -> None:
        self._since_checkpoint += 1
        if self._since_checkpoint < self._hub.options.checkpoint_frequency:
            return
        self._since_checkpoint = 0
        try:
            await self._hub.checkpoints.update(self._partition, Checkpoint(last.offset, last.sequence_number))
        except AzureError as error:
            log.warning("No checkpoint for '%s' partition %s: %s", self._hub.name, self._partition, error)


class HubListener:
    """Takes its share of the hub's partitions and keeps a pump on each."""

    def __init__(self, hub: Hub, owner: str) -> None:
        self._hub = hub
        self._owner = owner
        self._pumps: dict[str, PartitionPump] = {}
        self._etags: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen until `stop`."""
        self._task = asyncio.get_running_loop().create_task(self._balance_for_ever())

    async def stop(self) -> None:
        """Let running batches end, then release the partitions."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(pump.stop() for pump in self._pumps.values()))
        releases = (self._hub.checkpoints.claim(partition, "", self._etags.get(partition)) for partition in self._pumps)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RELEASE_TIMEOUT):
                await asyncio.gather(*releases, return_exceptions=True)

    async def _balance_for_ever(self) -> None:
        back_off = BackOff(f"Partitions of '{self._hub.name}' for function '{self._hub.function.name}'", longest=10.0)
        while True:
            try:
                await self._balance()
            except (AzureError, AmqpError, TimeoutError) as error:
                await back_off.failed(error)
            else:
                back_off.succeeded()
                await asyncio.sleep(self._hub.options.load_balancing_interval)

    async def _balance(self) -> None:
        connection = await self._hub.namespace.connection()
        await connection.authorize(self._hub.name)
        answer = await connection.manage("", "READ", None, {"name": self._hub.name, "type": "com.microsoft:eventhub"})
        partitions = [str(partition) for partition in answer["partition_ids"]]
        known = {ownership.partition: ownership for ownership in await self._hub.checkpoints.ownerships()}
        wanted = self._wanted(partitions, known)
        for partition in set(self._pumps) - wanted:
            await self._pumps.pop(partition).stop()
        claims = await asyncio.gather(*(self._claim(partition, known.get(partition)) for partition in sorted(wanted)))
        for partition, claimed in zip(sorted(wanted), claims, strict=True):
            if claimed and partition not in self._pumps:
                self._pumps[partition] = PartitionPump(self._hub, partition)
            elif not claimed and partition in self._pumps:
                await self._pumps.pop(partition).stop()

    def _wanted(self, partitions: Sequence[str], known: dict[str, Ownership]) -> set[str]:
        """The partitions that we hold, and free ones up to our share.

        One more from a host with more than its share (greedy).
        """
        limit = self._hub.options.ownership_expiration
        owners = {
            partition: known[partition].owner
            for partition in partitions
            if partition in known and known[partition].owner and known[partition].age < limit
        }
        mine = {partition for partition, owner in owners.items() if owner == self._owner}
        holders = {*owners.values(), self._owner}
        share = -(-len(partitions) // len(holders))
        free = [partition for partition in partitions if partition not in owners]
        random.shuffle(free)
        mine.update(free[: max(0, share - len(mine))])
        least = len(partitions) // len(holders)
        if len(mine) < least:
            counts = {holder: list(owners.values()).count(holder) for holder in holders}
            rich = max(counts, key=lambda holder: counts[holder])
            mine.add(random.choice([partition for partition, owner in owners.items() if owner == rich]))
        return mine

    async def _claim(self, partition: str, known: Ownership | None) -> bool:
        etag = await self._hub.checkpoints.claim(partition, self._owner, known.etag if known else None)
        if etag is None:
            return False
        self._etags[partition] = etag
        return True

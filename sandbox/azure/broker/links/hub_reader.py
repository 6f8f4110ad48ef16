"""Links on which clients read a partition."""

from typing import Any

from sandbox.azure.amqp.codec import encode
from sandbox.azure.amqp.link import Link
from sandbox.azure.amqp.message import Sections
from sandbox.azure.amqp.performatives import SETTLE_SETTLED, Error, Source
from sandbox.azure.amqp.types import Described, Raw, Symbol, Timestamp, ULong
from sandbox.azure.broker.entities.eventhub import Partition
from sandbox.azure.broker.errors import BrokerError
from sandbox.azure.broker.links.endpoints import Endpoint, Scheduler

SELECTOR = "apache.org:selector-filter:string"
_SELECTOR_CODE = ULong(0x000000137000000A)
_METRICS = "com.microsoft:enable-receiver-runtime-metric"
_DELIVERY_ANNOTATIONS = b"\x00\x53\x71"
_EVENTS_AT_ONCE = 500  # after so many, other readers get their turn


class HubReader(Endpoint):
    """Reads on from a position. Events are sent settled: nobody acknowledges them, clients keep checkpoints."""

    def __init__(self, scheduler: Scheduler, link: Link, partition: Partition, group: str) -> None:
        self._scheduler = scheduler
        self._link = link
        self._partition = partition
        self.group = group
        epoch = link.remote_properties.get("com.microsoft:epoch")
        self.epoch: int | None = epoch if isinstance(epoch, int) else None
        desired = link.remote.desired_capabilities if link.remote else None
        self._with_metrics = _METRICS in (desired if isinstance(desired, list) else [desired])
        self._next = 0  # the sequence number of the next event

    def open(self) -> None:
        """Accepts the attach at the position that its filter asks for."""
        selector = _selector(self._link)
        self._next = self._partition.position(selector)
        self._partition.attach(self)
        source = self._link.source or Source()
        source.filter = None if selector is None else {Symbol(SELECTOR): Described(_SELECTOR_CODE, selector)}
        self._link.snd_settle_mode = SETTLE_SETTLED
        self._link.accept(source=source)

    def pump(self) -> bool:
        link, events = self._link, self._partition.events
        if link.closed or not link.attached:
            return False
        first = self._partition.next_sequence_number - len(events)
        start = max(self._next - first, 0)  # events that were not read in time have been removed
        batch = events[start : start + min(link.credit, _EVENTS_AT_ONCE)]
        metrics = self._metrics() if self._with_metrics and batch else {}
        prefix = _section(metrics)
        for event in batch:
            annotated = event.encoded.startswith(_DELIVERY_ANNOTATIONS)
            link.send(_merged(metrics, event.encoded) if annotated else prefix + event.encoded, b"", settled=True)
            self._next = event.sequence_number + 1
        if link.credit > 0 and self._next < self._partition.next_sequence_number:
            return True
        link.drained()
        return False

    def _metrics(self) -> dict[Any, Any]:
        """The partition's newest event, as delivery annotations."""
        last = self._partition.last
        return {
            Symbol("last_enqueued_sequence_number"): last.sequence_number if last else -1,
            Symbol("last_enqueued_offset"): str(last.offset) if last else "-1",
            Symbol("last_enqueued_time_utc"): Timestamp(last.enqueued_at if last else 0),
            Symbol("runtime_info_retrieval_time_utc"): Timestamp(self._scheduler.namespace.engine.clock.now()),
        }

    def entity_closed(self, error: BrokerError) -> None:
        """The hub or its consumer group was deleted."""
        self._link.detach(Error(error.condition, error.description))

    def stolen(self, epoch: int) -> None:
        """A reader with a higher epoch has taken its place."""
        own = "" if self.epoch is None else self.epoch
        self._link.detach(
            Error(
                "amqp:link:stolen",
                f"New receiver 'nil' with higher epoch of '{epoch}' is created hence current receiver 'nil' with "
                f"epoch '{own}' is getting disconnected.",
            )
        )

    def on_flow(self, link: Link) -> None:
        if link.credit or link.drain:
            self._partition.changed()

    def on_detach(self) -> None:
        self._partition.detach(self)


def _section(annotations: dict[Any, Any]) -> bytes:
    return _DELIVERY_ANNOTATIONS + encode(annotations) if annotations else b""


def _merged(metrics: dict[Any, Any], encoded: bytes) -> bytes:
    """An event with one section of delivery annotations: clients keep the last of several. Its sender's stay."""
    if not metrics:
        return encoded
    content = Sections.parse(encoded)
    added = {key: Raw(encode(value)) for key, value in metrics.items()}
    content.delivery_annotations = content.delivery_annotations | added
    return content.encode(with_header=False)


def _selector(link: Link) -> str | None:
    filters = (link.source.filter if link.source else None) or {}
    found = filters.get(SELECTOR)
    found = found.value if isinstance(found, Described) else found
    if isinstance(found, bytes):
        return found.decode("utf-8", "replace")
    return found if isinstance(found, str) else None

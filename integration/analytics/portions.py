"""Writing to what takes requests of limited size, each whole or not at all."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from integration.analytics.row import Row
from integration.analytics.sink import REFUSED, TOO_LARGE, Receipt, Refused, unreadable
from integration.errors import Transient


class ContentRefused(Exception):
    """A request is refused for what it holds; a smaller one may be taken."""


@dataclass(frozen=True, slots=True)
class Portions:
    """Divides a batch into requests.

    `encode` gives the bytes of a row, `post` sends those of one request: it returns once they are taken, and raises
    `ContentRefused`, or `Transient` if it may be taken later. `most_bytes` is the limit of a request, to which each row
    adds `overhead_bytes`, and the request itself as many.
    """

    encode: Callable[[Row], bytes]
    post: Callable[[Sequence[bytes]], Awaitable[None]]
    most_bytes: int
    overhead_bytes: int = 2

    async def write(self, rows: Sequence[Row]) -> Receipt:
        """Send the rows in their order. After a `Transient`, nothing more is sent: the rest waits."""
        result = _Result()
        items = list(self._items(rows, result))
        for start, end in self._divided(items):
            try:
                await self._send(items[start:end], result)
            except Transient as error:
                settled = {id(item) for item in result.settled}
                waiting = tuple(item.row for item in items[start:] if id(item) not in settled)
                return Receipt(tuple(result.refused), tuple(result.cut), waiting, error)
        return Receipt(tuple(result.refused), tuple(result.cut))

    def _items(self, rows: Sequence[Row], result: "_Result") -> "Iterator[_Item]":
        for row in rows:
            if not row.is_settled:
                result.refused += unreadable([row])
                continue
            content, was_cut = self.encode(row), False
            if not self._fits(content):
                content, was_cut = self.encode(row.shortened()), True
            if self._fits(content):
                yield _Item(row, content, was_cut)
            else:
                result.refused.append(Refused(row, TOO_LARGE, f"It has {len(content)} bytes when it is cut."))

    def _fits(self, content: bytes) -> bool:
        return len(content) + 2 * self.overhead_bytes <= self.most_bytes

    def _divided(self, items: "Sequence[_Item]") -> Iterator[tuple[int, int]]:
        start, size = 0, self.overhead_bytes
        for index, item in enumerate(items):
            more = len(item.content) + self.overhead_bytes
            if index > start and size + more > self.most_bytes:
                yield start, index
                start, size = index, self.overhead_bytes
            size += more
        if start < len(items):
            yield start, len(items)

    async def _send(self, items: "Sequence[_Item]", result: "_Result") -> None:
        """Halve a request that is refused, until the rows to blame stand alone."""
        try:
            await self.post([item.content for item in items])
        except ContentRefused as error:
            if len(items) > 1:
                half = len(items) // 2
                await self._send(items[:half], result)
                await self._send(items[half:], result)
                return
            result.refused.append(Refused(items[0].row, REFUSED, str(error)))
        else:
            result.cut += [item.row for item in items if item.was_cut]
        result.settled += items


@dataclass(frozen=True, slots=True)
class _Item:
    row: Row
    content: bytes
    was_cut: bool


@dataclass(slots=True)
class _Result:
    """`settled` items were taken or refused."""

    refused: list[Refused] = field(default_factory=list)
    cut: list[Row] = field(default_factory=list)
    settled: list[_Item] = field(default_factory=list)

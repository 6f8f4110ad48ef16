"""Contents of events in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime

from integration.claim_check import ClaimCheck, ContentStore
from integration.claim_check.store import Kept
from integration.errors import Outage
from integration.events.fitting import DEFAULT_LIMIT_BYTES


class MemoryContents(ContentStore):
    """Keeps contents in `blobs`, all of them `written` then; `away` makes every call fail."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.away = False
        self.written = datetime(2026, 11, 20, tzinfo=UTC)

    def put(self, name: str, contents: bytes) -> None:
        self._called()
        self.blobs[name] = contents

    def get(self, name: str) -> bytes | None:
        self._called()
        return self.blobs.get(name)

    def remove(self, name: str) -> bool:
        self._called()
        return self.blobs.pop(name, None) is not None

    def kept(self, folder: str = "") -> Iterator[Kept]:
        self._called()
        yield from [Kept(name, self.written) for name in sorted(self.blobs) if name.startswith(folder)]

    def _called(self) -> None:
        if self.away:
            raise Outage("away", reason="contents-unavailable")


def claim_check(contents: MemoryContents | None = None, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> ClaimCheck:
    """A claim check over contents in memory."""
    return ClaimCheck(contents or MemoryContents(), limit_bytes)

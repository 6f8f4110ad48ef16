"""What the app remembers in place of a system that cannot: the number of a thing there, and what is under way.

Systems without an Idempotency-Key have no place for the version of a row, and forget a request whose answer was lost.
A reference is written before something is created, with the time, and again with its number before it gets content; so
a process that dies between the two leaves a trace, and two processes that create the same notice each other.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from integration.errors import Conflict, Stale, Transient
from integration.protection import SharedState


@dataclass(frozen=True, slots=True)
class Reference:
    """One thing in a system.

    `id` and `number` are the system's own, empty while they are not known. `version` is the source version that it was
    last brought to, `content` a fingerprint of what it then had. `started` is when it was asked for (ISO 8601), as
    long as the outcome of that is not known. `matched` says by what it was found, where it was there before Dataverse
    knew it.
    """

    id: str = ""
    number: str = ""
    version: int = 0
    content: str = ""
    started: str = ""
    matched: str = ""

    @property
    def started_at(self) -> datetime | None:
        """When a creation was started whose outcome is not known."""
        return datetime.fromisoformat(self.started) if self.started else None


class Entry:
    """A reference in the hands of one call: read once, written with its ETag."""

    def __init__(self, store: SharedState, service: str, key: str, value: Reference, etag: str | None) -> None:
        self._store = store
        self._service = service
        self._key = key
        self._etag = etag
        self.value = value

    async def save(self, **changes: Any) -> None:
        """Write what has changed of it, durable when this returns.

        Raises `Transient` (`<service>-conflict`) where somebody else has written since it was read.
        """
        changed = replace(self.value, **changes)
        if changed == self.value and self._etag is not None:
            return
        try:
            self._etag = await self._store.write(self._key, asdict(changed), self._etag)
        except Conflict as error:
            raise Transient(
                f"another attempt works on the same in {self._service}", reason=f"{self._service}-conflict"
            ) from error
        self.value = changed

    def refuse_older(self, version: int, *, force: bool = False) -> None:
        """Raise `Stale` where it was brought to a newer version than this one."""
        if version < self.value.version and not force:
            raise Stale(f"{self._service} already holds a newer version", service=self._service)


class References:
    """The references of one system, in a store that all instances share."""

    def __init__(self, store: SharedState, service: str) -> None:
        self._store = store
        self._service = service

    async def entry(self, kind: str, our_id: str) -> Entry:
        """What is remembered of the thing of this kind (`customer`, `order`) under our id."""
        key = f"{self._service}.{kind}.{our_id.lower()}"
        document, etag = await self._store.read(key)
        return Entry(self._store, self._service, key, Reference(**(document or {})), etag)

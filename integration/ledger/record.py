"""A record of the ledger as one invocation uses it: read once, written with If-Match, fenced.

The first write claims the record for the invocation. An earlier invocation that then writes again finds this claim and
gets `Fenced`: it has lost its session (it was frozen, or its lock expired) and must end without any write. No clocks
are compared. An event of another record that needs this one (such as the customer of an order) is a guest and writes
without a claim.
"""

import secrets
from collections.abc import Callable
from itertools import count, takewhile
from typing import Final

from integration.errors import Fenced, Transient
from integration.ledger import keys
from integration.ledger.memory import SCHEMA, Memory, decode, encode
from integration.tables import Entity, EntityExists, PreconditionFailed, Table, Versioned

_TRIES: Final = 6
_LONGEST_PROPERTY: Final = 16_000
"""Characters per property: it holds 32 Ki UTF-16 code units, and a character needs two at most."""


class Record:
    """What is remembered of one record, and changes to it.

    Changes are functions that alter a `Memory`. If another invocation has written meanwhile, or if the answer to a
    successful write was lost, the changes are applied again, in their order, to what is stored then. So a change that
    is applied twice must have the same result as once. `before` is used if nothing is stored yet. Raises `Outage` if
    the tables are unavailable.
    """

    def __init__(
        self,
        table: Table,
        session_id: str,
        found: Versioned | None,
        *,
        guest: bool = False,
        before: Memory | None = None,
    ) -> None:
        self._table = table
        self.session_id = session_id
        self._guest = guest
        self._nonce = secrets.token_hex(8)
        self._pending: list[Callable[[Memory], None]] = []
        self._take(found)
        if found is None and before is not None:
            self.memory = before

    def _take(self, found: Versioned | None) -> None:
        self._etag = found.etag if found else None
        self.memory = read_memory(found.entity) if found else Memory()
        self._seen_writer = self.memory.writer

    def change(self, alter: Callable[[Memory], None]) -> None:
        """Alter the memory in this process; the next `write` stores it."""
        alter(self.memory)
        self._pending.append(alter)

    async def write(self, alter: Callable[[Memory], None] | None = None) -> None:
        """Write what was changed; it is durable when this returns.

        Raises `Fenced` if another invocation has claimed the record since this one read it, or if its entity was
        deleted.
        """
        if alter is not None:
            self.change(alter)
        for _ in range(_TRIES):
            try:
                await self._put()
            except (PreconditionFailed, EntityExists):
                await self._read_again()
            else:
                self._pending.clear()
                return
        raise Transient(f"record {self.session_id} is written by many at once", reason="record-contended")

    async def _put(self) -> None:
        writer = self._seen_writer if self._guest else self._nonce
        entity = record_entity(self.session_id, self.memory, writer)
        if self._etag is None:
            self._etag = await self._table.insert(entity)
        else:
            self._etag = await self._table.replace(entity, etag=self._etag)
        self._seen_writer = writer

    async def _read_again(self) -> None:
        """Apply our changes to what a guest has written meanwhile, or to a write of ours whose answer was lost.

        A fenced invocation adopts nothing of what it found, so that whatever it writes later is refused too.
        """
        found = await self._table.get(*keys.record_keys(self.session_id))
        writer = str(found.entity.get("writer", "")) if found else ""
        if not self._guest and writer not in {self._seen_writer, self._nonce}:
            raise Fenced(f"another invocation works on {self.session_id}")
        self._take(found)
        for alter in self._pending:
            alter(self.memory)


def record_entity(session_id: str, memory: Memory, writer: str) -> Entity:
    """The entity that holds `memory`, in as many properties as its length needs."""
    partition, row = keys.record_keys(session_id)
    text = encode(memory)
    pieces = range(0, len(text), _LONGEST_PROPERTY)
    return {
        "PartitionKey": partition,
        "RowKey": row,
        "schema": SCHEMA,
        "writer": writer,
        "deleted": memory.deleted,
        **{_piece(number): text[start : start + _LONGEST_PROPERTY] for number, start in enumerate(pieces)},
    }


def read_memory(entity: Entity) -> Memory:
    """The memory in a record's entity; raises `Unreadable` for a schema that this version does not know."""
    pieces = takewhile(lambda piece: piece in entity, map(_piece, count()))
    text = "".join(str(entity[piece]) for piece in pieces)
    return decode(int(entity["schema"]), text, str(entity.get("writer", "")))


def _piece(number: int) -> str:
    return f"memory{number or ''}"

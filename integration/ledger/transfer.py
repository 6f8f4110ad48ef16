"""The whole ledger as JSON Lines: a copy to restore from, as Azure Tables has no restore point.

    {"ledger": "dataverse-integration", "format": 1, "recordSchema": 1, "rowSchema": 1, "exportedTime": "..."}
    {"table": "records", "entity": {"PartitionKey": "...", ...}}
    ...
    {"end": true, "entities": 1234}

Export and import stream: neither holds more than a page of it. An export of a ledger in use does not show one single
moment, and need not: every entity is complete, and each record decides for itself. An import leaves what is already in
the ledger as it is, because that is newer; so an import can be repeated, and continued. Requests and answers
(`exchanges`) are not exported, as they are kept for a few days only; an import takes them.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from integration.batching import each
from integration.clock import Clock, iso
from integration.errors import Unreadable
from integration.ledger import keys, memory, rows
from integration.ledger.ledger import Ledger

LEDGER: Final = "dataverse-integration"
FORMAT: Final = 1
_SCHEMAS: Final = {"format": FORMAT, "recordSchema": memory.SCHEMA, "rowSchema": rows.SCHEMA}
_LINES_AT_ONCE: Final = 200
_KEPT: Final = (keys.RECORDS, keys.PROBLEMS, keys.CAUSES)


@dataclass(slots=True)
class Imported:
    """The progress of an import: lines read (header included), entities written, entities that were there already."""

    line: int = 0
    written: int = 0
    present: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """How far an export has come: the table, what continues its query (None: from its beginning), entities so far."""

    table: str
    following: Mapping[str, str] | None
    entities: int


async def export(ledger: Ledger, clock: Clock) -> AsyncIterator[str]:
    """The lines of an export, without line ends. Raises `Unreadable` for entities that a newer version has written."""
    async for lines, _ in pages(ledger, clock):
        for line in lines:
            yield line


async def pages(
    ledger: Ledger, clock: Clock, place: Place | None = None
) -> AsyncIterator[tuple[list[str], Place | None]]:
    """An export page by page, each with the place where the next one begins, which is None after the last page.

    With a `place` it goes on from there. Raises `Unreadable` as `export`.
    """
    lines = [] if place else [_line({"ledger": LEDGER, **_SCHEMAS, "exportedTime": iso(clock.now())})]
    names = [name for name in await tables(ledger) if place is None or _rank(name) >= _rank(place.table)]
    count = place.entities if place else 0
    for name, next_name in zip(names, [*names, None][1:], strict=True):
        following = place.following if place and place.table == name else None
        while True:
            page = await ledger.table(name).page(None, following=following)
            for entity in page.entities:
                _check(int(entity.get("schema", 0)), memory.SCHEMA if _is_records(name) else rows.SCHEMA)
                lines.append(_line({"table": name, "entity": entity}))
            count += len(page.entities)
            following = page.following
            if following is None:
                break
            yield lines, Place(name, following, count)
            lines = []
        if next_name is not None:
            yield lines, Place(next_name, None, count)
            lines = []
    yield [*lines, _line({"end": True, "entities": count})], None


async def tables(ledger: Ledger) -> list[str]:
    """The ledger's tables that exist: records first, as they decide."""
    names = await ledger.names()
    return sorted((name for name in names if name in _KEPT or keys.month_of_table(name) is not None), key=_rank)


def _rank(name: str) -> tuple[int, str]:
    return (_KEPT.index(name) if name in _KEPT else len(_KEPT)), name


async def restore(
    ledger: Ledger,
    lines: Iterable[str],
    *,
    first_line: int = 1,
    report: Callable[[Imported], None] = lambda done: None,  # noqa: ARG005 -- says nothing
) -> Imported:
    """Write what `lines` have and the ledger does not; `report` is called regularly with the progress.

    `first_line` continues an interrupted import: entities before that line are skipped. Raises `Unreadable` if this is
    not an export, if it is cut short, or if a newer version wrote it. Only what came before the bad line was imported
    then.
    """
    numbered = iter(lines)
    header = _object(next(numbered, ""), 1)
    if header.get("ledger") != LEDGER:
        raise Unreadable("line 1 is not the first line of an exported ledger", reason="ledger-file")
    for name, known in _SCHEMAS.items():
        _check(int(header.get(name, 0)), known)
    done = Imported(line=1)
    ended = False
    while not ended:
        batch = list(islice(numbered, _LINES_AT_ONCE))
        if not batch:
            raise Unreadable("the file ends without its last line: it was cut short", reason="ledger-file")
        contents = [_object(text, done.line + number) for number, text in enumerate(batch, start=1)]
        ended = any("end" in it for it in contents)
        new = [it for number, it in enumerate(contents, start=done.line + 1) if "entity" in it and number >= first_line]
        written = sum(await each(lambda it: _write(ledger, it), new))
        done = Imported(done.line + len(batch), done.written + written, done.present + len(new) - written)
        report(done)
    return done


async def _write(ledger: Ledger, content: dict[str, Any]) -> bool:
    name, entity = str(content.get("table")), content["entity"]
    if name not in _KEPT and keys.month_of_table(name) is None and keys.day_of_exchanges(name) is None:
        raise Unreadable(
            f"the file has an entity of table {name}, which the ledger does not have", reason="ledger-file"
        )
    _check(int(entity.get("schema", 0)), memory.SCHEMA if _is_records(name) else rows.SCHEMA)
    return await ledger.table(name).insert_new(entity)


def _is_records(name: str) -> bool:
    return name.startswith(keys.RECORDS)


def _check(found: int, known: int) -> None:
    if found > known:
        raise Unreadable(
            f"this was written by a newer version (schema {found}, this version knows {known}): use that version",
            reason="ledger-schema",
        )


def _object(text: str, number: int) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Unreadable(f"line {number} is not a line of an exported ledger", reason="ledger-file")
    return content


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

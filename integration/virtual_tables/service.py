"""The OData service: from a request to its answer, within the time that Dataverse waits.

| address                       | answers                                             |
|-------------------------------|-----------------------------------------------------|
| ``                            | the service document                                |
| `$metadata`                   | the types                                           |
| `Set`                         | GET: rows; POST: creates one                        |
| `Set/$count`                  | how many rows there are                             |
| `Set(key)`                    | GET; PATCH, PUT and MERGE: changes it; DELETE       |
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from uuid import UUID

from integration.clock import Clock
from integration.errors import (
    Conflict,
    IntegrationError,
    NotFound,
    Outage,
    OutcomeUnknown,
    Permanent,
    Rejected,
    Transient,
)
from integration.operations.audit import Audit
from integration.systems.odata.calls import ETAG
from integration.systems.odata.listing import Tables
from integration.telemetry import get_logger
from integration.transport import CallContext
from integration.virtual_tables.answers import VERSION, Answer, Format, Writer, problem
from integration.virtual_tables.auditing import WriteAudit
from integration.virtual_tables.cache import Cache
from integration.virtual_tables.csdl import metadata, service_document
from integration.virtual_tables.entity_set import ServedSet
from integration.virtual_tables.options import Names, count_query, list_query, no_query, row_query
from integration.virtual_tables.pushing import DIALECTS
from integration.virtual_tables.reading import Found, Page, Reading
from integration.virtual_tables.writing import Writing

ANSWERS_WITHIN: Final = 25.0
"""Seconds. The data source of Dataverse waits for 30 unless it is told otherwise."""
_MARK: Final = "/odata"
_ROW: Final = re.compile(r"(?P<set>\w+)\((?:(?P<name>\w+)=)?(?:guid)?'?(?P<key>[0-9a-fA-F-]{36})'?\)")
_CHANGES: Final = ("PATCH", "PUT", "MERGE")
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ODataRequest:
    """A request; header names in lower case. `root` is the service's address, ending with a slash."""

    method: str
    url: str
    root: str
    headers: Mapping[str, str]
    body: bytes = b""
    ignored: frozenset[str] = frozenset()
    """Query options that are not the service's, such as the one that carries the caller's key."""


@dataclass(frozen=True, slots=True)
class Served:
    """A set with what reads and writes it."""

    set: ServedSet
    reading: Reading
    writing: Writing

    @classmethod
    def of(cls, entity_set: ServedSet, kind: str, tables: Tables, numbers: Callable[[str], str] | None) -> "Served":
        """The set as a system of this kind serves it."""
        reading = Reading(entity_set, DIALECTS[kind], tables)
        return cls(entity_set, reading, Writing(entity_set, reading, tables, numbers))

    @property
    def names(self) -> Names:
        """What queries may name."""
        types, key = self.set.types, self.set.declared.key
        return Names(
            tuple(types),
            {key: types[key], **{it.name: it.edm for it in self.set.columns if it.filtered}},
            frozenset({key, *(it.name for it in self.set.columns if it.sorted)}),
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """An admitted request to a set, and how it is answered."""

    served: Served
    request: ODataRequest
    options: list[tuple[str, str]]
    writer: Writer
    context: CallContext
    audit: WriteAudit

    @property
    def all_columns(self) -> tuple[str, ...]:
        return tuple(self.served.set.types)


class Service:
    """Answers requests. Raises nothing: every error is an answer in OData's form."""

    def __init__(self, served: Sequence[Served], clock: Clock, audit: Audit) -> None:
        self._sets = {it.set.name: it for it in served}
        self._clock = clock
        self._audit = audit
        self._cache = Cache(clock)

    @property
    def sets(self) -> list[ServedSet]:
        """The sets that are served."""
        return [it.set for it in self._sets.values()]

    async def answer(self, request: ODataRequest, *, caller: str, may_write: bool) -> Answer:
        """The answer to an admitted request of a caller."""
        reference = secrets.token_hex(8)
        context = CallContext(correlation_id=reference, deadline=self._clock.monotonic() + ANSWERS_WITHIN)
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                return await self._answer(request, context, caller=caller, may_write=may_write)
        except TimeoutError:
            return self._failed(504, "too-slow", "The system behind this table did not answer in time.", reference, 30)
        except IntegrationError as error:
            return self._refused(error, reference, writing=request.method != "GET")
        except Exception as error:  # noqa: BLE001 -- an administrator is to see more than a page of the host
            _log.error("virtual-table-failed", error=error, correlation_id=reference)
            return problem(500, "defect", "This is a defect of the integration app.", reference=reference)

    async def _answer(self, request: ODataRequest, context: CallContext, *, caller: str, may_write: bool) -> Answer:
        path, options = _parts(request)
        form = Format.of(request.headers.get("accept", ""))
        if path == "$metadata":
            _only(request, "GET")
            no_query([it for it in options if it[0] != "$format"])
            return Answer(200, metadata(self.sets), "application/xml;charset=utf-8", VERSION)
        if form is None:
            raise Rejected(406, "No such format", "The service answers in JSON.", reason="format-not-supported")
        if path == "":
            _only(request, "GET")
            no_query(options)
            return Answer(200, service_document(request.root, self.sets), form.media_type, VERSION)
        name, count, key = _target(path)
        served = self._sets.get(name)
        if served is None:
            raise _nothing_there(path)
        if request.method != "GET" and not may_write:
            raise Rejected(
                403, "Not a writer", "The caller may read only; VIRTUAL_TABLE_WRITERS names those who may write.",
                reason="not-allowed",
            )  # fmt: skip
        writer = Writer(request.root, served.set, form)
        if count:
            _only(request, "GET")
            wanted = count_query(options, served.names)
            total = await served.reading.count(wanted, context)
            return Answer(200, str(total), "text/plain;charset=utf-8", VERSION)
        audit = WriteAudit(self._audit, caller, context.correlation_id or "")
        call = _Call(served, request, options, writer, context, audit)
        if key is not None:
            return await self._row(call, key)
        if request.method == "POST":
            return await self._create(call)
        _only(request, "GET", "POST")
        return await self._list(call)

    async def _list(self, call: "_Call") -> Answer:
        served, request = call.served, call.request
        query = list_query(call.options, served.names)
        most = _page_size(request.headers.get("prefer", ""))
        if most is not None:
            query = replace(query, page=min(most, query.page))
        seconds = served.set.declared.freshness
        page: Page = await self._cache.get(
            repr(query), served.set.name, seconds, lambda: served.reading.page(query, call.context)
        )
        following = None if page.following is None else _next_link(request, call.options, query.top, page)
        return call.writer.page(page, query.select, following)

    async def _create(self, call: "_Call") -> Answer:
        no_query(call.options)
        found = await call.served.writing.create(call.request.body, call.context, call.audit)
        self._cache.forget(call.served.set.name)
        return call.writer.row(found.row, call.all_columns, status=201, tag=_tag(found))

    async def _row(self, call: "_Call", key: UUID) -> Answer:
        served, request = call.served, call.request
        _only(request, "GET", *_CHANGES, "DELETE")
        if_match = request.headers.get("if-match", "")
        if request.method == "GET":
            select = row_query(call.options, served.names)
            there = await served.reading.one(key, call.context)
            if there is None:
                raise NotFound(f"{served.set.name} has no row {key}", reason="row-not-found")
            return call.writer.row(there.row, select, tag=_tag(there))
        no_query(call.options)
        if request.method == "DELETE":
            await served.writing.delete(key, if_match, call.context, call.audit)
            self._cache.forget(served.set.name)
            return Answer(204, headers=VERSION)
        found = await served.writing.update(key, request.body, if_match, call.context, call.audit)
        self._cache.forget(served.set.name)
        if "return=representation" in request.headers.get("prefer", ""):
            return call.writer.row(found.row, call.all_columns, tag=_tag(found))
        return Answer(204, headers={**VERSION, **({"ETag": _tag(found)} if _tag(found) else {})})

    def _refused(self, error: IntegrationError, reference: str, *, writing: bool) -> Answer:
        """An error as an answer: a refusal as it is, a row that the system refused as 422, all that may pass as 503."""
        if isinstance(error, Rejected):
            return problem(error.status, error.reason, error.detail, reference=reference, retry_after=error.retry_after)
        said = str(error).rstrip(".") + "."
        if isinstance(error, NotFound):
            return problem(404, error.reason, said, reference=reference)
        if isinstance(error, Conflict) or error.reason.endswith("-conflict"):
            return problem(412, error.reason, "Somebody else has changed the row meanwhile.", reference=reference)
        if isinstance(error, Permanent):
            return problem(422 if writing else 502, error.reason, said, reference=reference)
        retry_after = error.retry_after if isinstance(error, Transient) else None
        if isinstance(error, OutcomeUnknown):
            return self._failed(503, error.reason, said, reference, retry_after)
        if isinstance(error, Outage):
            said = f"The system behind this table is not available now ({error.reason})."
        return self._failed(503, error.reason, said, reference, retry_after or 10)

    @staticmethod
    def _failed(status: int, code: str, said: str, reference: str, retry_after: float | None) -> Answer:
        _log.warning("virtual-table-unavailable", correlation_id=reference, reason=code, status=status)
        return problem(status, code, said, reference=reference, retry_after=retry_after)


def _parts(request: ODataRequest) -> tuple[str, list[tuple[str, str]]]:
    """The path below the service, decoded once, and the query options; raises `Rejected` (400)."""
    parts = urlsplit(request.url)
    try:
        path = unquote(parts.path.partition(_MARK)[2].strip("/"), errors="strict")
        options = parse_qsl(parts.query, keep_blank_values=True, errors="strict", max_num_fields=40)
    except (UnicodeDecodeError, ValueError):
        raise Rejected(
            400, "The address cannot be read", "The address is not valid UTF-8, or has too many options.",
            reason="query-invalid",
        ) from None  # fmt: skip
    return path, [(name.strip(), value) for name, value in options if name not in request.ignored]


def _target(path: str) -> tuple[str, bool, UUID | None]:
    """The set, whether its count is asked for, and the key of a row; raises `Rejected` (404, 501)."""
    if path == "$batch":
        raise Rejected(501, "Not supported", "The service takes no batches.", reason="query-not-supported")
    if path.endswith("/$count"):
        return path.removesuffix("/$count"), True, None
    found = _ROW.fullmatch(path)
    if found is None:
        if "/" in path or "(" in path:
            raise _nothing_there(path)
        return path, False, None
    try:
        return found["set"], False, UUID(found["key"])
    except ValueError:
        raise _nothing_there(path) from None


def _nothing_there(path: str) -> Rejected:
    said = f"There is nothing at '{path[:80]}'; names are case-sensitive, keys are GUIDs."
    return Rejected(404, "Not found", said, reason="resource-not-found")


def _only(request: ODataRequest, *methods: str) -> None:
    if request.method not in methods:
        said = f"Here, {' and '.join(methods)} are possible."
        raise Rejected(405, "This is not allowed", said, reason="not-allowed")


def _page_size(prefer: str) -> int | None:
    found = re.search(r"odata\.maxpagesize=(\d{1,6})", prefer)
    return max(1, int(found[1])) if found else None


def _next_link(request: ODataRequest, options: Sequence[tuple[str, str]], top: int | None, page: Page) -> str:
    """The same query from where this page ends."""
    kept = [(name, value) for name, value in options if name not in {"$skip", "$skiptoken", "$top"}]
    kept += [("$top", str(top - len(page.rows)))] if top is not None else []
    kept.append(("$skiptoken", page.following or ""))
    path = urlsplit(request.url).path.partition(_MARK)[2].strip("/")
    return f"{request.root}{path}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in kept)


def _tag(found: Found) -> str:
    tag: Any = found.given.get(ETAG)
    return tag if isinstance(tag, str) else ""

"""`$batch`: single requests, and change sets that are carried out whole or not at all.

Source: "Execute batch operations using the Web API" in Microsoft's documentation. Its words for errors in a batch are
those of the OData library that the platform uses. Users report of real environments that each part of a change set
needs a Content-ID, that a request with `return=representation` cannot be referred to, and how the answer of a change
set looks that failed. Parts take over from the batch the headers of `_FOR_ALL`; that is not documented.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import uuid4

from aiohttp import web
from multidict import CIMultiDict, MultiDict
from yarl import URL

from sandbox.systems.dataverse.call import Call, below_root
from sandbox.systems.dataverse.change import RequestIds, RequestInfo
from sandbox.systems.dataverse.errors import ODataError, bad_request
from sandbox.systems.dataverse.json_text import dumps, loads
from sandbox.systems.dataverse.metadata import COLLECTIONS
from sandbox.systems.dataverse.multipart import Part, PartAnswer, read_body, read_request, write_body
from sandbox.systems.dataverse.query import Preferences
from sandbox.systems.dataverse.unit_of_work import Unit

OPERATIONS_AT_MOST = 1_000
_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_REFERENCE = re.compile(r"\$(?P<id>\w[\w-]*)(?P<rest>[/?].*)?")
_REFERRING = ("@odata.bind", "@odata.id")
_FOR_ALL = ("mscrm", "callerobjectid")
"""How the headers begin that the parts of a batch take over from it."""

Result = TypeVar("Result")
Describe = Callable[[Call], RequestInfo]
"""Who sends a request; raises `ODataError`."""
Answer = Callable[[Call, RequestInfo, Unit], web.Response]
"""Answers one request within a unit of work; raises `ODataError`."""
Run = Callable[[Callable[[Unit], Result]], Awaitable[Result]]


@dataclass(frozen=True)
class Member:
    """One request of a change set."""

    call: Call
    content_id: str


Item = Call | list[Member]


class Batches:
    """Answers batches."""

    def __init__(self, describe: Describe, answer: Answer, run: Run[Any]) -> None:
        self._describe, self._answer, self._run = describe, answer, run

    async def answer(self, batch: Call) -> web.Response:
        """200 with the answer of each part; 400 up to the first error, unless the batch is to go on."""
        read = read_body(batch.headers.get("Content-Type", ""), batch.body)
        items = [_item(part, batch) for part in read.parts]
        if sum(len(each) if isinstance(each, list) else 1 for each in items) > OPERATIONS_AT_MOST:
            raise bad_request(
                "The current batch message contains too many parts. A maximum number of "
                f"'{OPERATIONS_AT_MOST}' parts is allowed in a batch message."
            )
        go_on = Preferences.read(batch.headers).continue_on_error
        answers: list[PartAnswer | list[PartAnswer]] = []
        status = HTTPStatus.OK
        for number, item in enumerate(items):
            unreadable = number == len(items) - 1 and not read.ends_well
            answered = await self._changed(item) if isinstance(item, list) else await self._single(item, unreadable)
            answers.append(answered)
            first = answered[0] if isinstance(answered, list) else answered
            if first.response.status >= HTTPStatus.BAD_REQUEST and not go_on:
                status = HTTPStatus.BAD_REQUEST
                break
        content_type, body = write_body(answers)
        return web.Response(body=body, status=status, headers={"Content-Type": content_type})

    async def _single(self, call: Call, unreadable: bool) -> PartAnswer:
        try:
            if unreadable and call.body.strip():
                raise _not_readable(call)
            info = self._describe(call)
            response = await self._run(lambda unit: self._answer(call, info, unit))
        except ODataError as refused:
            response = refused.response(annotated=bool(Preferences.read(call.headers).annotations))
        return PartAnswer(_finished(response))

    async def _changed(self, members: list[Member]) -> list[PartAnswer]:
        """The answers of a change set; when one of its requests fails, that answer alone."""
        as_one = RequestIds()

        def work(unit: Unit) -> list[PartAnswer]:
            made: dict[str, str] = {}
            answers: list[PartAnswer] = []
            for unit.part, member in enumerate(members):
                call = _referred(member.call, made)
                info = replace(self._describe(call), ids=as_one)
                response = self._answer(call, info, unit)
                if "OData-EntityId" in response.headers and "Preference-Applied" not in response.headers:
                    made[member.content_id] = response.headers["OData-EntityId"]
                answers.append(PartAnswer(_finished(response), member.content_id))
            return answers

        try:
            done: list[PartAnswer] = await self._run(work)
        except ODataError as refused:
            failed = members[refused.part]
            annotated = bool(Preferences.read(failed.call.headers).annotations)
            done = [PartAnswer(_finished(refused.response(annotated=annotated)), failed.content_id)]
        return done


def _item(part: Part, batch: Call) -> Item:
    if part.content_type != "multipart/mixed":
        return _call(part, batch)
    inner = read_body(part.headers.get("Content-Type", ""), part.content).parts
    return _members(inner, batch)


def _members(parts: list[Part], batch: Call) -> list[Member]:
    members: list[Member] = []
    for part in parts:
        if part.content_type == "multipart/mixed":
            raise bad_request("Nested change sets are not supported.")
        call, content_id = _call(part, batch), part.headers.get("Content-ID")
        if call.method not in _METHODS:
            raise bad_request(
                f"Invalid HTTP method '{call.method}' was detected for a request in a change set. Requests in change "
                "sets only support the HTTP methods 'POST', 'PUT', 'DELETE', and 'PATCH'."
            )
        if content_id is None:
            raise bad_request(
                "The header with name 'Content-ID' was not present in the header collection of the batch operation."
            )
        if any(each.content_id == content_id for each in members):
            raise bad_request(
                f"The content ID '{content_id}' was found more than once in the same change set or same batch request."
            )
        if call.path.partition("(")[0].partition("/")[0] in {*COLLECTIONS, "CreateEntities"}:
            raise bad_request("Definitions cannot be changed within a change set.")
        members.append(Member(call, content_id))
    if not members:
        raise bad_request("A change set of the batch has no request.")
    return members


def _call(part: Part, batch: Call) -> Call:
    """The request of a part, with an absolute address, one from the root, or one relative to the batch."""
    request = read_request(part)
    headers = CIMultiDict({name: text for name, text in batch.headers.items() if name.lower().startswith(_FOR_ALL)})
    headers.update(request.headers)
    call = Call(request.method, batch.root, request.url, MultiDict(), headers, request.body)
    if request.url.startswith("$") and not request.url.startswith(("$batch", "$metadata")):
        return call
    call = _located(call, request.url)
    if call.path == "$batch":
        raise bad_request("A batch cannot contain another batch.")
    return call


def _located(call: Call, url: str) -> Call:
    """The request at an address."""
    root = URL(call.root)
    try:
        absolute = root.join(URL(url))
        ours = absolute.origin() == root.origin() and absolute.raw_path.startswith("/api/data/v9.")
    except ValueError as wrong:
        raise bad_request(f"The URI '{url}' in the batch is not valid.") from wrong
    if not ours:
        raise bad_request(f"The URI '{url}' in the batch does not belong to this environment.")
    version = absolute.raw_path.removeprefix("/api/data/").partition("/")[0]
    return replace(
        call,
        root=f"{root.origin()}/api/data/{version}/",
        path=below_root(absolute),
        query=MultiDict(absolute.query),
    )


def _referred(call: Call, made: dict[str, str]) -> Call:
    """The request with `$1` replaced in its address, and in its body where it stands for an address."""
    found = _REFERENCE.fullmatch(call.path)
    if found is not None:
        call = _located(call, _address(found["id"], made) + (found["rest"] or ""))
    if not call.body.strip():
        return call
    try:
        body = loads(call.body.decode())
    except ValueError:
        return call
    return replace(call, body=dumps(_replaced(body, made)).encode())


def _replaced(value: Any, made: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_replaced(each, made) for each in value]
    if not isinstance(value, dict):
        return value
    replaced = {}
    for name, text in value.items():
        found = _REFERENCE.fullmatch(text) if name.endswith(_REFERRING) and isinstance(text, str) else None
        replaced[name] = _address(found["id"], made) if found else _replaced(text, made)
    return replaced


def _address(content_id: str, made: dict[str, str]) -> str:
    if content_id not in made:
        raise bad_request(f"Content-ID Reference: '${content_id}' does not exist in the batch context.")
    return made[content_id]


def _finished(response: web.Response) -> web.Response:
    """As the answer stands in a batch: with its own version, and the address of a row twice."""
    response.headers["OData-Version"] = "4.0"
    if "OData-EntityId" in response.headers:
        response.headers.setdefault("Location", response.headers["OData-EntityId"])
    if response.status >= HTTPStatus.BAD_REQUEST:
        response.headers["REQ_ID"] = str(uuid4())
    return response


def _not_readable(call: Call) -> ODataError:
    """What a body costs that does not end with CRLF."""
    return ODataError(
        400,
        "0x80048d19",
        f"Error identified in Payload provided by the user for Entity :'{call.path.partition('(')[0]}', For more "
        "information on this error please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  "
        "---->  InnerException : System.ArgumentException: Stream was not readable.",
    )

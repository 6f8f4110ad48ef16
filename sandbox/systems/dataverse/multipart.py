"""`multipart/mixed` bodies of `$batch`: read as clients write them, and written as Dataverse writes them.

Sources: "Execute batch operations using the Web API" and "Troubleshoot Dataverse Web API client errors" (Microsoft's
documentation), RFC 2046. Lines may end with CRLF or LF, but the last line of the body has to end with CRLF, or with two
LF: without, the platform cannot read the body of a last part that is no change set.
"""

import itertools
import re
from dataclasses import dataclass
from http import HTTPStatus
from uuid import uuid4

from aiohttp import web
from multidict import CIMultiDict

from sandbox.systems.dataverse.errors import ODataError, bad_request

_BOUNDARY = re.compile(r'multipart/mixed\s*;(?:.*;)?\s*boundary\s*=\s*(?:"([^"]+)"|([^";,\s]+))', re.IGNORECASE)
_REQUEST_LINE = re.compile(r"(?P<method>[A-Z]+)\s+(?P<url>\S.*?)\s+HTTP/1\.[01]\s*")
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Part:
    """One part: its own headers, and the content below them."""

    headers: CIMultiDict[str]
    content: bytes

    @property
    def content_type(self) -> str:
        """Lower case, without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Body:
    """The parts, and whether the body ends as the platform needs it."""

    parts: list[Part]
    ends_well: bool


@dataclass(frozen=True)
class EmbeddedRequest:
    """The request in a part of type `application/http`."""

    method: str
    url: str
    headers: CIMultiDict[str]
    body: bytes


@dataclass(frozen=True)
class PartAnswer:
    """The answer for one request; `content_id` only in change sets."""

    response: web.Response
    content_id: str | None = None


def read_body(content_type: str, body: bytes) -> Body:
    """Split a body at its boundary; 400 for a type that is no `multipart/mixed`, and for missing delimiters."""
    found = _BOUNDARY.match(content_type)
    if found is None:
        raise bad_request(f"A batch needs the Content-Type multipart/mixed with a boundary; it is '{content_type}'.")
    boundary = re.escape((found[1] or found[2]).encode())
    delimiters = list(re.finditer(rb"(?:\A|\r?\n)--" + boundary + rb"(--)?[ \t]*(?=\r?\n|\Z)", body))
    closing = next((index for index, each in enumerate(delimiters) if each[1] is not None), None)
    if closing is None:
        raise bad_request("The batch does not end with the closing delimiter of its boundary.")
    between = itertools.pairwise(delimiters[: closing + 1])
    parts = [_part(body[each.end() : following.start()]) for each, following in between]
    after = body[delimiters[closing].end() :]
    return Body(parts, ends_well=after.startswith((b"\r\n", b"\n\n")))


def read_request(part: Part) -> EmbeddedRequest:
    """The request line, headers and body of an `application/http` part; 400 for anything else."""
    if part.content_type != "application/http":
        raise bad_request(f"A part of a batch has the Content-Type application/http; it is '{part.content_type}'.")
    line, _, rest = part.content.lstrip(b"\r\n").partition(b"\n")
    found = _REQUEST_LINE.fullmatch(_text(line))
    if found is None:
        raise bad_request(f"The request line '{_text(line).strip()}' in the batch is not valid.")
    headers, body = _headers(rest)
    return EmbeddedRequest(found["method"], found["url"], headers, body)


def write_body(answers: list[PartAnswer | list[PartAnswer]]) -> tuple[str, bytes]:
    """The Content-Type and the body of an answer; a list is a change set."""
    boundary = f"batchresponse_{uuid4()}"
    written = b"".join(_delimited(boundary, _written(each)) for each in answers)
    return f"multipart/mixed; boundary={boundary}", written + f"--{boundary}--\r\n".encode()


def _written(answer: PartAnswer | list[PartAnswer]) -> bytes:
    if isinstance(answer, PartAnswer):
        return _embedded(answer)
    boundary = f"changesetresponse_{uuid4()}"
    inner = b"".join(_delimited(boundary, _embedded(each)) for each in answer)
    return f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode() + inner + f"--{boundary}--".encode()


def _embedded(answer: PartAnswer) -> bytes:
    response = answer.response
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if answer.content_id is not None:
        lines.append(f"Content-ID: {answer.content_id}")
    lines += ["", f"HTTP/1.1 {response.status} {_REASONS[response.status]}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    body = response.body if isinstance(response.body, bytes) else b""
    return "\r\n".join([*lines, "", ""]).encode() + body


def _delimited(boundary: str, content: bytes) -> bytes:
    return f"--{boundary}\r\n".encode() + content + b"\r\n"


def _part(raw: bytes) -> Part:
    """What stands between two delimiters: after the rest of the delimiter's line come headers and content."""
    headers, content = _headers(raw.partition(b"\n")[2])
    return Part(headers, content)


def _headers(raw: bytes) -> tuple[CIMultiDict[str], bytes]:
    """Header lines up to an empty line, and what follows it."""
    headers: CIMultiDict[str] = CIMultiDict()
    while raw:
        line, _, raw = raw.partition(b"\n")
        text = _text(line).strip()
        if not text:
            break
        name, colon, value = text.partition(":")
        if not colon:
            raise bad_request(f"The header line '{text}' in the batch has no colon.")
        headers.add(name.strip(), value.strip())
    return headers, raw


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as wrong:
        raise ODataError(400, "0x80060888", "A line of the batch is not UTF-8.") from wrong

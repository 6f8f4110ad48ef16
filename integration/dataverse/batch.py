"""`$batch`: several requests in one, each with its own headers and its own answer; no change sets.

Source: "Execute batch operations using the Web API" (learn.microsoft.com). Requests outside of a change set are carried
out one after the other, and `Prefer: odata.continue-on-error` lets those after a failed one go on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from integration.transport import Request, Response

_LINE: Final = b"\r\n"
_BLANK: Final = _LINE * 2


@dataclass(frozen=True, slots=True)
class Part:
    """One answer of a batch."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def content_type(boundary: str) -> str:
    """The media type of a batch."""
    return f'multipart/mixed; boundary="{boundary}"'


def written(requests: Sequence[tuple[Request, Mapping[str, str]]], boundary: str) -> bytes:
    """The body of a batch: the requests, each with headers besides its own."""
    parts = [_part(request, {**request.headers, **more}, boundary) for request, more in requests]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def parts_of(answer: Response) -> list[Part]:
    """The answers of a batch in the order of its requests; none where the answer is not that of a batch."""
    boundary = _boundary(answer)
    if boundary is None:
        return []
    pieces = (_LINE + answer.body).split(_LINE + b"--" + boundary.encode())
    try:
        return [_read(it) for it in pieces[1:] if not it.startswith(b"--")]
    except (ValueError, UnicodeDecodeError):
        return []


def answers_of(answer: Response) -> list[Response]:
    """The same as answers to the request that was sent: what protects a system looks at each of them."""
    return [as_answer(it, answer.request) for it in parts_of(answer)] or [answer]


def as_answer(part: Part, request: Request) -> Response:
    """A part as the answer to its request, as if that had been sent alone."""
    value = part.headers.get("retry-after", "")
    retry_after = float(value) if value.isascii() and value.isdigit() else None
    return Response(request, part.status, part.headers, part.body, retry_after)


def _part(request: Request, headers: Mapping[str, str], boundary: str) -> bytes:
    lines = [
        f"--{boundary}",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        f"{request.method} {request.url} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + _BLANK + (request.body or b"") + _LINE


def _boundary(answer: Response) -> str | None:
    kind, *parameters = answer.headers.get("content-type", "").split(";")
    if kind.strip().lower() != "multipart/mixed":
        return None
    named = dict(_parameters(parameters))
    return named.get("boundary")


def _parameters(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, _, value = text.partition("=")
        yield name.strip().lower(), value.strip().strip('"')


def _read(piece: bytes) -> Part:
    """One part; raises `ValueError` for something else."""
    _, _, inner = piece.partition(_BLANK)
    head, _, body = inner.partition(_BLANK)
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = first.split(" ", 2)
    if not version.startswith("HTTP/"):
        raise ValueError(first)
    pairs = (line.partition(":") for line in lines if line)
    return Part(int(status), {name.strip().lower(): value.strip() for name, _, value in pairs}, body)

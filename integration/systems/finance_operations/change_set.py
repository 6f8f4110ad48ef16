"""Change sets: several changes in one request to `$batch`, done together or not at all (OData 4.0, part 1, 11.7).

Finance & Operations answers 200 whatever has become of the changes; the parts of the answer say it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from integration.errors import Outage
from integration.odata import encode
from integration.systems.odata.calls import Row
from integration.transport import Request, Response

_PART = re.compile(rb"^HTTP/1\.1 (\d{3})[^\n]*\r?\n(.*?)\r?\n\r?\n(.*?)(?=\r?\n--|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Change:
    """One change: a POST of a new row, or a PATCH under an ETag."""

    method: str
    url: str
    values: Row
    etag: str = ""


def encoded(changes: Sequence[Change]) -> tuple[str, bytes]:
    """The content type and the body of a batch with one change set."""
    batch, inner = f"batch_{uuid4().hex}", f"changeset_{uuid4().hex}"
    lines = [f"--{batch}", f"Content-Type: multipart/mixed; boundary={inner}", ""]
    for number, change in enumerate(changes, start=1):
        lines += [f"--{inner}", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
        lines += [f"Content-ID: {number}", "", f"{change.method} {change.url} HTTP/1.1"]
        lines += ["Content-Type: application/json;odata.metadata=minimal", "Accept: application/json"]
        lines += [f"If-Match: {change.etag}"] if change.etag else []
        lines += ["", encode(change.values), ""]
    lines += [f"--{inner}--", "", f"--{batch}--", ""]
    return f"multipart/mixed; boundary={batch}", "\r\n".join(lines).encode()


def parts_of(answer: Response, expected: int) -> list[Response]:
    """The answers in the answer to a batch: one for each change, or the one that says why nothing was done.

    Raises `Outage` (`<service>-answer-invalid`) where it says neither: then nobody knows what was done.
    """
    parts = [_part(answer.request, match) for match in _PART.finditer(answer.body)]
    failed = [part for part in parts if not part.ok]
    if failed:
        return failed[:1]
    if len(parts) != expected:
        service = answer.request.service
        raise Outage(
            f"{service} answered '{answer.request.operation}' with {len(parts)} parts for {expected} changes",
            reason=f"{service}-answer-invalid",
            service=service,
        )
    return parts


def _part(request: Request, match: re.Match[bytes]) -> Response:
    return Response(request, int(match[1]), _headers(match[2]), match[3].strip())


def _headers(text: bytes) -> Mapping[str, str]:
    pairs = (line.partition(b":") for line in text.splitlines())
    return {name.decode("latin-1").strip().lower(): value.decode("latin-1").strip() for name, _, value in pairs}

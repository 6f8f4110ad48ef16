"""`$batch`: one change set of POST, PATCH and DELETE requests in multipart/mixed."""

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.systems.finance_operations.errors import FinanceOperationsError, bad_query

LARGEST = 5_000
"""Operations in one batch."""
_BOUNDARY = re.compile(r'boundary="?([^";\s]+)"?')
_REQUEST = re.compile(r"(POST|PATCH|DELETE) (\S+) HTTP/1\.1\r?\n(.*?)\r?\n\r?\n(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a change set."""

    number: str
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


def parts_of(content_type: str, text: str) -> list[Part]:
    """The requests of the one change set; 400 for anything else."""
    outer = _split(text, content_type)
    if len(outer) != 1:
        raise bad_query("This batch has to have one change set.")
    head, _, rest = outer[0].partition("\r\n\r\n")
    inner = _split(rest, head)
    if not 0 < len(inner) <= LARGEST:
        raise bad_query(f"A batch has at most {LARGEST} operations.")
    return [_part(each) for each in inner]


def _split(text: str, header: str) -> list[str]:
    found = _BOUNDARY.search(header)
    if "multipart/mixed" not in header or found is None:
        raise bad_query("A batch is multipart/mixed with a boundary.")
    return [each.strip("\r\n") for each in text.split(f"--{found[1]}")[1:-1]]


def _part(text: str) -> Part:
    head, _, request = text.partition("\r\n\r\n")
    found = _REQUEST.match(request)
    if found is None:
        raise bad_query("A part of the change set is no request.")
    number = re.search(r"Content-ID: (\S+)", head)
    pairs = (line.partition(":") for line in found[3].splitlines())
    body = found[4].strip()
    address = urlsplit(found[2])
    return Part(
        number=number[1] if number else "",
        method=found[1],
        path=f"{address.path}?{address.query}",
        headers={name.strip().lower(): value.strip() for name, _, value in pairs},
        body=json.loads(body) if body else {},
    )


@dataclass(frozen=True, slots=True)
class Done:
    """What one part of a change set has done: its status and the row of a POST."""

    number: str
    status: int
    body: dict[str, Any] | None = None


def answer_of(done: list[Done]) -> tuple[str, str]:
    """The content type and the body of the answer to a change set: the answer to each part, or the only one."""
    outer, inner = f"batchresponse_{uuid.uuid4()}", f"changesetresponse_{uuid.uuid4()}"
    lines = [f"--{outer}", f"Content-Type: multipart/mixed; boundary={inner}", ""]
    for each in done:
        lines += [f"--{inner}", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
        lines += [f"Content-ID: {each.number}", "", f"HTTP/1.1 {each.status} Sandbox"]
        if each.body is not None:
            lines += ["Content-Type: application/json; odata.metadata=minimal; charset=utf-8"]
        lines += ["OData-Version: 4.0", "", "" if each.body is None else json.dumps(each.body)]
    lines += [f"--{inner}--", f"--{outer}--", ""]
    return f"multipart/mixed; boundary={outer}", "\r\n".join(lines)


def failed(number: str, error: FinanceOperationsError) -> Done:
    """The answer to the part that was refused, with which the change set as a whole is."""
    said = error.within_change_set()
    return Done(number, said.status, None if said.status == 404 else said.body())

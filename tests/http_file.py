"""Reads .http files as REST Client does, as far as docs/requests.http goes: variables, named requests, bodies."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_NAME = re.compile(r"^# @name (\w+)$", re.MULTILINE)
_VARIABLE = re.compile(r"\{\{([^}]+)\}\}")
_ANSWER = re.compile(r"(\w+)\.response\.body\.\$\.(\w+)")
_DAYS = re.compile(r"\$datetime iso8601 (\d+) d")


@dataclass(frozen=True)
class HttpRequest:
    """One request as it is written; `status` is what its title promises."""

    title: str
    name: str | None
    method: str
    url: str
    headers: dict[str, str]
    body: str

    @property
    def status(self) -> int:
        return int(self.title.partition(":")[0])


def variables(text: str) -> dict[str, str]:
    """The `@name = value` lines."""
    return dict(re.findall(r"^@(\w+) = (.*)$", text, re.MULTILINE))


def requests_of(text: str) -> list[HttpRequest]:
    """All requests, in their order."""
    return [_request(part) for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]]


def filled_in(text: str, values: dict[str, str], answers: dict[str, Any]) -> str:
    """`{{name}}` by its value, `{{request.response.body.$.key}}` by that key of the answer to the request so named.

    `{{$datetime iso8601 2 d}}` is the time in two days.
    """

    def value(match: re.Match[str]) -> str:
        if answer := _ANSWER.fullmatch(match[1]):
            return str(answers[answer[1]][answer[2]])
        if days := _DAYS.fullmatch(match[1]):
            return (datetime.now(UTC) + timedelta(days=int(days[1]))).isoformat()
        return values[match[1]]

    return _VARIABLE.sub(value, text)


def body_of(request: HttpRequest, folder: Path) -> bytes | None:
    """The body: none, the text itself, or with `< path` the bytes of that file, seen from `folder`."""
    if request.body.startswith("< "):
        return (folder / request.body[2:]).read_bytes()
    if request.body:
        json.loads(request.body)  # what stands in the file is JSON
    return request.body.encode() or None


def _request(part: str) -> HttpRequest:
    title, _, rest = part.partition("\n")
    name = _NAME.search(rest)
    head, _, body = _NAME.sub("", rest).strip().partition("\n\n")
    line, *headers = head.splitlines()
    method, _, url = line.partition(" ")
    return HttpRequest(
        title, name[1] if name else None, method, url, dict(it.split(": ", 1) for it in headers), body.strip()
    )

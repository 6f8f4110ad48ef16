"""What the pages about Dataverse print: the calls work, and the steps are those that are registered."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from sandbox.repository import REPOSITORY
from sandbox.running.registration import steps
from tests.contract.sandbox.systems.dataverse_client import Dataverse, register_step, register_webhook

DOCS = REPOSITORY / "docs"
PAGE = (DOCS / "how-to" / "connect-dataverse.md").read_text("utf-8")
REGISTERED = (DOCS / "reference" / "dataverse-registration.md").read_text("utf-8")


@dataclass(frozen=True)
class Block:
    """One `http` block: what it is for, what to keep of the answer, the request."""

    each: tuple[str, tuple[str, ...]] | None
    keep: dict[str, str]
    real_only: bool
    request: str


def blocks() -> Iterator[Block]:
    for text in re.findall(r"```http\n(.*?)```", PAGE, re.DOTALL):
        comments = re.findall(r"^# (.*)$", text, re.MULTILINE)
        each = next((c for c in comments if c.startswith("for ")), None)
        loop = re.fullmatch(r"for (<[\w-]+>) in (.*)", each) if each else None
        yield Block(
            each=(loop[1], tuple(loop[2].split(", "))) if loop else None,
            keep=dict(found for c in comments for found in re.findall(r"keep (<.+>) = (\S+)", c)),
            real_only="real environment only" in comments,
            request=re.sub(r"^#.*\n", "", text, flags=re.MULTILINE),
        )


def filled(text: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(name, value)
    return text


def send(dataverse: Dataverse, request: str) -> requests.Response:
    head, _, body = request.partition("\n\n")
    first, *headers = head.splitlines()
    method, _, path = first.partition(" ")
    named = dict(line.split(": ", 1) for line in headers)
    return dataverse.call(method, path, json.loads(body) if body.strip() else None, **named)


def found(answer: requests.Response, where: str) -> str:
    if where == "OData-EntityId":
        return answer.headers[where].rpartition("(")[2].rstrip(")")
    value: Any = answer.json()
    for part in re.findall(r"\w+", where):
        value = value[int(part)] if part.isdigit() else value[part]
    return str(value)


def test_the_calls_of_the_page_are_answered(application: Dataverse) -> None:
    """All of them succeed in order, in an environment with the step that they ask for."""
    endpoint = register_webhook(application, "http://localhost:1/x")
    register_step(application, endpoint, "Update", "account", name="integration: Update of account")
    known: dict[str, str] = {}
    sent = 0
    for block in blocks():
        if block.real_only:
            continue
        name, values = block.each or ("<>", ("",))
        for value in values:
            request = filled(block.request, {name: value} | known)
            answer = send(application, request)
            assert answer.status_code in {200, 204}, f"{request}\n{answer.text}"
            known |= {key.replace(name, value): found(answer, where) for key, where in block.keep.items()}
            sent += 1
    assert sent >= 3


def test_the_page_shows_the_steps_that_the_sandbox_registers() -> None:
    """One list for real environments and the sandbox; none of our own columns is among the filtering attributes."""
    asynchronous, _, _ = REGISTERED.partition("<!-- generated: check-steps -->")
    shown = dict(re.findall(r"^\| Update of `(\w+)` \| ([^|]*) \|", asynchronous, re.MULTILINE))
    on_page = {table: [it.strip("` ") for it in listed.split(",")] for table, listed in shown.items()}
    registered = {it.table: list(it.filtering_attributes) for it in steps() if it.message == "Update"}
    assert on_page == registered
    assert "new_erpnumber" not in str(registered)

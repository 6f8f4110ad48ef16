"""Every call of docs/how-to/connect-dataverse.md, as printed, against an environment that nobody has prepared."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from sandbox.repository import REPOSITORY
from sandbox.running.registration import steps
from sandbox.systems.dataverse.declared_flows import flows
from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver, sign_in
from tests.contract.sandbox.systems.stand_in import Start

DOCS = REPOSITORY / "docs"
PAGE = (DOCS / "how-to" / "connect-dataverse.md").read_text("utf-8")
KEY = "a-webhook-key-of-the-sandbox"


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


@pytest.fixture(scope="module")
def unprepared(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Dataverse:
    state = tmp_path_factory.mktemp("unprepared")
    stand_in = start("dataverse", "--state", state, "--unprepared", scheme="https", verify=state / "ca.pem")
    return sign_in(stand_in, "human")


def test_the_calls_of_the_page_prepare_an_environment(unprepared: Dataverse, receiver: Receiver) -> None:
    """All of them succeed in order; afterwards a change arrives at the webhook, and a write-back does not."""
    known = {
        "<solution>": "integration",
        "<function-app>": receiver.url.removesuffix("/api/webhook"),
        "<webhook-key>": KEY,
        "<client-id>": "12345678-1234-4234-8234-123456789012",
    }
    sent = 0
    for block in blocks():
        if block.real_only:
            continue
        name, values = block.each or ("<>", ("",))
        for value in values:
            request = filled(block.request, {name: value} | known)
            answer = send(unprepared, request)
            assert answer.status_code in {200, 204}, f"{request}\n{answer.text}"
            known |= {key.replace(name, value): found(answer, where) for key, where in block.keep.items()}
            sent += 1
    assert sent > 40

    row = "opportunities(f0000000-0000-4000-8000-000000000001)"
    unprepared.update(f"{row}?tag=dataverse-integration", {"new_erpnumber": "SO-000001", "new_creditscore": 800})
    unprepared.quiet()
    assert receiver.received == []
    unprepared.update(row, {"estimatedvalue": 99})
    unprepared.quiet()
    ((path, headers, _),) = receiver.received
    assert (path, headers["x-functions-key"]) == ("/api/dataverse/webhook", KEY)
    assert unprepared.get("opportunities(new_erpnumber='SO-000001')?$select=name")["name"] == "50 bikes"


def test_the_columns_of_the_page_are_those_of_the_schema() -> None:
    """Types, lengths, ranges and choices of the bodies agree with docs/reference/dataverse/flows.json."""
    ours = {(it.table, column["SchemaName"]): column for it in flows() for column in it.result_attributes}
    described = {}
    for block in blocks():
        target = re.match(r"POST EntityDefinitions\(LogicalName='([\w<>]+)'\)/Attributes", block.request)
        if target is None:
            continue
        body = json.loads(block.request.partition("\n\n")[2])
        for table in block.each[1] if block.each else (target[1],):
            described[table, body["SchemaName"]] = body
    assert described.keys() == ours.keys()
    for name, body in described.items():
        column = ours[name]
        for same in ("AttributeType", "MaxLength", "MinValue", "MaxValue"):
            assert body.get(same) == column.get(same), (name, same)
        choices = [option["Value"] for option in body.get("OptionSet", {}).get("Options", [])]
        assert choices == [option["Value"] for option in column.get("OptionSet", {}).get("Options", [])]


def test_the_filtering_attributes_are_those_the_sandbox_registers() -> None:
    """One list for real environments and the sandbox; none of our own columns is in it."""
    on_page = re.findall(r'"name": "integration: Update of (\w+)".*?"filteringattributes": "([^"]*)"', PAGE, re.DOTALL)
    registered = {it.table: ",".join(it.filtering_attributes) for it in steps() if it.message == "Update"}
    assert dict(on_page) == registered
    assert "new_erpnumber" not in "".join(registered.values())

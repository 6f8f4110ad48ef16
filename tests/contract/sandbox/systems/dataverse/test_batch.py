"""`$batch`: single requests, change sets, references, errors, and what a batch may not contain."""

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver, register_step, register_webhook

FABRIKAM = "a0000000-0000-4000-8000-000000000001"
TYPES = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"


def single(method: str, url: str, body: object = None, *headers: str, content_id: int | None = None) -> str:
    """One part, as the documentation prints it."""
    own = f"Content-ID: {content_id}\r\n" if content_id is not None else ""
    lines = [f"{method} {url} HTTP/1.1", "Content-Type: application/json", *headers, ""]
    return TYPES + own + "\r\n" + "\r\n".join([*lines, "" if body is None else json.dumps(body)])


def change_set(*parts: str) -> str:
    inner = "".join(f"--changeset_1\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/mixed; boundary="changeset_1"\r\n\r\n{inner}--changeset_1--\r\n'


def numbered(*requests: tuple[str, str, object]) -> str:
    """A change set with Content-IDs from 1."""
    return change_set(*(single(*each, content_id=number) for number, each in enumerate(requests, start=1)))


def text_of(parts: Sequence[str]) -> str:
    return "".join(f"--batch_1\r\n{part}\r\n" for part in parts) + "--batch_1--\r\n"


def send(dataverse: Dataverse, body: str, kind: str = "multipart/mixed; boundary=batch_1", **headers: str) -> Any:
    named = {"Authorization": f"Bearer {dataverse.token}", "Content-Type": kind, "OData-Version": "4.0", **headers}
    return dataverse.stand_in.http.post(f"{dataverse.root}$batch", data=body.encode(), headers=named, timeout=30)


@dataclass(frozen=True)
class Answer:
    """One answer of a batch; `code` is that of its error."""

    status: int
    headers: dict[str, str]
    body: Any
    content_id: str | None

    @property
    def code(self) -> str | None:
        return self.body["error"]["code"] if self.status >= 400 else None

    @property
    def row_id(self) -> str:
        return self.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")


def answers(response: requests.Response) -> list[Answer]:
    """The answers of a batch, those of change sets among them, read without the code that is tested."""
    boundary = re.fullmatch(
        r"multipart/mixed; boundary=(batchresponse_[0-9a-f-]{36})", response.headers["Content-Type"]
    )
    assert boundary, response.text
    assert response.text.endswith(f"--{boundary[1]}--\r\n")
    found = re.findall(
        r"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n(?:Content-ID: (\S+)\r\n)?\r\n"
        r"HTTP/1\.1 (\d{3}) [^\r]+\r\n((?:[\w-]+: [^\r]*\r\n)*)\r\n(.*?)\r\n--(?:batch|changeset)response_",
        response.text,
        re.DOTALL,
    )
    return [
        Answer(
            int(status),
            dict(line.split(": ", 1) for line in headers.strip().splitlines()),
            json.loads(body) if body.startswith("{") else body,
            content_id or None,
        )
        for content_id, status, headers, body in found
    ]


def names(dataverse: Dataverse, mark: str) -> list[str]:
    found = dataverse.get(f"accounts?$select=name&$filter=startswith(name,'{mark}')&$orderby=name")["value"]
    return [row["name"].removeprefix(mark) for row in found]


@pytest.fixture
def mark() -> str:
    return f"b{uuid.uuid4().hex[:8]} "


def test_requests_are_answered_in_their_order(application: Dataverse, mark: str) -> None:
    """Their addresses are absolute, begin at the root, or are relative; a batch reads what it wrote."""
    query = f"$select=name&$filter=startswith(name,'{mark}')"
    parts = [
        single("POST", f"{application.root}accounts", {"name": f"{mark}A"}),
        single("POST", "/api/data/v9.2/accounts", {"name": f"{mark}B"}, "Prefer: return=representation"),
        single("GET", f"accounts?{query}&$orderby=name desc"),
        single("GET", f"accounts/$count?{query}"),
    ]
    response = send(application, text_of(parts))
    first, second, rows, count = answers(response)
    assert (response.status_code, first.status, second.status) == (200, 204, 201)
    assert first.headers["Location"] == first.headers["OData-EntityId"]
    assert second.body["name"] == f"{mark}B"
    assert [row["name"] for row in rows.body["value"]] == [f"{mark}B", f"{mark}A"]
    assert count.body == "2"


def test_a_change_set_is_carried_out_whole(application: Dataverse, mark: str) -> None:
    requests_ = [("POST", "accounts", {"name": f"{mark}{letter}"}) for letter in "AB"]
    response = send(application, text_of([numbered(*requests_)]))
    assert [(each.status, each.content_id) for each in answers(response)] == [(204, "1"), (204, "2")]
    assert names(application, mark) == ["A", "B"]


def test_a_change_set_that_fails_leaves_nothing(application: Dataverse, receiver: Receiver, mark: str) -> None:
    """Neither rows nor events of it are there; the answer is that of the request that failed, with its Content-ID."""
    register_step(application, register_webhook(application, receiver.url), "Create", "account")
    failing = numbered(
        ("POST", "accounts", {"name": f"{mark}A"}),
        ("PATCH", f"accounts({FABRIKAM})", {"fax": mark}),
        ("POST", "accounts", {"name": f"{mark}{'x' * 200}"}),
    )
    response = send(application, text_of([failing, single("POST", "accounts", {"name": f"{mark}B"})]))
    (refused,) = answers(response)
    assert (response.status_code, refused.status, refused.code, refused.content_id) == (400, 400, "0x80044331", "3")
    assert "boundary=changesetresponse_" in response.text
    assert names(application, mark) == []
    assert application.get(f"accounts({FABRIKAM})?$select=fax")["fax"] != mark
    application.quiet()
    assert receiver.received == []


def test_a_batch_goes_on_after_errors_when_asked(application: Dataverse, mark: str) -> None:
    parts = [
        single("GET", f"accounts({uuid.UUID(int=7)})"),
        numbered(("POST", "accounts", {"name": f"{mark}A"}), ("POST", "accounts", {"nonsense": 1})),
        single("POST", "accounts", {"name": f"{mark}B"}),
    ]
    response = send(application, text_of(parts), Prefer="odata.continue-on-error")
    found = [(each.status, each.code) for each in answers(response)]
    assert response.status_code == 200
    assert found == [(404, "0x80040217"), (400, "0x80048d19"), (204, None)]
    assert names(application, mark) == ["B"]


def test_a_batch_ends_at_the_first_error(application: Dataverse, mark: str) -> None:
    """What came before it is done."""
    parts = [single("POST", "accounts", {"name": f"{mark}A"}), single("GET", "nothings")]
    response = send(application, text_of([*parts, single("POST", "accounts", {"name": f"{mark}B"})]))
    assert [each.status for each in answers(response)] == [204, 404]
    assert response.status_code == 400
    assert names(application, mark) == ["A"]


def test_requests_of_a_change_set_refer_to_earlier_ones(application: Dataverse, mark: str) -> None:
    """In an address, in the value of a navigation property, and in a reference."""
    response = send(
        application,
        text_of(
            [
                numbered(
                    ("POST", "contacts", {"firstname": "Ada", "lastname": mark}),
                    ("POST", "accounts", {"name": f"{mark}A", "primarycontactid@odata.bind": "$1"}),
                    ("PUT", "$2/fax", {"value": "+49"}),
                    ("PATCH", "$1", {"parentcustomerid_account@odata.bind": "$2"}),
                    ("POST", "accounts", {"name": f"{mark}B"}),
                    ("PUT", "$5/parentaccountid/$ref", {"@odata.id": "$2"}),
                )
            ]
        ),
    )
    contact, account, *others = answers(response)
    assert [each.status for each in others] == [204] * 4
    row = application.get(f"accounts({account.row_id})?$select=fax,_primarycontactid_value")
    assert (row["fax"], row["_primarycontactid_value"]) == ("+49", contact.row_id)
    works_at = application.get(f"contacts({contact.row_id})?$select=_parentcustomerid_value")["_parentcustomerid_value"]
    parent = application.get(f"accounts({others[2].row_id})?$select=_parentaccountid_value")["_parentaccountid_value"]
    assert (works_at, parent) == (account.row_id, account.row_id)


def test_a_reference_that_is_not_there_fails_the_change_set(application: Dataverse, mark: str) -> None:
    early = numbered(
        ("POST", "contacts", {"lastname": mark, "parentcustomerid_account@odata.bind": "$2"}),
        ("POST", "accounts", {"name": f"{mark}A"}),
    )
    shown = change_set(
        single("POST", "accounts", {"name": f"{mark}A"}, "Prefer: return=representation", content_id=1),
        single("PATCH", "$1", {"fax": "1"}, content_id=2),
    )
    for parts in (early, shown):
        response = send(application, text_of([parts]))
        (refused,) = answers(response)
        assert refused.body["error"]["message"].startswith("Content-ID Reference: '$")
        assert response.status_code == 400
    assert names(application, mark) == []


POST = ("POST", "accounts", {"name": "never"})
REFUSED = {
    "closing delimiter": text_of([single(*POST)]).removesuffix("--batch_1--\r\n"),
    "cannot contain another batch": text_of([single("POST", "$batch", {})]),
    "method 'GET'": text_of([numbered(("GET", "accounts", None))]),
    "'Content-ID' was not present": text_of([change_set(single(*POST))]),
    "found more than once": text_of([change_set(single(*POST, content_id=1), single(*POST, content_id=1))]),
    "Nested change sets": text_of([change_set(change_set(single(*POST, content_id=1)))]),
    "too many parts": text_of([single(*POST)] * 1_001),
    "does not belong to this environment": text_of([single("GET", "https://elsewhere.example/api/data/v9.2/accounts")]),
    "request line": text_of([TYPES + "\r\naccounts\r\n\r\n"]),
    "application/http": text_of(["Content-Type: text/plain\r\n\r\nhello"]),
    "no colon": text_of(["Content-Type\r\n\r\nhello"]),
    "has no request": text_of([change_set()]),
    "Definitions": text_of([numbered(("POST", "EntityDefinitions", {}))]),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_batch_that_cannot_be_read_is_refused_as_a_whole(application: Dataverse, why: str) -> None:
    before = application.call("GET", "accounts/$count").text
    response = send(application, text_of([single(*POST)])[: -len("--batch_1--\r\n")] + REFUSED[why])
    assert response.status_code == 400
    assert why in response.json()["error"]["message"]
    assert application.call("GET", "accounts/$count").text == before


def test_only_multipart_is_a_batch(application: Dataverse) -> None:
    assert send(application, "{}", "application/json").status_code == 400
    assert application.call("GET", "$batch").status_code == 405


def test_line_ends_are_read_as_the_platform_reads_them(application: Dataverse, mark: str) -> None:
    """LF is taken where two of them end the body; a body that just stops makes its last request unreadable."""
    body = text_of([single("POST", "accounts", {"name": f"{mark}A"})])
    assert send(application, body.replace("\r\n", "\n") + "\n").status_code == 200
    (refused,) = answers(send(application, body.removesuffix("\r\n")))
    assert (refused.code, "Stream was not readable" in refused.body["error"]["message"]) == ("0x80048d19", True)
    in_a_change_set = text_of([numbered(("POST", "accounts", {"name": f"{mark}B"}))]).removesuffix("\r\n")
    assert send(application, in_a_change_set, 'multipart/mixed;boundary="batch_1"').status_code == 200
    assert names(application, mark) == ["A", "B"]


def test_a_failing_synchronous_step_undoes_the_change_set(
    application: Dataverse, receiver: Receiver, mark: str
) -> None:
    """The step was called for what came before all the same, as in a real environment."""
    register_step(application, register_webhook(application, receiver.url), "Create", "account", mode=0)
    receiver.answers = [200, 400]
    requests_ = [("POST", "accounts", {"name": f"{mark}{letter}"}) for letter in "ABC"]
    (refused,) = answers(send(application, text_of([numbered(*requests_)])))
    assert (refused.code, refused.content_id) == ("0x80050203", "2")
    assert [context["MessageName"] for context in receiver.contexts()] == ["Create", "Create"]
    assert names(application, mark) == []


def test_the_events_of_a_change_set_belong_to_one_request(
    application: Dataverse, receiver: Receiver, mark: str
) -> None:
    """Synchronous steps see the ids under which the rows are stored afterwards."""
    endpoint = register_webhook(application, receiver.url)
    register_step(application, endpoint, "Create", "account", mode=0)
    register_step(application, endpoint, "Create", "account")
    register_step(application, endpoint, "Delete", "account")
    first, second = (("POST", f"accounts?tag={letter}", {"name": f"{mark}{letter}"}) for letter in "AB")
    response = send(application, text_of([numbered(first, second, ("DELETE", "$1?tag=C", None))]))
    made = {each.row_id for each in answers(response)[:2]}
    application.quiet()
    contexts = receiver.contexts()
    assert len({context["RequestId"] for context in contexts}) == 1
    assert sorted(context["Mode"] for context in contexts) == [0, 0, 1, 1, 1]
    assert {context["PrimaryEntityId"] for context in contexts} == made
    tags = [each["value"] for context in contexts for each in context["SharedVariables"] if each["key"] == "tag"]
    assert sorted(tags) == ["A", "A", "B", "B", "C"]

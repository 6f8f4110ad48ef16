"""Change sets as they are sent, and what their answers say."""

from decimal import Decimal

import pytest

from integration.errors import Outage
from integration.systems.finance_operations.change_set import Change, encoded, parts_of
from integration.transport import Request, Response

REQUEST = Request("erp", "change SalesOrderHeadersV2", "POST", "https://contoso.operations.dynamics.com/data/$batch")
DONE = "Content-Type: application/http\r\nContent-ID: 1\r\n\r\nHTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\n\r\n"
MADE = DONE.replace("204 No Content", "201 Created\r\nContent-Type: application/json; charset=utf-8") + '{"a": 1}'
FAILED = MADE.replace("201 Created", "500 Internal Server Error")


def answer(*parts: str, end: str = "\r\n") -> Response:
    lines = ["--batchresponse_1", "Content-Type: multipart/mixed; boundary=changesetresponse_1", ""]
    for part in parts:
        lines += ["--changesetresponse_1", part]
    text = "\r\n".join([*lines, "--changesetresponse_1--", "--batchresponse_1--", ""]).replace("\r\n", end)
    return Response(REQUEST, 200, {"content-type": "multipart/mixed; boundary=batchresponse_1"}, text.encode())


def test_every_change_has_its_etag_and_exact_digits() -> None:
    kind, body = encoded([
        Change("PATCH", "https://h/data/A(1)", {"IsSalesProcessingStopped": "No"}, 'W/"1"'),
        Change("POST", "https://h/data/B", {"SalesPrice": Decimal("48000.50"), "LineDescription": "Zwei Lifte: ü"}),
    ])  # fmt: skip
    text = body.decode()
    assert kind.partition("boundary=")[2] in text
    assert text.count("Content-ID: ") == 2
    assert "PATCH https://h/data/A(1) HTTP/1.1" in text
    assert text.count('If-Match: W/"1"') == text.count("If-Match") == 1
    assert '"SalesPrice":48000.50' in text


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_there_is_an_answer_to_each_change(end: str) -> None:
    parts = parts_of(answer(DONE, MADE, end=end), 2)
    assert [part.status for part in parts] == [204, 201]
    assert (parts[0].body, parts[1].json()) == (b"", {"a": 1})


def test_what_was_refused_stands_alone() -> None:
    (part,) = parts_of(answer(FAILED), 2)
    assert (part.status, part.is_json) == (500, True)


@pytest.mark.parametrize("parts", [(), (DONE,), (DONE, DONE, MADE)])
def test_an_answer_with_other_parts_says_nothing_of_what_was_done(parts: tuple[str, ...]) -> None:
    with pytest.raises(Outage) as raised:
        parts_of(answer(*parts), 2)
    assert raised.value.reason == "erp-answer-invalid"

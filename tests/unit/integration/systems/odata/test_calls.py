"""What a call to an OData service brings: rows, differences, and creations whose outcome is unknown."""

from decimal import Decimal
from typing import Any

import pytest

from integration.errors import IntegrationError, Outage, Paused, Permanent, Throttled
from integration.systems.odata.calls import Calls, differing
from integration.transport import NO_CONTEXT, ApiKey, Authorizer, CallContext, Request, Response


class Answering:
    """A sender that gives one answer, or raises."""

    def __init__(self, answer: tuple[int, bytes] | IntegrationError) -> None:
        self.answer = answer
        self.sent: list[Request] = []

    async def send(self, request: Request, *, authorizer: Authorizer | None, context: CallContext) -> Response:
        del authorizer, context
        self.sent.append(request)
        if isinstance(self.answer, IntegrationError):
            raise self.answer
        status, body = self.answer
        return Response(request, status, {"content-type": "application/json"}, body)


def calls_to(sender: Answering) -> Calls:
    return Calls(sender, "erp", ApiKey("k"), failure=lambda _: Permanent("no"), headers={"Accept-Language": "en-US"})


async def created(answer: tuple[int, bytes] | IntegrationError) -> Any:
    calls = calls_to(Answering(answer))
    return await calls.create(calls.request("create a", "POST", "https://h/a", {"amount": Decimal("1.50")}), NO_CONTEXT)


async def test_a_new_row_is_sent_with_exact_digits() -> None:
    sender = Answering((201, b'{"@odata.etag": "1", "amount": 1.50}'))
    calls = calls_to(sender)
    request = calls.request("create a", "POST", "https://h/a", {"amount": Decimal("1.50")})
    made = await calls.create(request, NO_CONTEXT)
    assert (sender.sent[0].body, sender.sent[0].headers["Accept-Language"]) == (b'{"amount":1.50}', "en-US")
    assert made.row == {"@odata.etag": "1", "amount": Decimal("1.50")}


@pytest.mark.parametrize(
    ("answer", "unknown"),
    [
        ((400, b"{}"), False),
        ((429, b"{}"), False),
        ((408, b"{}"), True),
        ((500, b"{}"), True),
        (Outage("no answer", reason="erp-timeout"), True),
        (Outage("no token", reason="erp-sign-in-refused"), False),
        (Outage("no", reason="host-not-allowed"), False),
        (Throttled("wait"), False),
        (Paused("wait"), False),
    ],
)
async def test_what_may_have_been_done_is_unknown(answer: tuple[int, bytes] | IntegrationError, unknown: bool) -> None:
    """A refusal says that it was not, and so does whatever never left."""
    made = await created(answer)
    assert made.row is None
    assert made.error is not None
    assert made.unknown is unknown


async def test_a_long_list_is_read_page_by_page() -> None:
    """And not for ever where its pages lead to each other."""
    sender = Answering((200, b'{"value": [{"a": 1}], "@odata.nextLink": "https://h/a?$skiptoken=1"}'))
    calls = calls_to(sender)
    first = calls.request("find a", "GET", "https://h/a")
    assert await calls.pages(first, NO_CONTEXT) == [{"a": 1}] * 20
    assert {request.url for request in sender.sent[1:]} == {"https://h/a?$skiptoken=1"}
    sender.answer = (200, b'{"value": [{"a": 2}]}')
    assert await calls.pages(first, NO_CONTEXT) == [{"a": 2}]


async def test_a_row_without_an_etag_is_something_elses() -> None:
    with pytest.raises(Outage) as raised:
        await created((201, b'{"amount": 1}'))
    assert raised.value.reason == "erp-answer-invalid"


async def test_an_answer_without_a_body_has_no_row() -> None:
    assert (await created((204, b""))).row == {}


def test_numbers_differ_by_value_and_texts_letter_by_letter() -> None:
    row = {"price": 48_000, "name": "A", "quantity": Decimal("1.0")}
    assert differing(row, {"price": Decimal("48000.00"), "name": "A", "quantity": 1}) == {}
    assert differing(row, {"price": Decimal(1), "name": "a", "new": ""}) == {
        "price": Decimal(1),
        "name": "a",
        "new": "",
    }

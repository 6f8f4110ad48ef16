"""What a call of a REST system looks like on the wire, and what its answers mean."""

import json
from decimal import Decimal

import pytest

from integration.errors import NotFound, Outage, Permanent
from integration.systems.messages import Amount, Message
from integration.systems.rest.calls import RestSystem, rest_failure
from integration.transport import ApiKey, Authorizer, CallContext, Request, Response
from integration.transport.problem import problem_of

CONTEXT = CallContext(correlation_id="c-1")


class Wire:
    """Remembers what was sent, by whom, and for which event."""

    def __init__(self) -> None:
        self.sent: list[tuple[Request, Authorizer | None, CallContext]] = []

    async def send(self, request: Request, *, authorizer: Authorizer | None, context: CallContext) -> Response:
        self.sent.append((request, authorizer, context))
        return Response(request, 200, {}, b"")


class Order(Message):
    order_number: str
    total_amount: Amount
    note: str | None = None


def answer(status: int, content: object = None, kind: str = "application/problem+json") -> Response:
    request = Request("erp", "look", "GET", "https://erp.example/v1/orders/SO%2F1?x=1")
    return Response(request, status, {"content-type": kind}, json.dumps(content).encode())


async def test_a_body_is_sent_in_camel_case_with_what_was_set() -> None:
    """Amounts are texts with all their digits; what was not set is not sent, as a system would take it for a wish."""
    wire, key = Wire(), ApiKey("secret")
    system = RestSystem(wire, "erp", "https://erp.example", key)
    order = Order(order_number="SO-1", total_amount=Decimal("1E+3"))
    await system.call("put order", "PUT", "/v1/orders/SO-1", order, key="k-1", context=CONTEXT)

    ((request, authorizer, context),) = wire.sent
    assert (request.service, request.operation) == ("erp", "put order")
    assert (request.method, request.url) == ("PUT", "https://erp.example/v1/orders/SO-1")
    assert request.headers == {"Content-Type": "application/json", "Idempotency-Key": "k-1"}
    assert json.loads(request.body or b"") == {"orderNumber": "SO-1", "totalAmount": "1000"}
    assert (authorizer, context) == (key, CONTEXT)


async def test_a_call_without_a_body_or_key_says_nothing_of_them() -> None:
    wire = Wire()
    await RestSystem(wire, "erp", "https://erp.example", ApiKey("k")).call("look", "GET", "/v1", context=CONTEXT)

    ((request, _, _),) = wire.sent
    assert request.headers == {}
    assert request.body is None


@pytest.mark.parametrize("kind", ["https://docs.contoso.example/problems/not-found", "not-found", "urn/not-found/"])
@pytest.mark.parametrize("status", [404, 410])
def test_only_the_systems_own_words_say_that_something_does_not_exist(kind: str, status: int) -> None:
    """With what it was asked for, as it was before it became an address."""
    error = rest_failure(answer(status, {"type": kind}))

    assert isinstance(error, NotFound)
    assert (error.reason, error.service, error.table, error.record_id) == ("erp-not-found", "erp", "orders", "SO/1")


@pytest.mark.parametrize(
    "kind",
    [
        "about:blank",
        "https://datatracker.ietf.org/doc/html/rfc9110#section-15.5.5",
        "https://tools.ietf.org/html/rfc7231",
        "https://developer.mozilla.org/docs/Web/HTTP/Status/404",
        "https://httpstatuses.com/404",
        "https://contoso.example/problems/404",
        "https://contoso.example/problems#not-found",
        "https://[not an address",
        "",
        None,
    ],
)
def test_a_type_that_only_says_the_status_is_nobodys_word(kind: str | None) -> None:
    """A web framework says it of an address that it does not know: no record is missing."""
    response = answer(404, {"type": kind})

    assert problem_of(response) is None
    assert isinstance(rest_failure(response), Outage)


def test_a_problem_of_another_media_type_or_shape_is_nobodys_word() -> None:
    assert problem_of(answer(422, {"type": "x/not-found"}, "application/json")) is None
    assert problem_of(answer(422, ["x/not-found"])) is None


def test_a_refusal_says_of_which_kind_it_is_and_never_quotes_free_text() -> None:
    error = rest_failure(answer(422, {"type": "x/invalid", "title": "Not valid", "detail": "Mrs Miller owes 100"}))
    assert isinstance(error, Permanent)
    assert "invalid (Not valid)" in str(error)
    assert "Miller" not in str(error)

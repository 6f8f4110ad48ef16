"""Of another system's problem its type, title and fields are kept; its free text, and what we sent, never are."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.errors import Permanent
from integration.systems.rest.calls import rest_failure
from integration.transport import Request, Response
from integration.transport.problem import problem_of

NAME, EMAIL = "Jane Fernandez", "jane.fernandez@example.org"
SENT = {"name": NAME, "email": EMAIL, "address": {"line1": "Main Road", "postalCode": "AB1 2CD"}, "currency": "XXX"}
TYPE = "https://erp.example/problems/invalid-customer"


def refused(problem: dict[str, Any], *, sent: bytes | None = None, status: int = 422) -> Response:
    body = json.dumps(SENT).encode() if sent is None else sent
    request = Request("erp", "put customer", "PUT", "https://erp.example/api/customers/1", {}, body)
    answer = json.dumps({"type": TYPE, "status": status, **problem}).encode()
    return Response(request, status, {"content-type": "application/problem+json"}, answer)


def said(problem: dict[str, Any]) -> str:
    return str(rest_failure(refused(problem)))


def test_the_free_text_is_never_kept() -> None:
    text = f"{NAME} ({EMAIL}) is on the list of debtors since her divorce"
    assert said({"detail": text}) == "erp answered 422 to 'put customer': invalid-customer"
    assert text not in repr(problem_of(refused({"detail": text})))


def test_type_and_title_say_what_it_is() -> None:
    assert said({"title": "Customer is  not valid"}).endswith(": invalid-customer (Customer is not valid)")


@pytest.mark.parametrize(
    "title",
    [
        f"{NAME} is not valid",
        f"The customer {NAME.upper()} is not valid",
        "No such place: Main Road",
        "Customer 4711 is not valid",
        "The name 'Jim' is not valid",
        "Ask jim@example.org",
        "Long " * 30,
        "",
        3,
        None,
        {"x": 1},
    ],
)
def test_a_title_that_may_be_of_this_very_customer_is_left_out(title: object) -> None:
    """By RFC 9457 a title is the same for each problem of its type; systems that do not know that put values there."""
    assert said({"title": title}) == "erp answered 422 to 'put customer': invalid-customer"


@pytest.mark.parametrize(
    ("problem", "fields"),
    [
        ({"errors": [{"detail": f"{NAME} is too long", "pointer": "#/name"}]}, "/name"),
        ({"errors": [{"pointer": "/address/postalCode"}, {"pointer": "/email"}]}, "/address/postalCode, /email"),
        ({"errors": [{"parameter": "force"}, {"header": "Idempotency-Key"}]}, "/force, /Idempotency-Key"),
        ({"errors": {"$.address.postalCode": [f"{NAME} lives elsewhere"], "lines[0].amount": []}}, None),
        ({"invalid-params": [{"name": "vatNumber", "reason": EMAIL}]}, "/vatNumber"),
        ({"violations": [{"field": "address.city", "message": EMAIL}]}, "/address/city"),
    ],
)
def test_the_fields_that_are_named_are_kept_without_what_is_said_of_them(
    problem: dict[str, Any], fields: str | None
) -> None:
    """As RFC 9457, RFC 7807, ASP.NET Core and Zalando's problem library write them."""
    expected = fields or "/address/postalCode, /lines/0/amount"
    assert said(problem) == f"erp answered 422 to 'put customer': invalid-customer; fields: {expected}"


@pytest.mark.parametrize(
    "pointer",
    [
        f"/customers/{NAME}",
        "/customers/5fd1bc7a-0000-4000-8000-000000000000/name",
        f"/{EMAIL}",
        "/XXX",
        "/a/b/c/d/e/f/g",
        "/" + "x" * 50,
        "/12345678",
        "",
        7,
        None,
    ],
)
def test_what_is_no_name_of_a_field_is_left_out(pointer: object) -> None:
    assert said({"errors": [{"pointer": pointer}]}) == "erp answered 422 to 'put customer': invalid-customer"


def test_ten_fields_are_enough() -> None:
    found = problem_of(refused({"errors": [{"pointer": f"/field{number:c}"} for number in range(97, 117)]}))
    assert found is not None
    assert len(found.fields) == 10


@pytest.mark.parametrize("word", ["jane%20fernandez", "jane-fernandez", "no-jane.fernandez", "x" * 61])
def test_a_type_that_names_the_customer_is_not_shown_but_counts(word: str) -> None:
    """The answer is still in the system's own words: a refusal, no outage."""
    error = rest_failure(refused({"type": f"https://erp.example/problems/{word}"}))
    assert (error.reason, str(error)) == ("erp-rejected", "erp answered 422 to 'put customer'")


def test_a_customer_that_is_called_like_a_type_hides_only_the_title() -> None:
    sent = json.dumps({"name": "The Invalid Customer Company"}).encode()
    error = rest_failure(refused({"title": "Customer is not valid"}, sent=sent))
    assert str(error) == "erp answered 422 to 'put customer': invalid-customer"


@given(
    st.dictionaries(
        st.sampled_from(["type", "title", "detail", "instance", "errors", "invalid-params", "violations", "extra"]),
        st.recursive(
            st.sampled_from([NAME, EMAIL, f"x {NAME}", f"#/{NAME}", "/name", "Not valid", "XXX"]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["pointer", "field", "name", "detail", NAME]), inner, max_size=3)
            ),
            max_leaves=8,
        ),
    ),
    st.integers(400, 599),
)
def test_no_value_that_was_sent_comes_back_wherever_it_is_quoted(problem: dict[str, Any], status: int) -> None:
    message = str(rest_failure(refused(problem, status=status)))
    assert NAME.casefold() not in message.casefold()
    assert EMAIL not in message
    assert len(message) < 1_500


@pytest.mark.parametrize("sent", [b"", b"not json", b"\xff", b"[1]"])
def test_whatever_was_sent(sent: bytes) -> None:
    assert said({"title": "No"}) == str(rest_failure(refused({"title": "No"}, sent=sent)))


@pytest.mark.parametrize(
    "word",
    [
        "customer-blocked",
        "period-closed",
        "order-posted",
        "order-confirmed",
        "value-unknown",
        "value-too-long",
        "value-invalid",
    ],
)
def test_what_the_contract_names_gets_a_reason_of_that_name(word: str) -> None:
    error = rest_failure(refused({"type": f"https://erp.example/problems/{word}"}))
    assert (type(error), error.reason) == (Permanent, f"erp-{word}")


def test_any_other_refusal_is_rejected() -> None:
    assert rest_failure(refused({})).reason == "erp-rejected"

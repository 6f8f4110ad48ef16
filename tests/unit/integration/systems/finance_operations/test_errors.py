"""What an answer of Finance & Operations becomes: by status, by the type of the exception, and by its text."""

import json

import pytest

from integration.errors import IntegrationError, NotFound, Outage, Permanent, Throttled, Transient
from integration.systems.finance_operations import finance_operations_failure
from integration.transport import Request, Response

WRITE = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException"
URL = "https://contoso.operations.dynamics.com/data/CustomersV3"
KEYED = f"{URL}(dataAreaId='usmf',CustomerAccount='C1')?cross-company=true"


def answer(status: int, body: object, *, url: str = URL, retry_after: float | None = None) -> Response:
    request = Request("erp", "update CustomersV3", "PATCH", url)
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(request, status, {"content-type": "application/json"}, text, retry_after)


def said(infolog: str, kind: str | None = WRITE) -> dict[str, object]:
    error: dict[str, object] = {"code": "", "message": "An error has occurred."}
    if kind:
        error["innererror"] = {"message": f"Write failed. Infolog: {infolog}", "type": kind}
    return {"error": error}


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(
    ("infolog", "reason"),
    [
        ("Warning: The value 'A' in field 'Customer group' is not found in the related table 'B'.", "value-unknown"),
        ("Error: Customer US-001 is on hold for 'All'.", "customer-blocked"),
        ("Error: Customer US-001 is blocked for invoicing.", "customer-blocked"),
        ("Error: Fiscal period for 11/20/2026 is not open.", "period-closed"),
        ("Error: Period 11/1/2026 is on hold.", "period-closed"),
        ("Warning: The text exceeds the maximum length of 60.", "value-too-long"),
        ("Warning: The name has an invalid character.", "value-invalid"),
        ("Error: The number sequence does not allow it.", "rejected"),
        ("Warning: Inventory dimension Site is mandatory.", "rejected"),
        ("Info: Cannot create a record in Customers.\nThe record already exists.", "rejected"),
    ],
)
def test_what_x_plus_plus_refuses_is_permanent_and_has_a_word(status: int, infolog: str, reason: str) -> None:
    """With 400 and, in a change set, with 500; the values that the text quotes are not passed on."""
    failure = finance_operations_failure(answer(status, said(infolog)))
    assert (type(failure), failure.reason) == (Permanent, f"erp-{reason}")
    assert "US-001" not in str(failure)


def test_a_text_that_is_not_known_is_a_refusal_with_400_and_a_failure_with_500() -> None:
    """As in another language: 500 may be anything, so the event is tried again, and ages."""
    refused = finance_operations_failure(answer(400, said("Fehler: Der Debitor ist gesperrt.")))
    failed = finance_operations_failure(answer(500, said("Fehler: Der Debitor ist gesperrt.")))
    assert (type(refused), refused.reason) == (Permanent, "erp-rejected")
    assert (type(failed), failed.reason) == (Transient, "erp-failed")


@pytest.mark.parametrize(
    "infolog",
    [
        "Error: Cannot edit a record in Customers (CustTable). An update conflict occurred due to a user.",
        "Error: Cannot select a record in Sales orders (SalesTable). Deadlock, where one or more users have locked it.",
    ],
)
def test_a_conflict_is_tried_again(infolog: str) -> None:
    failure = finance_operations_failure(answer(400, said(infolog)))
    assert (type(failure), failure.reason) == (Transient, "erp-conflict")


@pytest.mark.parametrize(
    ("response", "kind", "reason"),
    [
        (answer(412, b""), Transient, "conflict"),
        (answer(400, said("x", "Microsoft.OData.ODataException")), Permanent, "rejected"),
        (answer(500, said("x", "System.NullReferenceException")), Transient, "failed"),
        (answer(400, said("x", None)), Outage, "answer-unreadable"),
        (answer(400, said("x", "com.example.Problem")), Outage, "answer-unreadable"),
        (answer(500, said("x", None)), Outage, "unavailable"),
        (answer(503, said("x")), Outage, "unavailable"),
        (answer(429, said("x", None), retry_after=5.0), Throttled, "throttled"),
        (answer(401, said("x", None)), Outage, "unauthorised"),
        (answer(403, said("x", "System.UnauthorizedAccessException")), Outage, "forbidden"),
        (answer(400, said("Error: Company nope does not exist.")), Outage, "forbidden"),
        (answer(404, b""), Outage, "answer-unreadable"),
        (answer(404, b"", url=KEYED), NotFound, "not-found"),
        (answer(404, b"<html>", url=KEYED), Outage, "answer-unreadable"),
    ],
)
def test_other_answers(response: Response, kind: type[IntegrationError], reason: str) -> None:
    """A 404 says that a row is not there only where a row was addressed by its key."""
    failure = finance_operations_failure(response)
    assert (type(failure), failure.reason) == (kind, f"erp-{reason}")

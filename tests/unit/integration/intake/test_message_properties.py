"""The properties of a message must agree with its body, as far as both are there."""

from typing import Any

import pytest

from integration.errors import Rejected
from integration.intake.message_properties import check_properties, text_properties

CLAIMS = "http://schemas.microsoft.com/xrm/2011/Claims/"
CONTEXT = {
    "MessageName": "Update",
    "PrimaryEntityName": "account",
    "OrganizationId": "ffffffff-0000-4000-8000-000000000006",
    "OrganizationName": "unqcontoso",
    "InitiatingUserId": "dddddddd-0000-4000-8000-000000000004",
}
AGREEING = {
    "Organization": "contoso.crm4.dynamics.com",
    "RequestName": "Update",
    "EntityLogicalName": "account",
    "InitiatingUser": "{DDDDDDDD-0000-4000-8000-000000000004}",
    "InitiatingUserAgent": "",
}


def check(**changed: Any) -> None:
    properties = text_properties({f"{CLAIMS}{name}": value for name, value in (AGREEING | changed).items()})
    check_properties(properties, CONTEXT, host="contoso.crm4.dynamics.com")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"Organization": "https://contoso.crm4.dynamics.com/"},
        {"Organization": "unqContoso"},
        {"Organization": "FFFFFFFF-0000-4000-8000-000000000006"},
        {"RequestName": b"update"},
        {"EntityLogicalName": "none"},
        {"InitiatingUser": "somebody@contoso.example"},
        dict.fromkeys(AGREEING, ""),
    ],
)
def test_what_agrees_or_says_nothing_is_taken(changed: dict[str, Any]) -> None:
    """However the organisation is called; Python's SDKs give names and values as bytes."""
    check(**changed)
    check_properties(text_properties({}), CONTEXT, host="contoso.crm4.dynamics.com")


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"Organization": "fabrikam.crm4.dynamics.com"}, "Organization"),
        ({"RequestName": "Delete"}, "RequestName"),
        ({"EntityLogicalName": "contact"}, "EntityLogicalName"),
        ({"InitiatingUser": "eeeeeeee-0000-4000-8000-000000000004"}, "InitiatingUser"),
    ],
)
def test_a_message_that_contradicts_itself_is_refused(changed: dict[str, str], place: str) -> None:
    """Dataverse sends none: somebody else has a key, or has changed the body."""
    with pytest.raises(Rejected) as refused:
        check(**changed)
    assert [fault.pointer for fault in refused.value.faults] == [place]
    assert refused.value.reason == "message-contradicts-itself"
    assert "renew the key" in refused.value.detail


def test_each_contradiction_is_named() -> None:
    with pytest.raises(Rejected) as refused:
        check(RequestName="Delete", EntityLogicalName="contact")
    assert [fault.pointer for fault in refused.value.faults] == ["RequestName", "EntityLogicalName"]

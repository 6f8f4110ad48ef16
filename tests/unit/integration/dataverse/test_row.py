"""Rows as answers of the Web API give them."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from integration.dataverse.row import Row, differs, read_row
from integration.errors import Outage
from integration.events.values import Lookup

ANSWER = """{
  "@odata.context": "https://org.crm.dynamics.com/api/data/v9.2/$metadata#opportunities/$entity",
  "@odata.etag": "W/\\"2411\\"",
  "estimatedvalue": 1234.5000000000, "name": "Chairs", "versionnumber": 2411,
  "_customerid_value": "c1", "_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "contact",
  "_ownerid_value": null
}"""


def test_values_etag_version_and_lookups_are_kept_apart() -> None:
    row = read_row("opportunities", "o1", json.loads(ANSWER, parse_float=Decimal))
    assert (row.etag, row.version) == ('W/"2411"', 2411)
    assert str(row.values["estimatedvalue"]) == "1234.5000000000"
    assert row.lookups == {"customerid": Lookup("contact", "c1")}
    assert row.values["_ownerid_value"] is None
    assert not any("@" in name for name in row.values)


def test_a_row_cannot_be_changed() -> None:
    row = read_row("opportunities", "o1", json.loads(ANSWER))
    with pytest.raises(TypeError):
        row.values["name"] = "Other"  # type: ignore[index]


@pytest.mark.parametrize("content", [[], None, "text", 1, {}, {"statusCode": 200, "message": "Under maintenance"}])
def test_what_is_no_row_was_answered_by_something_else(content: object) -> None:
    """Rows name their OData context; a gateway's JSON under 200 must not pass for a row without values."""
    with pytest.raises(Outage) as raised:
        read_row("opportunities", "o1", content)
    assert (raised.value.reason, raised.value.service) == ("dataverse-answer-invalid", "dataverse")


ROW = Row(
    "accounts",
    "a1",
    values={
        "new_erpnumber": "C-1",
        "new_creditscore": 700,
        "new_amount": Decimal("100.0000000000"),
        "new_syncedon": "2026-03-01T10:00:00Z",
        "new_syncmessage": None,
        "new_ok": True,
        "_parentaccountid_value": "11111111-2222-3333-4444-555555555555",
    },
)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"new_erpnumber": "C-1", "new_creditscore": 700, "new_syncmessage": None, "new_ok": True},
        {"new_amount": 100},
        {"new_amount": Decimal("100.00")},
        {"new_syncedon": "2026-03-01T11:00:00+01:00"},
        {"new_syncedon": datetime(2026, 3, 1, 10, tzinfo=UTC)},
        {"parentaccountid@odata.bind": "/accounts(11111111-2222-3333-4444-555555555555)"},
    ],
)
def test_what_the_row_holds_already_is_no_difference(values: dict[str, object]) -> None:
    """In whatever form: such a write costs a call, a version and an event, and changes nothing."""
    assert not differs(ROW, values)


@pytest.mark.parametrize(
    "values",
    [
        {"new_erpnumber": "C-2"},
        {"new_erpnumber": None},
        {"new_erpnumber": "C-1", "new_creditscore": 701},
        {"new_syncmessage": ""},
        {"new_ok": False},
        {"new_ok": 1},
        {"new_syncedon": "2026-03-01T10:00:01Z"},
        {"new_unselected": None},
        {"parentaccountid@odata.bind": "/accounts(99999999-2222-3333-4444-555555555555)"},
        {"parentaccountid@odata.bind": None},
    ],
)
def test_what_the_row_does_not_hold_differs(values: dict[str, object]) -> None:
    """A column that was not read counts as different: nobody knows."""
    assert differs(ROW, values)

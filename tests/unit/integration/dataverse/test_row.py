"""Rows as answers of the Web API give them."""

import json
from decimal import Decimal

import pytest

from integration.dataverse.row import read_row
from integration.errors import Permanent
from integration.events.values import Lookup

ANSWER = """{
  "@odata.context": "https://org.crm.dynamics.com/api/data/v9.2/$metadata#opportunities/$entity",
  "@odata.etag": "W/\\"2411\\"",
  "estimatedvalue": 1234.5000000000, "name": "Chairs", "versionnumber": 2411,
  "_customerid_value": "c1", "_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "contact",
  "_ownerid_value": null
}"""


def test_values_etag_version_and_lookups_are_told_apart() -> None:
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


@pytest.mark.parametrize("content", [[], None, "text", 1])
def test_what_is_no_row_is_refused(content: object) -> None:
    with pytest.raises(Permanent):
        read_row("opportunities", "o1", content)

"""Create, retrieve, update, upsert and delete of rows, with the conditions, codes and defaults of Dataverse."""

import uuid
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.contract.sandbox.systems.dataverse_client import Dataverse

FABRIKAM = "a0000000-0000-4000-8000-000000000001"
BIKES = "f0000000-0000-4000-8000-000000000001"
REPRESENTATION = {"Prefer": "return=representation"}


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_create_answers_204_with_the_address(application: Dataverse) -> None:
    answer = application.call("POST", "accounts", {"name": "New"})
    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["OData-EntityId"].startswith(f"{application.root}accounts(")
    assert answer.headers["OData-Version"] == "4.0"


def test_create_with_representation_answers_201_with_defaults(application: Dataverse) -> None:
    """State, status reason, owner, users, times and choices are there without being sent."""
    answer = application.call("POST", "opportunities", {"name": "Big"}, **REPRESENTATION)
    assert answer.status_code == 201
    assert answer.headers["Preference-Applied"] == "return=representation"
    row, user = answer.json(), application.environment["application"]["user_id"]
    assert (row["statecode"], row["statuscode"], row["opportunityratingcode"]) == (0, 1, 2)
    assert {row["_ownerid_value"], row["_createdby_value"], row["_modifiedby_value"]} == {user}
    assert row["createdon"] == row["modifiedon"]
    assert row["@odata.etag"] == f'W/"{row["versionnumber"]}"' == answer.headers["ETag"]


def test_select_expand_and_annotations(application: Dataverse) -> None:
    path = f"opportunities({BIKES})?$select=name,_customerid_value,statecode&$expand=customerid_account($select=name)"
    row = application.get(path, Prefer='odata.include-annotations="*"')
    assert row["customerid_account"]["name"] == "Fabrikam GmbH"
    assert row["_customerid_value"] == FABRIKAM
    assert row["_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
    assert row["_customerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "customerid_account"
    assert row["statecode@OData.Community.Display.V1.FormattedValue"] == "Open"
    plain = application.get(path)
    assert not [name for name in plain if "@" in name and not name.startswith("@odata")]
    assert set(plain) - {"@odata.context", "@odata.etag"} == {
        "name", "_customerid_value", "statecode", "customerid_account", "opportunityid",
    }  # fmt: skip


def test_the_expansion_of_the_other_customer_type_is_null(application: Dataverse) -> None:
    row = application.get(f"opportunities({BIKES})?$select=name&$expand=customerid_contact($select=fullname)")
    assert row["customerid_contact"] is None


def test_money_keeps_its_digits_and_its_base_amount(application: Dataverse) -> None:
    row_id = application.create(
        "opportunities",
        {
            "name": "Pounds",
            "estimatedvalue": 85.5,
            "transactioncurrencyid@odata.bind": "/transactioncurrencies(c0000000-0000-4000-8000-000000000003)",
        },
    )
    text = application.call("GET", f"opportunities({row_id})?$select=estimatedvalue,estimatedvalue_base").text
    assert '"estimatedvalue":85.5000' in text
    assert '"estimatedvalue_base":100.5882' in text


def test_every_write_raises_the_version(application: Dataverse) -> None:
    row_id = application.create("accounts", {"name": "Versions"})
    first = application.get(f"accounts({row_id})?$select=versionnumber")["versionnumber"]
    application.update(f"accounts({row_id})", {"name": "Versions 2"})
    assert application.get(f"accounts({row_id})?$select=versionnumber")["versionnumber"] > first


def test_optimistic_concurrency(application: Dataverse) -> None:
    """The ETag that was read is accepted once; after another write it is 412."""
    row_id = application.create("accounts", {"name": "Etag"})
    etag = application.get(f"accounts({row_id})?$select=name")["@odata.etag"]
    application.update(f"accounts({row_id})", {"name": "First"}, If_Match=etag)
    late = application.call("PATCH", f"accounts({row_id})", {"name": "Second"}, If_Match=etag)
    assert error(late) == (412, "0x80060882")
    late = application.call("DELETE", f"accounts({row_id})", If_Match=etag)
    assert error(late) == (412, "0x80060882")
    assert application.get(f"accounts({row_id})?$select=name")["name"] == "First"


def test_a_plain_patch_creates_what_is_not_there(application: Dataverse) -> None:
    """PATCH is an upsert; If-Match: * forbids the creation, If-None-Match: * the update."""
    path = f"accounts({uuid.uuid4()})"
    assert error(application.call("PATCH", path, {"name": "A"}, If_Match="*")) == (404, "0x80040217")
    assert application.call("PATCH", path, {"name": "A"}).status_code == 204
    existing = application.call("PATCH", path, {"name": "B"}, If_None_Match="*")
    assert error(existing) == (412, "0x80040237")
    assert application.get(f"{path}?$select=name")["name"] == "A"


def test_the_status_of_an_upsert_says_whether_the_row_was_created(application: Dataverse) -> None:
    path = f"accounts({uuid.uuid4()})?$select=name"
    assert application.call("PATCH", path, {"name": "A"}, **REPRESENTATION).status_code == 201
    updated = application.call("PATCH", path, {"name": "B"}, **REPRESENTATION)
    assert (updated.status_code, updated.json()["name"]) == (200, "B")


def test_alternate_keys_address_rows(application: Dataverse) -> None:
    number = f"C-{uuid.uuid4().hex[:8]}'s"
    path = f"accounts(new_erpnumber='{number.replace(chr(39), chr(39) * 2)}')"
    assert error(application.call("GET", path)) == (404, "0x80060891")
    assert application.call("PATCH", path, {"name": "Keyed"}).status_code == 204
    row = application.get(f"{path}?$select=name,new_erpnumber")
    assert (row["name"], row["new_erpnumber"]) == ("Keyed", number)
    assert error(application.call("POST", "accounts", {"name": "Twin", "new_erpnumber": number})) == (412, "0x80060892")


@pytest.mark.parametrize("character", ["/", "<", "*", "%", "&", ":", "\\", "?", "+", "#"])
def test_some_characters_keep_alternate_keys_out_of_addresses(application: Dataverse, character: str) -> None:
    """Microsoft's documentation says so of them; such a row can be created, and found by a filter."""
    number = f"{uuid.uuid4().hex[:8]}{character}"
    application.create("accounts", {"name": "Unreachable", "new_erpnumber": number})
    path = f"accounts(new_erpnumber='{quote(number, safe='')}')"
    for method in ("GET", "PATCH"):
        assert application.call(method, path, None if method == "GET" else {"fax": "1"}).status_code == 400
    found = application.get(f"accounts?$select=name&$filter=new_erpnumber eq '{quote(number, safe='')}'")["value"]
    assert len(found) == 1


def test_a_primary_key_that_is_taken_is_refused(application: Dataverse) -> None:
    answer = application.call("POST", "accounts", {"accountid": FABRIKAM, "name": "Twin"})
    assert error(answer) == (412, "0x80040237")


def test_polymorphic_lookups_are_bound_by_their_own_names(application: Dataverse) -> None:
    row_id = application.create(
        "opportunities",
        {"name": "To a person", "customerid_contact@odata.bind": "/contacts(b0000000-0000-4000-8000-000000000002)"},
    )
    row = application.get(f"opportunities({row_id})?$select=_customerid_value&$expand=customerid_contact")
    assert row["customerid_contact"]["fullname"] == "Zoë Müller"
    application.update(f"opportunities({row_id})", {"customerid_account@odata.bind": f"/accounts({FABRIKAM})"})
    assert application.get(f"opportunities({row_id})?$select=_customerid_value")["_customerid_value"] == FABRIKAM
    application.update(f"opportunities({row_id})", {"customerid_account": None})
    assert application.get(f"opportunities({row_id})?$select=_customerid_value")["_customerid_value"] is None


def test_state_and_status_are_set_by_patch(application: Dataverse) -> None:
    row_id = application.create("opportunities", {"name": "Won"})
    application.update(f"opportunities({row_id})", {"statecode": 1, "statuscode": 3})
    row = application.get(f"opportunities({row_id})?$select=statecode,statuscode")
    assert (row["statecode"], row["statuscode"]) == (1, 3)
    wrong = application.call("PATCH", f"opportunities({row_id})", {"statecode": 0, "statuscode": 3}, If_Match="*")
    assert error(wrong) == (400, "0x80048408")


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("accounts", {"name": "x", "nonsense": 1}, (400, "0x80048d19")),
        ("accounts", {"name": 5}, (400, "0x80048d19")),
        ("accounts", {"name": "x" * 161}, (400, "0x80044331")),
        ("opportunities", {"name": "x", "new_creditscore": 1001}, (400, "0x80044330")),
        ("opportunities", {"name": "x", "new_creditdecision": 9}, (400, "0x80044330")),
        ("opportunities", {"name": "x", "estimatedvalue": "12"}, (400, "0x80048d19")),
        ("opportunities", {"name": "x", "_customerid_value": FABRIKAM}, (400, "0x80060888")),
        ("opportunities", {"name": "x", "CustomerId@odata.bind": f"/accounts({FABRIKAM})"}, (400, "0x80048d19")),
        (
            "opportunities",
            {"name": "x", "customerid_account@odata.bind": f"/accounts({uuid.UUID(int=0)})"},
            (404, "0x80040217"),
        ),
        ("accounts", {"name": "x", "statecode": None}, (400, "0x80040203")),
        ("serviceendpoints", {"name": "x", "contract": 8}, (400, "0x80040203")),
        ("sdkmessageprocessingstepimages", {"name": "x"}, (400, "0x80040203")),
        ("nothings", {}, (404, "0x8006088a")),
    ],
)
def test_what_cannot_be_written_is_refused(
    application: Dataverse, path: str, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert error(application.call("POST", path, body)) == expected


def test_errors_carry_annotations_when_asked(application: Dataverse) -> None:
    plain = application.call("GET", "accounts?$select=nonsense").json()["error"]
    assert set(plain) == {"code", "message"}
    asked = application.call("GET", "accounts?$select=nonsense", Prefer='odata.include-annotations="*"').json()["error"]
    assert "@Microsoft.PowerApps.CDS.InnerError.Message" in asked


def test_delete_removes_the_row(application: Dataverse) -> None:
    row_id = application.create("accounts", {"name": "Gone"})
    assert application.call("DELETE", f"accounts({row_id})").status_code == 204
    assert error(application.call("GET", f"accounts({row_id})")) == (404, "0x80040217")
    assert error(application.call("DELETE", f"accounts({row_id})")) == (404, "0x80040217")


def test_a_single_column_can_be_read_set_and_cleared(application: Dataverse) -> None:
    row_id = application.create("accounts", {"name": "One column"})
    assert application.get(f"accounts({row_id})/name")["value"] == "One column"
    assert application.call("PUT", f"accounts({row_id})/fax", {"value": "+1"}).status_code == 204
    assert application.get(f"accounts({row_id})/fax")["value"] == "+1"
    assert application.call("DELETE", f"accounts({row_id})/fax").status_code == 204
    assert application.call("GET", f"accounts({row_id})/fax").status_code == 204


def test_a_stale_etag_also_protects_a_single_column(application: Dataverse) -> None:
    path = f"accounts({application.create('accounts', {'name': 'One column'})})"
    etag = application.get(path)["@odata.etag"]
    application.update(path, {"fax": "+1"})
    assert error(application.call("PUT", f"{path}/fax", {"value": "+2"}, If_Match=etag)) == (412, "0x80060882")
    assert error(application.call("DELETE", f"{path}/fax", If_Match=etag)) == (412, "0x80060882")
    assert application.get(f"{path}/fax")["value"] == "+1"


def test_a_lookup_is_set_and_cleared_by_reference(application: Dataverse) -> None:
    """`$ref` of a single-valued navigation property: PUT, GET and DELETE."""
    path = f"accounts({application.create('accounts', {'name': 'Daughter'})})/parentaccountid/$ref"
    assert application.call("PUT", path, {"@odata.id": f"{application.root}accounts({FABRIKAM})"}).status_code == 204
    assert application.get(path)["@odata.id"] == f"{application.root}accounts({FABRIKAM})"
    assert application.call("DELETE", path).status_code == 204
    assert application.call("GET", path).status_code == 204


def test_a_row_that_has_not_changed_is_not_sent_again(application: Dataverse) -> None:
    etag = application.get(f"accounts({FABRIKAM})")["@odata.etag"]
    assert application.call("GET", f"accounts({FABRIKAM})", If_None_Match=etag).status_code == 304
    assert application.call("GET", f"accounts({FABRIKAM})", If_None_Match="null").status_code == 200


def test_full_names_follow_first_and_last_names(application: Dataverse) -> None:
    row_id = application.create("contacts", {"firstname": "Grace", "lastname": "Hopper"})
    application.update(f"contacts({row_id})", {"lastname": "Murray"})
    assert application.get(f"contacts({row_id})?$select=fullname")["fullname"] == "Grace Murray"


def test_a_collection_cannot_be_patched(application: Dataverse) -> None:
    assert application.call("PATCH", "accounts", {"name": "all"}).status_code == 405


def test_an_opportunity_is_won_by_the_action(application: Dataverse) -> None:
    row_id = application.create("opportunities", {"name": "Won", "estimatedvalue": 10})
    close = {"opportunityid@odata.bind": f"/opportunities({row_id})", "actualend": "2026-11-20T10:00:00Z"}
    body = {"Status": 3, "OpportunityClose": close | {"actualrevenue": 12.5}}
    assert application.call("POST", "WinOpportunity", body).status_code == 204
    row = application.get(f"opportunities({row_id})?$select=statecode,statuscode,actualvalue,actualclosedate")
    assert (row["statecode"], row["statuscode"], row["actualvalue"], row["actualclosedate"]) == (
        1,
        3,
        12.5,
        "2026-11-20",
    )
    assert error(application.call("POST", "LoseOpportunity", body)) == (400, "0x80040515")


def test_an_opportunity_is_lost_by_the_action(application: Dataverse) -> None:
    row_id = application.create("opportunities", {"name": "Lost", "estimatedvalue": 10})
    close = {"opportunityid@odata.bind": f"/opportunities({row_id})"}
    application.call("POST", "LoseOpportunity", {"Status": -1, "OpportunityClose": close})
    row = application.get(f"opportunities({row_id})?$select=statecode,statuscode,actualvalue")
    assert (row["statecode"], row["statuscode"], row["actualvalue"]) == (2, 4, 10)

"""Whatever a request says is done or refused: options, parameters, properties and headers are not passed over."""

import gzip
import uuid
from typing import Any

import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse

FABRIKAM = "a0000000-0000-4000-8000-000000000001"
CRM = "Microsoft.Dynamics.CRM."
TABLES = "EntityDefinitions"
ACCOUNT = f"{TABLES}(LogicalName='account')"
COLUMNS = f"{ACCOUNT}/Attributes"
TEXT = {"@odata.type": f"{CRM}StringAttributeMetadata", "MaxLength": 100}
PRIMARY = {"Attributes": [TEXT | {"SchemaName": "new_Name", "IsPrimaryName": True}]}
CLOSING = {"opportunityid@odata.bind": "/opportunities(f0000000-0000-4000-8000-000000000001)"}


@pytest.mark.parametrize(
    ("status", "method", "path", "body"),
    [
        (501, "GET", "accounts?partitionId=x", None),
        (400, "GET", "accounts/$count?$top=1", None),
        (400, "GET", "accounts/$count?$select=other", None),
        (400, "GET", "accounts/$count?$expand=primarycontactid", None),
        (400, "DELETE", f"accounts({FABRIKAM})?$select=name", None),
        (400, "POST", "accounts", {"@odata.type": f"{CRM}contact", "name": "x"}),
        (400, "PATCH", f"accounts({FABRIKAM})", {"@odata.type": f"#{CRM}contact", "fax": "1"}),
        (400, "PUT", f"accounts({FABRIKAM})/fax", {"value": "1", "other": 1}),
        (400, "PUT", f"accounts({FABRIKAM})/fax", {}),
        (400, "POST", "WinOpportunity", {"Status": 3, "OpportunityClose": CLOSING, "Other": 1}),
        (400, "POST", "WinOpportunity", {"Status": 3, "OpportunityClose": CLOSING | {"other": 1}}),
        (400, "GET", f"{ACCOUNT}?$expand=Attributes($select=Other)", None),
        (400, "GET", f"{ACCOUNT}?$expand=Attributes($orderby=LogicalName)", None),
        (400, "GET", f"{TABLES}?$count=maybe", None),
        (400, "GET", f"{TABLES}?$filter=IsCustomizable/Other eq true", None),
        (400, "GET", f"{TABLES}?$filter=IsCustomizable eq true", None),
        (400, "GET", f"{TABLES}?$filter=DisplayName eq 'x'", None),
        (400, "GET", f"{TABLES}?$filter=LogicalName eq 5", None),
        (400, "GET", f"{TABLES}?$filter=IsCustomEntity eq 'x'", None),
        (400, "GET", f"{TABLES}?$filter=OwnershipType eq {CRM}Other'UserOwned'", None),
        (400, "GET", f"{TABLES}?$filter=OwnershipType eq {CRM}OwnershipTypes'Other'", None),
        (400, "GET", f"{ACCOUNT}/Keys?$filter=KeyAttributes eq 'x'", None),
        (400, "PUT", ACCOUNT, {"Other": 1}),
        (501, "PUT", ACCOUNT, {"IsActivity": True}),
        (400, "POST", TABLES, PRIMARY | {"SchemaName": "new_Ignored", "Other": 1}),
        (501, "POST", TABLES, PRIMARY | {"SchemaName": "new_Ignored", "TableType": "Elastic"}),
        (501, "POST", TABLES, PRIMARY | {"SchemaName": "new_Ignored", "IsActivity": True}),
        (400, "POST", COLUMNS, TEXT | {"SchemaName": "new_Ignored", "Other": 1}),
        (501, "POST", COLUMNS, TEXT | {"SchemaName": "new_Ignored", "AutoNumberFormat": "A-{SEQNUM:4}"}),
        (501, "POST", COLUMNS, TEXT | {"SchemaName": "new_Ignored", "SourceType": 1}),
        (400, "POST", COLUMNS, TEXT | {"SchemaName": "new_Ignored", "MaxLength": -1}),
        (400, "POST", COLUMNS, TEXT | {"SchemaName": "new_Ignored", "RequiredLevel": {"Value": "Maybe"}}),
        (
            400,
            "POST",
            COLUMNS,
            {"@odata.type": f"{CRM}IntegerAttributeMetadata", "SchemaName": "new_Ignored", "MinValue": "a"},
        ),
        (
            400,
            "POST",
            COLUMNS,
            {
                "@odata.type": f"{CRM}DateTimeAttributeMetadata",
                "SchemaName": "new_Ignored",
                "DateTimeBehavior": {"Value": "Sometimes"},
            },
        ),
        (400, "POST", f"{ACCOUNT}/Keys", {"SchemaName": "new_Ignored", "KeyAttributes": ["fax", "fax"]}),
        (400, "POST", f"{ACCOUNT}/Keys", {"SchemaName": "new_Ignored", "KeyAttributes": [{}]}),
        (400, "POST", f"{ACCOUNT}/Keys", {"SchemaName": "new_Ignored", "KeyAttributes": True}),
        (400, "POST", f"{ACCOUNT}/Keys", {"SchemaName": "new_Ignored", "KeyAttributes": ["fax"], "Other": 1}),
    ],
)
def test_it_is_refused(
    application: Dataverse, status: int, method: str, path: str, body: dict[str, Any] | None
) -> None:
    answer = application.call(method, path, body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (501, {"Accept": "application/json;odata.metadata=full"}),
        (501, {"Accept": "application/json; odata.metadata=none"}),
        (406, {"Accept": "application/xml"}),
        (400, {"OData-Version": "3.0"}),
        (400, {"OData-MaxVersion": "3.0"}),
        (200, {"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"}),
        (200, {"OData-MaxVersion": "4.0", "OData-Version": "4.0", "Accept": "application/json;odata.metadata=minimal"}),
    ],
)
def test_headers_that_ask_for_another_form(application: Dataverse, status: int, headers: dict[str, str]) -> None:
    url, token = f"{application.root}accounts?$top=1", {"Authorization": f"Bearer {application.token}"}
    assert application.stand_in.http.get(url, headers=headers | token).status_code == status


def test_a_body_that_says_it_is_not_json_is_refused(application: Dataverse) -> None:
    headers = {"Authorization": f"Bearer {application.token}", "Content-Type": "text/plain"}
    answer = application.stand_in.http.post(f"{application.root}accounts", '{"name": "x"}', headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize("body", [gzip.compress(b'{"name": "x"}', mtime=0), b"not gzip"], ids=["gzip", "not gzip"])
def test_a_compressed_body_is_refused(application: Dataverse, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {application.token}", "Content-Type": "application/json"}
    url, http = f"{application.root}accounts", application.stand_in.http
    assert http.post(url, body, headers=headers | {"Content-Encoding": "gzip"}).status_code == 415


def test_nested_options_of_definitions_are_carried_out(application: Dataverse) -> None:
    wanted = f"AttributeType eq {CRM}AttributeTypeCode'Money'"
    found = application.get(f"{ACCOUNT}?$select=LogicalName&$expand=Attributes($select=LogicalName;$filter={wanted})")
    assert {column["LogicalName"] for column in found["Attributes"]} >= {"revenue"}
    assert all("AttributeType" not in column for column in found["Attributes"])
    every = application.get(f"{ACCOUNT}/Attributes?$filter={wanted}&$select=LogicalName")["value"]
    assert len(found["Attributes"]) == len(every)


def test_relationships_of_a_table_are_found_by_name_and_by_type(application: Dataverse) -> None:
    listed = f"{ACCOUNT}/OneToManyRelationships"
    one = application.get(f"{listed}?$select=SchemaName")["value"][0]["SchemaName"]
    assert application.get(f"{listed}(SchemaName='{one}')")["SchemaName"] == one
    cast = application.get(f"{listed}/{CRM}OneToManyRelationshipMetadata?$select=SchemaName")["value"]
    assert one in {each["SchemaName"] for each in cast}
    assert application.call("GET", f"{listed}(SchemaName='nothing')").status_code == 404


def test_parts_of_properties_are_read(application: Dataverse) -> None:
    """Raw values, columns behind a lookup, and what is inside a property of a definition."""
    assert application.call("GET", f"accounts({FABRIKAM})/emailaddress1/$value").text == "info@fabrikam.example"
    contact = "contacts(b0000000-0000-4000-8000-000000000001)"
    behind = application.get(f"{contact}/parentcustomerid_account/emailaddress1")
    assert behind["value"] == "info@fabrikam.example"
    assert (
        application.get(f"{COLUMNS}(LogicalName='name')/DisplayName/UserLocalizedLabel/LanguageCode")["value"] == 1033
    )
    assert application.call("GET", f"{COLUMNS}(LogicalName='name')/DisplayName/Other").status_code == 404
    assert application.call("GET", f"{ACCOUNT}/LogicalName/$value").text == "account"


def test_settings_without_effect_are_given_back(application: Dataverse) -> None:
    """Those of forms, search and auditing, of a table and of its columns."""
    name = f"new_Kept{uuid.uuid4().hex[:6]}"
    primary = PRIMARY["Attributes"][0] | {"IsAuditEnabled": {"Value": True}, "ImeMode": "Disabled"}
    settings = {"IsAuditEnabled": {"Value": True}, "EntityColor": "#0000ff", "IsQuickCreateEnabled": True}
    assert application.call("POST", TABLES, settings | {"SchemaName": name, "Attributes": [primary]}).status_code == 204
    path = f"{TABLES}(LogicalName='{name.lower()}')"
    found = application.get(path)
    assert (found["IsAuditEnabled"]["Value"], found["EntityColor"], found["IsQuickCreateEnabled"]) == (
        True,
        "#0000ff",
        True,
    )
    column = application.get(f"{path}/Attributes(LogicalName='new_name')")
    assert (column["IsAuditEnabled"]["Value"], column["ImeMode"]) == (True, "Disabled")
    wanted = f"{TABLES}?$filter=IsAuditEnabled/Value eq true&$select=LogicalName"
    assert name.lower() in [each["LogicalName"] for each in application.get(wanted)["value"]]
    assert application.call("DELETE", path).status_code == 204


def test_a_definition_can_be_sent_back_as_it_was_read(application: Dataverse) -> None:
    """PUT replaces the whole definition, so clients read it, change it and send it all."""
    table = application.get(ACCOUNT)
    assert application.call("PUT", ACCOUNT, table).status_code == 204
    column = application.get(f"{COLUMNS}(LogicalName='revenue')")
    assert application.call("PUT", f"{COLUMNS}(LogicalName='revenue')", column).status_code == 204
    assert application.get(f"{COLUMNS}(LogicalName='revenue')") == column
    assert application.get(ACCOUNT) == table

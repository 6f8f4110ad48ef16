"""Definitions: every client finds the table, column or key that it asks for, and no other; what is changed stays."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import requests

from tests.contract.sandbox.systems.dataverse_client import Dataverse, sign_in
from tests.contract.sandbox.systems.stand_in import Start

ACCOUNT = "EntityDefinitions(LogicalName='account')"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


def label(text: str) -> dict[str, object]:
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]}


def string(name: str, **more: object) -> dict[str, object]:
    kind = "Microsoft.Dynamics.CRM.StringAttributeMetadata"
    return {"@odata.type": kind, "SchemaName": name, "DisplayName": label(name), "MaxLength": 100} | more


def refusal(answer: requests.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["code"].startswith("0x")
    assert error["message"]
    return answer.status_code, error["code"]


def made(answer: requests.Response) -> str:
    assert answer.status_code == 204, answer.text
    return answer.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")


@pytest.fixture
def table(application: Dataverse) -> Iterator[tuple[str, str]]:
    """A table of its own, by logical name and MetadataId, with a column new_code."""
    name = f"new_Part{uuid.uuid4().hex[:8]}"
    columns = [string("new_Name", IsPrimaryName=True), string("new_Code")]
    body = {"SchemaName": name, "DisplayName": label("Part"), "OwnershipType": "UserOwned", "Attributes": columns}
    metadata_id = made(application.call("POST", "EntityDefinitions", body))
    yield name.lower(), metadata_id
    application.call("DELETE", f"EntityDefinitions({metadata_id})")


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("LogicalName eq 'task'", {"task"}),
        ("LogicalName eq 'nothing'", set()),
        ("IsPrivate eq false and (SchemaName eq 'Lead' or SchemaName eq 'Contact')", {"lead", "contact"}),
        ("ChangeTrackingEnabled eq true and LogicalName ne 'account'", {"contact", "opportunity", "lead", "incident"}),
        (
            "OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'BusinessOwned'",
            {"role", "systemuser", "businessunit"},
        ),
        ("CanChangeTrackingBeEnabled/Value eq false and LogicalName eq 'solution'", {"solution"}),
        ("LogicalName eq @name&@name='lead'", {"lead"}),
    ],
)
def test_filters_choose_definitions(application: Dataverse, expression: str, names: set[str]) -> None:
    found = application.get(f"EntityDefinitions?$select=LogicalName&$filter={expression}")["value"]
    assert {each["LogicalName"] for each in found} == names
    assert all(each.keys() == {"LogicalName", "MetadataId"} for each in found)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("EntityDefinitions?$filter=Nonsense eq 1", 400),
        ("EntityDefinitions?$filter=startswith(LogicalName,'a')", 501),
        ("EntityDefinitions?$top=1", 400),
        ("EntityDefinitions?$orderby=LogicalName", 400),
        ("EntityDefinitions?$select=Nonsense", 400),
        ("EntityDefinitions?$expand=Nonsense", 400),
        (f"{ACCOUNT}?$filter=LogicalName eq 'account'", 400),
        (f"{ACCOUNT}/Nonsense", 404),
        (f"{ACCOUNT}/Attributes/Microsoft.Dynamics.CRM.NonsenseAttributeMetadata", 404),
        (f"{ACCOUNT}/Attributes(LogicalName='name')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata", 404),
        (f"{ACCOUNT}/Attributes(LogicalName='nonsense')", 404),
        (f"{ACCOUNT}/Keys(LogicalName='nonsense')", 404),
        ("EntityDefinitions(LogicalName='nonsense')", 404),
        (f"EntityDefinitions({uuid.UUID(int=1)})", 404),
        ("EntityDefinitions(Name='account')", 400),
        ("GlobalOptionSetDefinitions", 501),
        ("RetrieveMetadataChanges(Query=@p1)?@p1={}", 501),
    ],
)
def test_what_cannot_be_answered_is_refused(application: Dataverse, path: str, status: int) -> None:
    """Nothing is ignored: a client that asks for one thing never gets all."""
    assert refusal(application.call("GET", path))[0] == status


def test_a_table_is_found_by_its_metadata_id(application: Dataverse) -> None:
    account = application.get(f"{ACCOUNT}?$select=EntitySetName")
    by_id = application.get(f"EntityDefinitions({account['MetadataId']})")
    assert (by_id["LogicalName"], by_id["EntitySetName"]) == ("account", "accounts")
    assert application.get(f"{ACCOUNT}/EntitySetName")["value"] == "accounts"


def test_every_definition_has_an_id_of_its_own(application: Dataverse) -> None:
    """The same column on three tables is three definitions; each id leads back to its own."""
    seen: dict[str, tuple[str, str]] = {}
    for table in ("account", "contact", "opportunity"):
        for part in ("Attributes", "Keys"):
            for each in application.get(f"EntityDefinitions(LogicalName='{table}')/{part}")["value"]:
                assert each["MetadataId"] not in seen
                seen[each["MetadataId"]] = (table, each["LogicalName"])
    number = application.get("EntityDefinitions(LogicalName='contact')/Keys(LogicalName='new_erpnumberkey')")
    assert (number["SchemaName"], number["KeyAttributes"]) == ("new_ERPNumberKey", ["new_erpnumber"])
    by_id = application.get(f"EntityDefinitions(LogicalName='contact')/Keys({number['MetadataId']})")
    assert by_id["LogicalName"] == "new_erpnumberkey"


def test_columns_have_the_types_and_labels_of_the_web_api(application: Dataverse) -> None:
    columns = {each["LogicalName"]: each for each in application.get(f"{ACCOUNT}/Attributes")["value"]}
    name, currency = columns["name"], columns["transactioncurrencyid"]
    assert name["@odata.type"] == "#Microsoft.Dynamics.CRM.StringAttributeMetadata"
    assert name["DisplayName"]["UserLocalizedLabel"]["Label"] == "Account Name"
    assert name["DisplayName"]["LocalizedLabels"][0]["LanguageCode"] == 1033
    assert name["RequiredLevel"]["Value"] == "ApplicationRequired"
    assert name["AttributeTypeName"] == {"Value": "StringType"}
    assert currency["Targets"] == ["transactioncurrency"]
    assert not {"OptionSet", "NavigationProperties"} & {key for each in columns.values() for key in each}


def test_choices_are_seen_after_a_cast(application: Dataverse) -> None:
    """An option set is expanded, as it belongs to the type of the column."""
    cast = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    found = application.get(f"{ACCOUNT}/Attributes/{cast}?$select=LogicalName&$expand=OptionSet($select=Options)")
    by_name = {each["LogicalName"]: each for each in found["value"]}
    assert set(by_name) == {"industrycode", "customertypecode", "paymenttermscode", "new_syncstatus", "new_erpcredit"}
    options = by_name["new_syncstatus"]["OptionSet"]["Options"]
    assert [(each["Value"], each["Label"]["UserLocalizedLabel"]["Label"]) for each in options] == [
        (1, "Synced"),
        (2, "Failed"),
    ]
    one = application.get(f"{ACCOUNT}/Attributes(LogicalName='industrycode')/{cast}/OptionSet")
    assert one["Options"][0]["Value"] == 1
    uncast = application.call("GET", f"{ACCOUNT}/Attributes(LogicalName='industrycode')?$expand=OptionSet")
    assert refusal(uncast)[0] == 400


def test_a_filter_on_columns_takes_members_of_enumerations(application: Dataverse) -> None:
    wanted = "AttributeType eq Microsoft.Dynamics.CRM.AttributeTypeCode'Memo'"
    found = application.get(f"{ACCOUNT}/Attributes?$select=LogicalName&$filter={wanted}")["value"]
    assert [each["LogicalName"] for each in found] == ["description"]


def test_relationships_name_both_ends(application: Dataverse) -> None:
    found = application.get(f"{ACCOUNT}/ManyToOneRelationships")["value"]
    (parent,) = [each for each in found if each["ReferencingAttribute"] == "parentaccountid"]
    assert (parent["ReferencedEntity"], parent["ReferencedAttribute"]) == ("account", "accountid")
    by_id = application.get(f"RelationshipDefinitions({parent['MetadataId']})")
    assert by_id["SchemaName"] == parent["SchemaName"]
    assert application.get(f"{ACCOUNT}/ManyToManyRelationships")["value"] == []
    assert refusal(application.call("POST", "RelationshipDefinitions", {}))[0] == 501


def test_a_new_table_takes_rows(application: Dataverse, table: tuple[str, str]) -> None:
    name, metadata_id = table
    definition = application.get(f"EntityDefinitions({metadata_id})")
    assert (definition["LogicalName"], definition["PrimaryNameAttribute"]) == (name, "new_name")
    assert definition["IsCustomEntity"] is True
    row_id = application.create(definition["EntitySetName"], {"new_name": "Bolt", "new_code": "B-1"})
    row = application.get(f"{definition['EntitySetName']}({row_id})")
    assert (row["new_code"], row["statecode"], row[definition["PrimaryIdAttribute"]]) == ("B-1", 0, row_id)
    twin = {"SchemaName": definition["SchemaName"], "Attributes": [string("new_Name", IsPrimaryName=True)]}
    assert refusal(application.call("POST", "EntityDefinitions", twin)) == (400, "0x80047010")


def test_a_deleted_table_takes_nothing_with_it(application: Dataverse, table: tuple[str, str]) -> None:
    """Its own rows and definition are deleted, those of every other table stay; system tables cannot be deleted."""
    name, metadata_id = table
    before = len(application.get("accounts?$select=name")["value"])
    set_name = application.get(f"EntityDefinitions({metadata_id})?$select=EntitySetName")["EntitySetName"]
    assert application.call("DELETE", f"EntityDefinitions({metadata_id})").status_code == 204
    assert refusal(application.call("GET", set_name))[0] == 404
    assert refusal(application.call("GET", f"EntityDefinitions(LogicalName='{name}')"))[0] == 404
    assert len(application.get("accounts?$select=name")["value"]) == before
    assert refusal(application.call("DELETE", ACCOUNT))[0] == 400


def test_columns_are_added_changed_and_deleted(application: Dataverse, table: tuple[str, str]) -> None:
    """A new column needs its type alone; a PUT changes what it names; a deleted column is removed from the rows."""
    path = f"EntityDefinitions({table[1]})/Attributes"
    set_name = application.get(f"EntityDefinitions({table[1]})?$select=EntitySetName")["EntitySetName"]
    column = made(application.call("POST", path, string("new_Colour")))
    row_id = application.create(set_name, {"new_name": "Nut", "new_colour": "red"})
    whole = application.get(f"{path}({column})/Microsoft.Dynamics.CRM.StringAttributeMetadata")
    assert whole["MaxLength"] == 100
    assert application.call("PUT", f"{path}({column})", whole | {"MaxLength": 3}).status_code == 204
    assert refusal(application.call("POST", set_name, {"new_colour": "green"})) == (400, "0x80044331")
    assert application.call("DELETE", f"{path}({column})").status_code == 204
    assert "new_colour" not in application.get(f"{set_name}({row_id})")
    assert application.call("PATCH", f"{set_name}({row_id})", {"new_name": "Nuts"}).status_code == 204
    assert refusal(application.call("DELETE", f"{path}(LogicalName='new_name')"))[0] == 400
    wrong = string("new_Weight") | {"@odata.type": "Microsoft.Dynamics.CRM.NonsenseAttributeMetadata"}
    assert refusal(application.call("POST", path, wrong))[0] == 400
    lookup = string("new_Maker") | {"@odata.type": "Microsoft.Dynamics.CRM.LookupAttributeMetadata"}
    assert refusal(application.call("POST", path, lookup))[0] == 501


def test_keys_are_added_and_deleted(application: Dataverse, table: tuple[str, str]) -> None:
    definition = application.get(f"EntityDefinitions({table[1]})")
    path, set_name = f"EntityDefinitions({table[1]})/Keys", definition["EntitySetName"]
    key = made(application.call("POST", path, {"SchemaName": "new_CodeKey", "KeyAttributes": ["new_code"]}))
    application.create(set_name, {"new_code": "K-1"})
    assert application.get(f"{set_name}(new_code='K-1')")["new_code"] == "K-1"
    assert refusal(application.call("POST", set_name, {"new_code": "K-1"})) == (412, "0x80060892")
    assert (
        refusal(application.call("DELETE", f"{path.replace('/Keys', '/Attributes')}(LogicalName='new_code')"))[0] == 400
    )
    assert application.call("DELETE", f"{path}({key})").status_code == 204
    application.create(set_name, {"new_code": "K-1"})
    assert refusal(application.call("GET", f"{set_name}(new_code='K-1')"))[0] == 400
    again = {"SchemaName": "new_CodeKey", "KeyAttributes": ["new_code"]}
    assert refusal(application.call("POST", path, again)) == (412, "0x80060892")


def test_change_tracking_is_enabled_for_good(application: Dataverse, table: tuple[str, str]) -> None:
    path = f"EntityDefinitions({table[1]})"
    definition = application.get(path)
    assert application.call("PUT", path, definition | {"ChangeTrackingEnabled": True}).status_code == 204
    tracked = application.get(definition["EntitySetName"], Prefer="odata.track-changes")
    assert "@odata.deltaLink" in tracked
    assert refusal(application.call("PUT", path, definition | {"ChangeTrackingEnabled": False}))[0] == 400


def test_components_go_into_solutions_that_exist(application: Dataverse, table: tuple[str, str]) -> None:
    path = f"EntityDefinitions({table[1]})/Attributes"
    headers = {"MSCRM.SolutionUniqueName": f"s{uuid.uuid4().hex[:8]}"}
    assert refusal(application.call("POST", path, string("new_Size"), **headers)) == (404, "0x80040217")
    publisher = application.get("publishers?$filter=customizationprefix eq 'new'")["value"][0]["publisherid"]
    solution: dict[str, object] = {"uniquename": headers["MSCRM.SolutionUniqueName"], "friendlyname": "One"}
    application.create("solutions", solution | {"publisherid@odata.bind": f"/publishers({publisher})"})
    assert application.call("POST", path, string("new_Size"), **headers).status_code == 204


def test_the_service_document_and_the_metadata_document_agree(application: Dataverse) -> None:
    """Every entity set that is listed has a type in $metadata, with its key and its navigation properties."""
    document = application.get("")
    answer = application.call("GET", "$metadata")
    assert answer.headers["Content-Type"].startswith("application/xml")
    schema = ET.fromstring(answer.text).find(f".//{EDM}Schema")  # noqa: S314 -- our own document
    assert schema is not None
    sets = {each.get("Name"): each.get("EntityType") for each in schema.iter(f"{EDM}EntitySet")}
    assert {each["name"] for each in document["value"]} == set(sets)
    types = {f"mscrm.{each.get('Name')}": each for each in schema.iter(f"{EDM}EntityType")}
    account = types["mscrm.account"]
    assert [each.get("Name") for each in account.iter(f"{EDM}PropertyRef")] == ["accountid"]
    properties = {each.get("Name"): each.get("Type") for each in account.iter(f"{EDM}Property")}
    assert set(properties) == set(application.get("accounts?$top=1")["value"][0]) - {"@odata.etag"}
    navigation = {each.get("Name"): each.get("Type") for each in account.iter(f"{EDM}NavigationProperty")}
    assert (navigation["primarycontactid"], navigation["ownerid"]) == ("mscrm.contact", "mscrm.principal")
    assert navigation["contact_customer_accounts"] == "Collection(mscrm.contact)"
    assert all(str(kind).removeprefix("Collection(").rstrip(")") in types for kind in navigation.values())


def test_changed_definitions_survive_a_kill(start: Start, tmp_path: Path) -> None:
    stand_in = start("dataverse", "--state", tmp_path, scheme="https", verify=tmp_path / "ca.pem")
    dataverse = sign_in(stand_in, "application")
    columns = [string("new_Name", IsPrimaryName=True)]
    dataverse.call("POST", "EntityDefinitions", {"SchemaName": "new_Kept", "Attributes": columns})
    dataverse.call("POST", f"{ACCOUNT}/Attributes", string("new_Kept"))
    stand_in.kill()
    stand_in.start_again()
    dataverse.create("new_kepts", {"new_name": "there"})
    dataverse.create("accounts", {"name": "A", "new_kept": "there"})

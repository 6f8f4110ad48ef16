"""Security roles: what belongs to them, who has them, and what users without a privilege are answered."""

import uuid
from collections.abc import Iterator

import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse, sign_in

CRM = "Microsoft.Dynamics.CRM"
OF_THE_PLATFORM = 9
"""Privileges that a new role has by itself."""


@pytest.fixture
def person(application: Dataverse) -> Dataverse:
    return sign_in(application.stand_in, "human")


@pytest.fixture
def role(person: Dataverse) -> Iterator[str]:
    unit = person.get("businessunits?$select=businessunitid")["value"][0]["businessunitid"]
    body: dict[str, object] = {"name": uuid.uuid4().hex, "businessunitid@odata.bind": f"/businessunits({unit})"}
    made = person.create("roles", body)
    yield made
    assert person.call("DELETE", f"roles({made})").status_code == 204


@pytest.fixture
def demoted(application: Dataverse, person: Dataverse, role: str) -> Iterator[str]:
    """The application user has this role in place of System Administrator."""
    user = application.get("WhoAmI")["UserId"]
    administrator = person.get("roles?$filter=name eq 'System Administrator'&$select=roleid")["value"][0]["roleid"]
    association = f"systemusers({user})/systemuserroles_association"
    assert person.call("POST", f"{association}/$ref", {"@odata.id": f"{person.root}roles({role})"}).status_code == 204
    path = f"{association}/$ref?$id={person.root}roles({administrator})"
    assert person.call("DELETE", path).status_code == 204
    yield role
    back = {"@odata.id": f"{person.root}roles({administrator})"}
    assert person.call("POST", f"{association}/$ref", back).status_code == 204


def privileges(person: Dataverse, role: str) -> dict[str, str]:
    found = person.get(f"RetrieveRolePrivilegesRole(RoleId={role})")["RolePrivileges"]
    return {it["PrivilegeName"]: it["Depth"] for it in found}


def privilege_id(person: Dataverse, name: str) -> str:
    found = person.get(f"privileges?$filter=name eq '{name}'&$select=privilegeid")["value"]
    return str(found[0]["privilegeid"])


def given(person: Dataverse, name: str, depth: str = "Global") -> dict[str, object]:
    return {"Privileges": [{"Depth": depth, "PrivilegeId": privilege_id(person, name)}]}


def test_the_platform_gives_a_role_privileges_that_replacing_them_does_not_take(person: Dataverse, role: str) -> None:
    """As users report it; RemovePrivilegeRole takes each of them."""
    assert len(privileges(person, role)) == OF_THE_PLATFORM
    body = given(person, "prvReadAccount", "Local")
    assert person.call("POST", f"roles({role})/{CRM}.ReplacePrivilegesRole", body).status_code == 204
    left = privileges(person, role)
    assert left.pop("prvReadAccount") == "Local"
    assert sorted(left) == [
        "prvCreateSharePointData", "prvReadSharePointData", "prvReadSharePointDocument", "prvWriteSharePointData",
    ]  # fmt: skip
    for name in left:
        privilege = {"@odata.type": f"{CRM}.privilege", "privilegeid": privilege_id(person, name)}
        body = {"Privilege": privilege}
        assert person.call("POST", f"roles({role})/{CRM}.RemovePrivilegeRole", body).status_code == 204
    assert privileges(person, role) == {"prvReadAccount": "Local"}
    assert person.get(f"roles({role})/roleprivileges_association?$select=name")["value"][0]["name"] == "prvReadAccount"


def test_a_definition_names_the_privileges_of_its_table(person: Dataverse, role: str) -> None:
    found = person.get("EntityDefinitions(LogicalName='account')?$select=Privileges")["Privileges"]
    assert {it["PrivilegeType"]: it["Name"] for it in found}["Read"] == "prvReadAccount"
    currency = person.get("EntityDefinitions(LogicalName='transactioncurrency')/Privileges")["value"]
    assert {it["CanBeLocal"] for it in currency} == {False}
    body = given(person, "prvReadTransactionCurrency", "Local")
    refused = person.call("POST", f"roles({role})/{CRM}.AddPrivilegesRole", body)
    assert "does not support the depth Local" in refused.json()["error"]["message"]


def test_a_user_without_a_privilege_is_refused_in_the_words_of_the_platform(
    application: Dataverse, person: Dataverse, demoted: str
) -> None:
    refused = application.call("GET", "accounts?$top=1")
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (403, "0x80040220")
    assert "is missing prvReadAccount privilege" in error["message"]
    person.call("POST", f"roles({demoted})/{CRM}.AddPrivilegesRole", given(person, "prvReadAccount"))
    application.get("accounts?$top=1")
    for method, path, body in (
        ("POST", "accounts", {"name": "x"}),
        ("GET", "accounts?$top=1&$expand=primarycontactid", None),
        ("GET", "contacts/$count", None),
        ("POST", "EntityDefinitions", {}),
        ("GET", "EntityDefinitions?$select=LogicalName", None),
        ("POST", "roles", {"name": "x"}),
    ):
        assert application.call(method, path, body).status_code == 403, path
    somebody = {"CallerObjectId": person.environment["human"]["object_id"]}
    assert application.call("GET", "accounts?$top=1", **somebody).status_code == 403


def test_the_execute_privilege_of_a_custom_api_is_asked_for(
    application: Dataverse, person: Dataverse, demoted: str
) -> None:
    name = f"new_Guarded{uuid.uuid4().hex[:8]}"
    texts = dict.fromkeys(("uniquename", "name", "displayname", "description"), name)
    kind = {"bindingtype": 0, "allowedcustomprocessingsteptype": 1, "executeprivilegename": "prvReadAccount"}
    made = person.create("customapis", texts | kind)
    assert application.call("POST", name, {}).status_code == 403
    person.call("POST", f"roles({demoted})/{CRM}.AddPrivilegesRole", given(person, "prvReadAccount"))
    assert application.call("POST", name, {}).status_code == 204
    person.call("DELETE", f"customapis({made})")


def test_the_user_of_an_application_is_made_once_and_only_for_one_that_the_tenant_has(person: Dataverse) -> None:
    unit = person.get("businessunits?$select=businessunitid")["value"][0]["businessunitid"]
    bind = {"businessunitid@odata.bind": f"/businessunits({unit})"}
    unknown = person.call("POST", "systemusers", {"applicationid": str(uuid.uuid4()), **bind})
    assert "was not found in the tenant" in unknown.json()["error"]["message"]
    known = {"applicationid": person.environment["application"]["client_id"], **bind}
    assert person.call("POST", "systemusers", known).status_code == 412


def test_system_administrator_cannot_be_changed(person: Dataverse) -> None:
    role = person.get("roles?$filter=name eq 'System Administrator'&$select=roleid")["value"][0]["roleid"]
    body = given(person, "prvReadAccount")
    assert person.call("POST", f"roles({role})/{CRM}.ReplacePrivilegesRole", body).status_code == 400

"""Every known difference of the stand-in is on its page, and every one on the page is still there."""

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.systems.dataverse import elsewhere
from tests.contract.sandbox.differences import listed
from tests.contract.sandbox.systems.dataverse_client import (
    Dataverse,
    Receiver,
    register_step,
    register_webhook,
    sign_in,
)
from tests.contract.sandbox.systems.virtual_table import data_source, remove, virtual_table

FABRIKAM = "a0000000-0000-4000-8000-000000000001"
CRM = "Microsoft.Dynamics.CRM."


def absent(dataverse: Dataverse, method: str, path: str, body: object = None) -> None:
    answer = dataverse.call(method, path, body)
    assert answer.status_code == 501, f"{method} {path} is answered: {answer.status_code}"


def refused(*requests: tuple[str, str]) -> Callable[[Dataverse, Receiver], None]:
    def probe(dataverse: Dataverse, _: Receiver) -> None:
        for method, path in requests:
            absent(dataverse, method, path, None if method == "GET" else {})

    return probe


def fetch(inner: str, options: str = "") -> str:
    return "accounts?fetchXml=" + quote(f"<fetch {options}><entity name='account'>{inner}</entity></fetch>", safe="")


def no_collections_of_users(dataverse: Dataverse, _: Receiver) -> None:
    assert dataverse.call("GET", "systemusers?$expand=user_accounts").status_code == 400
    assert dataverse.call("GET", "systemusers?$filter=lk_contactbase_createdby/any()").status_code == 400
    found = dataverse.get("RelationshipDefinitions/Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata")["value"]
    assert found == []


def no_new_kinds(dataverse: Dataverse, _: Receiver) -> None:
    path = "EntityDefinitions(LogicalName='account')/Attributes"
    for kind in ("Lookup", "File", "Image"):
        absent(dataverse, "POST", path, {"@odata.type": f"{CRM}{kind}AttributeMetadata", "SchemaName": "new_X"})
    absent(dataverse, "POST", "RelationshipDefinitions", {})
    absent(dataverse, "GET", "GlobalOptionSetDefinitions")


def steps_on_some_messages(dataverse: Dataverse, _: Receiver) -> None:
    names = {row["name"] for row in dataverse.get("sdkmessages?$select=name")["value"]}
    external = {"OnExternalCreated", "OnExternalUpdated", "OnExternalDeleted"}
    assert names - external == {
        "Create", "Update", "Delete", "Merge", "Win", "Lose", "CreateMultiple", "UpdateMultiple",
        "Assign", "SetState", "SetStateDynamicEntity",
    }, "beside those of custom APIs"  # fmt: skip


def no_joins_with_virtual(dataverse: Dataverse, _: Receiver) -> None:
    source = data_source(dataverse, "https://erp.example/odata")
    virtual_table(dataverse, source)
    try:
        fetch = "<fetch {}><entity name='new_course'>{}</entity></fetch>"
        join = "<link-entity name='account' from='name' to='new_coursename'/>"
        for query in (fetch.format("", join), fetch.format("distinct='true'", "")):
            absent(dataverse, "GET", "new_courses?fetchXml=" + quote(query, safe=""))
        absent(dataverse, "GET", "new_courses/$count")
        absent(dataverse, "GET", "new_courses?$expand=new_x")
        part = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET new_courses HTTP/1.1"
        batch = f"--b\r\n{part}\r\n\r\n\r\n--b--\r\n"
        answer = dataverse.stand_in.http.post(
            f"{dataverse.root}$batch", data=batch, timeout=30,
            headers={"Authorization": f"Bearer {dataverse.token}", "Content-Type": "multipart/mixed; boundary=b"},
        )  # fmt: skip
        assert "HTTP/1.1 501" in answer.text
        assert len(dataverse.get("entitydataproviders")["value"]) == 1
    finally:
        remove(dataverse, source)


BUS = {"namespaceaddress": "sb://localhost", "path": "work", "saskeyname": "sender", "saskey": "x"}


def only_keys_and_text(dataverse: Dataverse, _: Receiver) -> None:
    queue = {"name": "queue", "contract": 2, "connectionmode": 1, "authtype": 2} | BUS
    absent(dataverse, "POST", "serviceendpoints", queue | {"authtype": 7})
    absent(dataverse, "POST", "serviceendpoints", queue | {"messageformat": 1})
    relay = dataverse.create("serviceendpoints", {"name": "relay", "contract": 1, "connectionmode": 1, "authtype": 2})
    register_step(dataverse, relay, "Update", "account")
    dataverse.update(f"accounts({FABRIKAM})", {"fax": "1"})
    dataverse.quiet()
    assert dataverse.stand_in.control("GET", "events").json() == []


def no_federated_credential(dataverse: Dataverse, _: Receiver) -> None:
    ids = {"applicationid": FABRIKAM, "tenantid": FABRIKAM}
    body = {"name": "identity", "credentialsource": 2, "subjectscope": 1, **ids}
    bound = f"/managedidentities({dataverse.create('managedidentities', body)})"
    queue = {"name": "of an identity", "contract": 2, "authtype": 9, "managedidentityid@odata.bind": bound} | BUS
    endpoint = dataverse.create("serviceendpoints", queue)
    asked = f"GetComponentManagedIdentityFIC(ComponentId={endpoint},ComponentName='ServiceEndpoint')"
    assert dataverse.get(asked)["FICSubject"].startswith("sandbox/")


def only_some_actions(dataverse: Dataverse, _: Receiver) -> None:
    texts = dict.fromkeys(("uniquename", "name", "displayname", "description"), "new_Bound")
    collection = {"bindingtype": 2, "boundentitylogicalname": "account"}
    for kind in (collection, {"bindingtype": 0, "isfunction": True}):
        absent(dataverse, "POST", "customapis", texts | {"allowedcustomprocessingsteptype": 1} | kind)
    absent(dataverse, "GET", "plugintypes")


def components_of_some_kinds(dataverse: Dataverse, _: Receiver) -> None:
    body = {"ComponentId": FABRIKAM, "ComponentType": 60, "SolutionUniqueName": "integration"}
    absent(dataverse, "POST", "AddSolutionComponent", body | {"AddRequiredComponents": False})
    absent(dataverse, "POST", "ExportSolution", {})


def security_is_by_table(dataverse: Dataverse, _: Receiver) -> None:
    """A role whose privileges end at the business unit, and allow to read and write accounts only."""
    person = sign_in(dataverse.stand_in, "human")
    user = dataverse.get("WhoAmI")["UserId"]
    names = ("prvReadAccount", "prvWriteAccount")
    unit = person.get("businessunits?$select=businessunitid")["value"][0]["businessunitid"]
    role = person.create("roles", {"name": "Narrow", "businessunitid@odata.bind": f"/businessunits({unit})"})
    where = " or ".join(f"name eq '{name}'" for name in names)
    found = person.get(f"privileges?$filter={where}&$select=privilegeid")["value"]
    listed = [{"Depth": "Local", "PrivilegeId": it["privilegeid"]} for it in found]
    action = f"roles({role})/{CRM}AddPrivilegesRole"
    absent(person, "POST", action, {"Privileges": [{**listed[0], "Depth": "Basic"}]})
    assert person.call("POST", action, {"Privileges": listed}).status_code == 204
    administrator = person.get("roles?$filter=name eq 'System Administrator'&$select=roleid")["value"][0]["roleid"]
    roles = f"systemusers({user})/systemuserroles_association"
    person.call("POST", f"{roles}/$ref", {"@odata.id": f"{person.root}roles({role})"})
    person.call("DELETE", f"{roles}({administrator})/$ref")
    try:
        contact = "b0000000-0000-4000-8000-000000000001"
        dataverse.update(f"accounts({FABRIKAM})", {"primarycontactid@odata.bind": f"/contacts({contact})"})
        joined = "<link-entity name='contact' from='contactid' to='primarycontactid'><attribute name='fullname'/>"
        dataverse.get(fetch(f"<attribute name='name'/>{joined}</link-entity>"))
        assert dataverse.call("GET", "contacts").status_code == 403
    finally:
        person.call("POST", f"{roles}/$ref", {"@odata.id": f"{person.root}roles({administrator})"})
        person.call("DELETE", f"roles({role})")


def depth_is_one(dataverse: Dataverse, receiver: Receiver) -> None:
    endpoint = register_webhook(dataverse, receiver.url)
    register_step(dataverse, endpoint, "Update", "account", mode=0)
    for _ in range(2):
        dataverse.update(f"accounts({FABRIKAM})", {"fax": "1"})
    assert {context["Depth"] for context in receiver.contexts()} == {1}


def patch_closes(dataverse: Dataverse, _: Receiver) -> None:
    row = dataverse.create("opportunities", {"name": "Closed"})
    dataverse.update(f"opportunities({row})", {"statecode": 1, "statuscode": 3})


def keys_are_there_at_once(dataverse: Dataverse, _: Receiver) -> None:
    path = "EntityDefinitions(LogicalName='lead')/Keys"
    mark = uuid.uuid4().hex[:8]
    for _index in range(2):
        dataverse.create("leads", {"lastname": mark, "subject": mark})
    twice = dataverse.call("POST", path, {"SchemaName": f"new_K{mark}", "KeyAttributes": ["subject", "lastname"]})
    assert twice.status_code == 412
    statuses: set[Any] = set()
    for table in ("account", "contact", "opportunity"):
        found = dataverse.get(f"EntityDefinitions(LogicalName='{table}')/Keys")["value"]
        statuses |= {key["EntityKeyIndexStatus"] for key in found}
    assert statuses == {"Active"}


def settings_are_kept(dataverse: Dataverse, _: Receiver) -> None:
    path = "EntityDefinitions(LogicalName='lead')"
    assert dataverse.call("PUT", path, {"IsAuditEnabled": {"Value": True}}).status_code == 204
    assert dataverse.get(f"{path}?$select=IsAuditEnabled")["IsAuditEnabled"]["Value"] is True
    assert dataverse.call("GET", "audits").status_code == 501


def no_special_tables(dataverse: Dataverse, _: Receiver) -> None:
    name = {"@odata.type": f"{CRM}StringAttributeMetadata", "SchemaName": "new_N", "IsPrimaryName": True}
    for setting in ({"IsActivity": True}, {"TableType": "Elastic"}):
        absent(dataverse, "POST", "EntityDefinitions", {"SchemaName": "new_Special", "Attributes": [name]} | setting)
    path, column = "EntityDefinitions(LogicalName='lead')/Attributes", name | {"IsPrimaryName": False}
    for of_column in ({"AutoNumberFormat": "A-{SEQNUM:4}"}, {"SourceType": 1}):
        absent(dataverse, "POST", path, column | of_column)
    absent(dataverse, "GET", "accounts?partitionId=x")


def only_minimal(dataverse: Dataverse, _: Receiver) -> None:
    headers = {"Authorization": f"Bearer {dataverse.token}", "Accept": "application/json;odata.metadata=full"}
    assert dataverse.stand_in.http.get(f"{dataverse.root}accounts", headers=headers).status_code == 501


def assertions_are_refused(dataverse: Dataverse, _: Receiver) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": dataverse.environment["application"]["client_id"],
        "client_assertion": "a.b.c",
    }
    answer = dataverse.stand_in.http.post(f"{dataverse.environment['authority']}/oauth2/v2.0/token", form)
    assert answer.json()["error_codes"] == [700027]


def only_the_web_api(dataverse: Dataverse, _: Receiver) -> None:
    assert dataverse.stand_in.http.post(f"{dataverse.environment['url']}/api/search/v2.0/query").status_code == 501


FUNCTIONS = ("EqualUserId", "Under", "ThisFiscalYear", "ContainValues")
DIFFERENCES: dict[str, Callable[[Dataverse, Receiver], None]] = {
    "`BulkDelete`": refused(("POST", "BulkDelete")),
    "SQL, saved queries": refused(*(("GET", f"accounts?{name}=x") for name in ("sql", "savedQuery", "userQuery"))),
    "FetchXML with hierarchies, fiscal periods, retained rows, and joins without columns": refused(
        ("GET", fetch("<filter><condition attribute='accountid' operator='under' value='1'/></filter>")),
        ("GET", fetch("<filter><condition attribute='createdon' operator='this-fiscal-year'/></filter>")),
        ("GET", fetch("", "datasource='retained'")),
        ("GET", fetch("<link-entity name='contact'/>")),
    ),
    "several transformations in one `$apply`": refused(("GET", "accounts?$apply=groupby((name))/groupby((fax))")),
    "collection-valued navigation properties of users, and of many-to-many relationships": no_collections_of_users,
    "`$filter` nested in `$expand` of a lookup": refused(
        ("GET", "accounts?$expand=parentaccountid($filter=fax eq '1')")
    ),
    "query functions for hierarchies, fiscal periods, the calling user, and multiple choices": refused(
        *(("GET", f"accounts?$filter={CRM}{name}(PropertyName='name')") for name in FUNCTIONS)
    ),
    "new lookups, relationships, global choices, columns for files and images": no_new_kinds,
    "`RetrieveMetadataChanges`": refused(("GET", "RetrieveMetadataChanges(Query=@p)?@p={}")),
    "custom APIs that are bound to an entity collection, are functions or have a plug-in": only_some_actions,
    "virtual tables in joins and batches, `distinct` and `$count` of them, other data providers": no_joins_with_virtual,
    "solutions are exported and imported, and have components other than tables, columns, keys, endpoints and "
    "steps": components_of_some_kinds,
    "other messages and tables of the platform, such as `QualifyLead`, `GrantAccess`, `teams` and `workflows`": refused(
        *(("POST" if name[0].isupper() else "GET", name) for name in sorted(elsewhere.SEGMENTS))
    ),
    "steps on messages of the platform other than Create, Update, Delete, Merge, Win, Lose, Assign, SetState, "
    "SetStateDynamicEntity, CreateMultiple and UpdateMultiple, and of virtual tables": steps_on_some_messages,
    "service endpoints that are relays (one-way, two-way, REST) or Event Grid post; binary XML": only_keys_and_text,
    "the federated credential of a managed identity, and the real subject for it": no_federated_credential,
    "security reaches single rows and columns (depths, sharing, column security), Append and Assign are asked for, and "
    "so is reading what FetchXML joins": security_is_by_table,
    "`Depth` grows when steps cause changes": depth_is_one,
    "a PATCH cannot close an opportunity": patch_closes,
    "the index of an alternate key is built in the background, and may fail": keys_are_there_at_once,
    "labels in several languages": refused(("GET", "EntityDefinitions?LabelLanguages=1031")),
    "settings of tables and columns for forms, search, offline use and auditing have an effect": settings_are_kept,
    "activity tables, elastic tables, numbers that count themselves, calculated columns": no_special_tables,
    "the activity that closes an opportunity is kept": refused(("GET", "opportunitycloses")),
    "`odata.metadata=full` and `none`": only_minimal,
    "client assertions": assertions_are_refused,
    "the APIs beside the Web API, such as search": only_the_web_api,
}


def test_the_page_lists_the_differences_that_are_tried_here() -> None:
    assert listed("sandbox-dataverse.md") == list(DIFFERENCES)


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_listed_difference_is_there(application: Dataverse, receiver: Receiver, difference: str) -> None:
    """When this fails because the stand-in now does it: take the row off the page and out of this list."""
    DIFFERENCES[difference](application, receiver)

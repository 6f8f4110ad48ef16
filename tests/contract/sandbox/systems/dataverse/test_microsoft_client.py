"""Microsoft's PowerPlatform-Dataverse-Client, unmodified: its operations against the stand-in.

What the stand-in has not (SQL, files, new relationships) is refused with 501 and a
sentence that names it.
"""

import uuid
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError

from tests.contract.sandbox.systems.dataverse_client import Dataverse

FABRIKAM = "a0000000-0000-4000-8000-000000000001"


class Colour(Enum):
    """The options of a column."""

    RED = 1
    BLUE = 2


class Credential:
    """Gives the token that a test has."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self._token, 2**31)


@pytest.fixture
def client(application: Dataverse, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataverseClient]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", application.environment["ca_file"])
    with DataverseClient(application.environment["url"], Credential(application.token)) as one:
        yield one


@pytest.fixture
def table(client: DataverseClient) -> Iterator[str]:
    """A table with a column of each type, made by the client itself."""
    name = f"new_Ms{uuid.uuid4().hex[:8]}"
    kinds = {
        "new_Text": "string",
        "new_Notes": "memo",
        "new_Count": "int",
        "new_Price": "decimal",
        "new_Ratio": "float",
    }
    columns: dict[str, Any] = kinds | {"new_On": "datetime", "new_Yes": "bool", "new_Colour": Colour}
    made = client.tables.create(name, columns)
    assert made["columns_created"] == list(columns)
    yield name
    client.tables.delete(name)
    assert client.tables.get(name) is None


def test_rows_are_created_read_changed_and_deleted(client: DataverseClient) -> None:
    row_id = client.records.create("account", {"name": "Microsoft's", "telephone1": "1"})
    client.records.update("account", row_id, {"telephone1": "2"})
    row = client.records.retrieve("account", row_id, select=["name", "telephone1"], expand=["transactioncurrencyid"])
    assert row is not None
    assert (row["name"], row["telephone1"], row["transactioncurrencyid"]) == ("Microsoft's", "2", None)
    client.records.delete("account", row_id)
    assert client.records.retrieve("account", row_id) is None


def test_a_row_is_upserted_by_its_alternate_key(client: DataverseClient) -> None:
    key = {"new_erpnumber": f"MS-{uuid.uuid4().hex[:8]}"}
    for name in ("First", "Second"):
        client.records.upsert("account", [{"alternate_key": key, "record": {"name": name}}])
    found = client.records.list("account", filter=f"new_erpnumber eq '{key['new_erpnumber']}'", select=["name"])
    assert [row["name"] for row in found] == ["Second"]


def test_many_rows_are_created_updated_and_upserted_at_once(client: DataverseClient) -> None:
    mark = uuid.uuid4().hex[:8]
    made = client.records.create("account", [{"name": f"{mark} {number}"} for number in range(3)])
    client.records.update("account", made, {"fax": "1"})
    client.records.update("account", made[:2], [{"fax": "2"}, {"fax": "3"}])
    client.records.upsert(
        "account",
        [
            {"alternate_key": {"new_erpnumber": f"{mark}-{number}"}, "record": {"name": f"{mark} {number}", "fax": "4"}}
            for number in (3, 4)
        ],
    )
    rows = client.records.list("account", filter=f"startswith(name,'{mark}')", select=["fax"], orderby=["name"])
    assert [row["fax"] for row in rows] == ["2", "3", "1", "4", "4"]


def test_lists_are_filtered_sorted_and_paged(client: DataverseClient) -> None:
    mark = uuid.uuid4().hex[:8]
    for number in range(3):
        client.records.create("account", {"name": f"{mark} {number}"})
    pages = client.records.list_pages(
        "account", filter=f"startswith(name,'{mark}')", select=["name"], orderby=["name desc"], page_size=2
    )
    assert [[row["name"][-1] for row in page] for page in pages] == [["2", "1"], ["0"]]
    built = client.query.builder("account").select("name").order_by("name").top(1).execute()
    assert len(list(built)) == 1


def test_labels_become_options(client: DataverseClient, table: str) -> None:
    """The client looks the labels up in the metadata: they have the shape that it expects."""
    row_id = client.records.create(table, {"new_Name": "One", "new_Colour": "Blue", "new_Ratio": 0.5, "new_Yes": True})
    row = client.records.retrieve(table, row_id)
    assert row is not None
    assert (row["new_colour"], row["new_ratio"], row["new_yes"]) == (2, 0.5, True)


def test_every_table_is_found_as_itself(client: DataverseClient) -> None:
    """What is asked for one table is never done to another: this client deletes by the definition that it was given."""
    for table, set_name in (("account", "accounts"), ("task", "tasks"), ("opportunity", "opportunities")):
        found = client.tables.get(table)
        assert found is not None
        assert (found["table_logical_name"], found["entity_set_name"]) == (table, set_name)
    assert client.tables.get("nothing") is None
    with pytest.raises(MetadataError):
        client.tables.delete("nothing")
    listed = client.tables.list(filter="SchemaName eq 'Lead'", select=["LogicalName"])
    assert [each["LogicalName"] for each in listed] == ["lead"]


def test_columns_are_listed_added_changed_and_removed(client: DataverseClient, table: str) -> None:
    assert client.tables.add_columns(table, {"new_More": "string"}) == ["new_More"]
    client.tables.update_column(table, "new_More", {"max_length": 7})
    with pytest.raises(HttpError, match="maximum allowed length of '7'"):
        client.records.create(table, {"new_Name": "One", "new_More": "12345678"})
    names = [each["LogicalName"] for each in client.tables.list_columns(table, select=["LogicalName"])]
    assert "new_more" in names
    assert client.tables.remove_columns(table, "new_More") == ["new_More"]
    assert client.tables.get_column(table, "new_more") is None


def test_alternate_keys_are_made_listed_and_deleted(client: DataverseClient, table: str) -> None:
    made = client.tables.create_alternate_key(table, "new_TextKey", ["new_text"])
    (key,) = client.tables.get_alternate_keys(table)
    assert (key.metadata_id, key.schema_name, key.key_attributes) == (made.metadata_id, "new_TextKey", ["new_text"])
    client.tables.delete_alternate_key(table, made.metadata_id)
    assert client.tables.get_alternate_keys(table) == []


def test_relationships_are_listed_and_found(client: DataverseClient) -> None:
    found = client.tables.list_table_relationships("task", select=["SchemaName", "ReferencingAttribute"])
    (owning,) = {each["SchemaName"] for each in found if each["ReferencingAttribute"] == "owninguser"}
    assert client.tables.get_relationship(owning) is not None
    assert client.tables.get_relationship("nothing") is None


def test_errors_arrive_with_their_code_and_words(client: DataverseClient) -> None:
    with pytest.raises(HttpError, match="Could not find a property named 'nonsense'") as refused:
        client.records.list("account", select=["nonsense"])
    assert refused.value.status_code == 400
    assert refused.value.details["service_error_code"] == "0x80060888"


REFUSED: dict[str, Callable[[DataverseClient], object]] = {
    "BulkDelete": lambda client: client.records.delete("account", [FABRIKAM]),
    "sql": lambda client: client.query.sql("SELECT name FROM account"),
    "Changing relationships": lambda client: client.tables.create_lookup_field("account", "new_Maker", "contact"),
    "RetrieveMetadataChanges": lambda client: client.tables.list_columns("account", typed=True),
    "File": lambda client: client.tables.add_columns("account", {"new_File": "file"}),
}


@pytest.mark.parametrize("named", REFUSED)
def test_what_is_not_there_is_refused_by_name(client: DataverseClient, named: str) -> None:
    with pytest.raises(HttpError, match=named) as refused:
        REFUSED[named](client)
    assert refused.value.status_code == 501


def test_fetchxml_pages_with_the_cookie(client: DataverseClient) -> None:
    mark = uuid.uuid4().hex[:8]
    client.records.create("account", [{"name": f"{mark} {number}"} for number in range(5)])
    xml = (
        "<fetch count='2'><entity name='account'><attribute name='name'/><order attribute='name'/>"
        f"<filter><condition attribute='name' operator='begins-with' value='{mark}'/></filter></entity></fetch>"
    )
    pages = [[row["name"][-1] for row in page] for page in client.query.fetchxml(xml).execute_pages()]
    assert pages == [["0", "1"], ["2", "3"], ["4"]]


def test_a_batch_reads_and_writes(client: DataverseClient) -> None:
    mark = uuid.uuid4().hex[:8]
    batch = client.batch.new()
    batch.records.create("account", {"name": mark})
    batch.records.list("account", filter=f"name eq '{mark}'", select=["name"])
    batch.records.retrieve("account", FABRIKAM, select=["name"])
    batch.tables.get("account")
    done = batch.execute()
    assert [each.status_code for each in done.responses] == [204, 200, 200, 200]
    assert done.responses[1].data is not None
    assert [row["name"] for row in done.responses[1].data["value"]] == [mark]


def test_a_change_set_refers_to_what_it_creates(client: DataverseClient) -> None:
    mark = uuid.uuid4().hex[:8]
    batch = client.batch.new()
    with batch.changeset() as changes:
        contact = changes.records.create("contact", {"lastname": mark})
        account = changes.records.create("account", {"name": mark, "primarycontactid@odata.bind": contact})
        changes.records.update("account", account, {"fax": "1"})
    assert len(batch.execute().entity_ids) == 3
    (row,) = client.records.list("account", filter=f"primarycontactid/lastname eq '{mark}'", select=["fax"])
    assert row["fax"] == "1"


def test_a_batch_that_fails_says_which_request_failed(client: DataverseClient) -> None:
    mark = uuid.uuid4().hex[:8]
    for go_on, statuses in ((False, [400]), (True, [400, 204])):
        batch = client.batch.new()
        with batch.changeset() as changes:
            changes.records.create("account", {"name": mark})
            changes.records.create("account", {"name": "x" * 200})
        batch.records.create("contact", {"lastname": mark})
        done = batch.execute(continue_on_error=go_on)
        assert [each.status_code for each in done.responses] == statuses
        assert done.failed[0].error_code == "0x80044331"
    assert list(client.records.list("account", filter=f"name eq '{mark}'", select=["name"])) == []

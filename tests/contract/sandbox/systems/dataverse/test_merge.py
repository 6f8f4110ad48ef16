"""Merge: what becomes of both rows, of what refers to them, and what the steps send."""

import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver, register_step, register_webhook

CRM = "Microsoft.Dynamics.CRM."


def merge(dataverse: Dataverse, master: str, subordinate: str, **content: object) -> int:
    def row(row_id: str) -> dict[str, object]:
        return {"@odata.type": f"{CRM}account", "accountid": row_id}

    body = {"Target": row(master), "Subordinate": row(subordinate), "PerformParentingChecks": False}
    body |= {"UpdateContent": {"@odata.type": f"{CRM}account", **content}}
    return dataverse.call("POST", "Merge", body).status_code


@pytest.fixture
def rows(application: Dataverse) -> tuple[str, str]:
    """Two accounts."""
    return application.create("accounts", {"name": "Master"}), application.create("accounts", {"name": "Double"})


def test_the_subordinate_is_deactivated_and_what_refers_to_it_moves(
    application: Dataverse, rows: tuple[str, str]
) -> None:
    master, subordinate = rows
    child = application.create(
        "opportunities", {"name": "Deal", "customerid_account@odata.bind": f"/accounts({subordinate})"}
    )
    assert merge(application, master, subordinate, fax="1") == 204
    left = application.get(f"accounts({subordinate})?$select=statecode,merged,_masterid_value")
    assert (left["statecode"], left["merged"], left["_masterid_value"]) == (1, True, master)
    kept = application.get(f"accounts({master})?$select=fax,statecode")
    assert (kept["fax"], kept["statecode"]) == ("1", 0)
    assert application.get(f"opportunities({child})?$select=_customerid_value")["_customerid_value"] == master


def test_a_step_on_merge_gets_the_master_and_names_the_subordinate(
    application: Dataverse, receiver: Receiver, rows: tuple[str, str]
) -> None:
    register_step(application, register_webhook(application, receiver.url), "Merge", "account")
    assert merge(application, *rows) == 204
    application.quiet()
    [sent] = receiver.contexts()
    parameters = {it["key"]: it["value"] for it in sent["InputParameters"]}
    assert (sent["MessageName"], sent["PrimaryEntityId"], parameters["Target"]["Id"]) == ("Merge", rows[0], rows[0])
    assert parameters["SubordinateId"] == rows[1]


def test_rows_that_cannot_be_merged_are_refused(application: Dataverse, rows: tuple[str, str]) -> None:
    assert merge(application, rows[0], rows[0]) == 400
    assert merge(application, rows[0], "a0000000-0000-4000-8000-00000000dead") == 404
    assert application.call("POST", "Merge", {"Target": {}}).status_code == 400

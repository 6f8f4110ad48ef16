"""Functions and actions of the environment itself: its version, its organisation, counts, publishing."""

import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse

DEFAULT = "Microsoft.Dynamics.CRM.EndpointAccessType'Default'"


def test_the_version(application: Dataverse) -> None:
    found = application.get("RetrieveVersion()")
    assert found["@odata.context"].endswith("$metadata#Microsoft.Dynamics.CRM.RetrieveVersionResponse")
    assert found["Version"].startswith("9.2.")
    assert application.get("RetrieveVersion")["Version"] == found["Version"]


def test_the_organisation(application: Dataverse) -> None:
    """With its endpoints, as three lists side by side."""
    for call in (
        f"RetrieveCurrentOrganization(AccessType=@p)?@p={DEFAULT}",
        f"RetrieveCurrentOrganization(AccessType={DEFAULT})",
    ):
        detail = application.get(call)["Detail"]
        assert detail["OrganizationId"] == application.environment["organisation_id"]
        assert detail["UniqueName"] == application.environment["organisation_name"]
        endpoints = dict(zip(detail["Endpoints"]["Keys"], detail["Endpoints"]["Values"], strict=True))
        assert endpoints["WebApplication"] == f"{application.environment['url']}/"


def test_counts(application: Dataverse) -> None:
    for names in ("['account','contact']", '["account","contact"]'):
        found = application.get(f"RetrieveTotalRecordCount(EntityNames=@p)?@p={names}")["EntityRecordCountCollection"]
        assert found["Keys"] == ["account", "contact"]
        assert found["Values"][0] == int(application.call("GET", "accounts/$count").text)


def test_everything_is_published_already(application: Dataverse) -> None:
    assert application.call("POST", "PublishAllXml").status_code == 204
    assert application.call("POST", "PublishXml", {"ParameterXml": "<importexportxml/>"}).status_code == 204


@pytest.mark.parametrize(
    ("status", "method", "path", "body"),
    [
        (400, "GET", "RetrieveVersion(Other=1)", None),
        (400, "GET", "RetrieveVersion?$select=Version", None),
        (405, "POST", "RetrieveVersion", {}),
        (400, "GET", "RetrieveCurrentOrganization()", None),
        (400, "GET", "RetrieveCurrentOrganization(AccessType='Default')", None),
        (400, "GET", "RetrieveCurrentOrganization(AccessType=@missing)", None),
        (400, "GET", "RetrieveTotalRecordCount(EntityNames=['nothing'])", None),
        (400, "GET", "RetrieveTotalRecordCount(EntityNames='account')", None),
        (404, "GET", "RetrieveVersion()/Version", None),
        (400, "POST", "PublishXml", {}),
        (400, "POST", "PublishAllXml", {"Other": 1}),
        (405, "GET", "PublishAllXml", None),
    ],
)
def test_what_is_wrong_is_refused(application: Dataverse, status: int, method: str, path: str, body: object) -> None:
    answer = application.call(method, path, body)
    assert answer.status_code == status, answer.text

"""A virtual table asks the service behind it in the forms that were seen, and reads its answers strictly."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver, register_step, register_webhook
from tests.contract.sandbox.systems.stand_in import StandIn
from tests.contract.sandbox.systems.virtual_table import CRM, Service, data_source, remove, virtual_table

KEY = "11111111-1111-4111-8111-111111111111"
ALL = "CourseId,Name,Seats,Price,Starts,Full"
ROW: dict[str, Any] = {
    "CourseId": KEY, "Name": "OData", "Seats": 12, "Price": 99.5, "Starts": "2026-11-27T09:00:00Z", "Full": False,
}  # fmt: skip
SET = "new_courses"


@pytest.fixture
def service() -> Iterator[Service]:
    one = Service()
    yield one
    one.close()


@pytest.fixture
def courses(human: Dataverse, service: Service) -> Iterator[Dataverse]:
    """Dataverse with a virtual table over the service."""
    organisation = human.get("organizations?$select=name")["value"][0]["organizationid"]
    human.update(f"organizations({organisation})", {"plugintracelogsetting": 1})
    source = data_source(
        human, service.url, msdyn_isparameter1header=True, msdyn_parameter1name="x-key", msdyn_parameter1value="k",
        msdyn_parameter2name="company", msdyn_parameter2value="A&B",
    )  # fmt: skip
    virtual_table(human, source)
    yield human
    remove(human, source)


def page(*rows: dict[str, Any], count: int = 1, **more: object) -> tuple[int, object]:
    return 200, {"@odata.count": count, "value": list(rows), **more}


def traced(dataverse: Dataverse) -> str:
    found = dataverse.get("plugintracelogs?$orderby=createdon desc")["value"]
    return " ".join(it["exceptiondetails"] for it in found)


def test_pages_are_asked_for_as_they_were_seen(courses: Dataverse, service: Service) -> None:
    service.answers += [page(ROW, count=51), page(ROW | {"CourseId": KEY.replace("1", "2")}, count=51)]
    first = courses.get(f"{SET}?$select=new_coursename&$count=true", Prefer="odata.maxpagesize=50")
    second = courses.get(first["@odata.nextLink"].partition("/v9.2/")[2], Prefer="odata.maxpagesize=50")
    assert service.requests == [
        "GET /odata/Courses?$top=50&$select=CourseId,Name&$count=true&company=A&B",
        "GET /odata/Courses?$top=50&$skip=50&$select=CourseId,Name&$count=true&company=A&B",
    ]
    assert service.headers[0]["x-key"] == "k"
    assert first["@odata.count"] == 51
    assert first["value"] == [{"new_courseid": KEY, "new_coursename": "OData"}]
    assert "@odata.nextLink" not in second


def test_filters_and_orders_have_external_names(courses: Dataverse, service: Service) -> None:
    filters = {
        "new_coursename eq 'O''D' and (new_seats gt 5 or new_seats eq null)": (
            "(Name eq 'O''D' and (Seats gt 5 or Seats eq null))"
        ),
        "not contains(new_coursename,'x')": "not (contains(Name,'x'))",
        f"new_courseid eq {KEY}": f"CourseId eq {KEY}",
        "new_starts ge 2026-11-27T00:00:00Z and new_full eq false": (
            "(Starts ge 2026-11-27T00:00:00Z and Full eq false)"
        ),
        f"{CRM}In(PropertyName='new_coursename',PropertyValues=['a','b'])": "(Name eq 'a' or Name eq 'b')",
    }
    for given, expected in filters.items():
        service.answers.append(page(ROW))
        courses.get(f"{SET}?$filter={quote(given)}&$orderby=new_price desc,new_coursename&$top=3")
        assert service.requests[-1].removesuffix("&company=A&B") == (
            f"GET /odata/Courses?$top=3&$select={ALL}&$filter={expected}&$orderby=Price desc,Name asc&$count=true"
        )


def test_fetch_xml_asks_the_same(courses: Dataverse, service: Service) -> None:
    fetch = """<fetch count="50" page="2" returntotalrecordcount="true"><entity name="new_course">
      <attribute name="new_coursename"/><order attribute="new_seats" descending="true"/>
      <filter type="or"><condition attribute="new_coursename" operator="like" value="%da%"/>
        <condition attribute="new_coursename" operator="not-begin-with" value="x"/>
        <filter><condition attribute="new_seats" operator="not-null"/>
          <condition attribute="new_seats" operator="in"><value>1</value><value>2</value></condition></filter>
      </filter></entity></fetch>"""
    service.answers.append(page(ROW, count=120))
    found = courses.get(f"{SET}?fetchXml={quote(fetch)}", Prefer='odata.include-annotations="*"')
    assert service.requests[-1].removesuffix("&company=A&B") == (
        "GET /odata/Courses?$top=50&$skip=50&$select=CourseId,Name&$filter=(contains(Name,'da') or "
        "not (startswith(Name,'x')) or (Seats ne null and (Seats eq 1 or Seats eq 2)))&$orderby=Seats desc&$count=true"
    )
    assert (found["@odata.count"], found[f"@{CRM}morerecords"]) == (120, True)


def test_aggregates_are_refused_before_the_service_is_asked(courses: Dataverse, service: Service) -> None:
    fetch = (
        "<fetch aggregate='true'><entity name='new_course'>"
        "<attribute name='new_seats' aggregate='sum' alias='n'/></entity></fetch>"
    )
    for query in (f"fetchXml={quote(fetch)}", "$apply=aggregate($count as n)"):
        refused = courses.call("GET", f"{SET}?{query}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "0x80040315")
    assert service.requests == []


def test_the_server_pages_if_the_data_source_says_so(courses: Dataverse, service: Service) -> None:
    source = courses.get("msdyn_odatav4ds?$select=msdyn_name")["value"][0]["msdyn_odatav4dsid"]
    courses.update(f"msdyn_odatav4ds({source})", {"msdyn_paginationtype": 1, "msdyn_returninlinecount": False})
    link: dict[str, Any] = {"@odata.nextLink": f"{service.url}/Courses?$skiptoken=a%2Bb"}
    service.answers += [page(ROW, **link), page(ROW)]
    first = courses.get(f"{SET}?$select=new_coursename")
    second = courses.get(first["@odata.nextLink"].partition("/v9.2/")[2])
    assert service.requests == [
        "GET /odata/Courses?$select=CourseId,Name&company=A&B",
        "GET /odata/Courses?$select=CourseId,Name&$skiptoken=a+b&company=A&B",
    ]
    assert "@odata.nextLink" not in second


def test_rows_are_read_created_changed_and_deleted(courses: Dataverse, service: Service) -> None:
    other = KEY.replace("1", "3")
    service.answers += [(200, ROW), (201, {"CourseId": other}), (204, None), (200, ROW), (204, None)]
    one = courses.get(f"{SET}({KEY})")
    assert (one["new_price"], one["new_starts"]) == (99.5, "2026-11-27T09:00:00Z")
    assert courses.create(SET, {"new_coursename": "New", "new_price": 5}) == other
    courses.update(f"{SET}({KEY})", {"new_seats": None})
    courses.update(f"{SET}({KEY})", {"new_full": True})
    assert courses.call("DELETE", f"{SET}({KEY})").status_code == 204
    asked = [it.partition("?")[0] for it in service.requests]
    assert asked == [
        f"GET /odata/Courses({KEY})", "POST /odata/Courses", f"PATCH /odata/Courses({KEY})",
        f"PATCH /odata/Courses({KEY})", f"DELETE /odata/Courses({KEY})",
    ]  # fmt: skip
    assert service.bodies[1:4] == [{"Name": "New", "Price": 5.0}, {"Seats": None}, {"Full": True}]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, {"error": {"message": "no such set"}}), '(404) Not Found. {"error": {"message": "no such set"}}'),
        ((200, b"<html>"), "JSONDecodeError"),
        ((200, {"value": []}), "does not say how many rows"),
        (page(ROW, ROW, ROW), "has 3 rows, though $top=2"),
        (page({it: value for it, value in ROW.items() if it != "Name"} | {"name": "x"}), "no property 'Name'"),
        (page(ROW | {"Seats": "12"}), "'Seats' does not fit"),
        (page(ROW | {"Name": "x" * 21}), "maximum allowed length of '20'"),
        (page(ROW | {"Name": None}), "'Name' is null"),
        (page(ROW | {"CourseId": 5}), "'CourseId' does not fit"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_answer_is_in_the_trace_log_alone(
    courses: Dataverse, service: Service, answer: tuple[int, object], reason: str
) -> None:
    service.answers.append(answer)
    refused = courses.call("GET", f"{SET}?$top=2")
    assert refused.status_code == 400
    assert refused.json()["error"]["message"].startswith("Entity could not be retrieved from data source.")
    assert reason in traced(courses)


def test_another_address_than_https_is_refused(courses: Dataverse) -> None:
    source = courses.get("msdyn_odatav4ds?$select=msdyn_name")["value"][0]["msdyn_odatav4dsid"]
    courses.update(f"msdyn_odatav4ds({source})", {"msdyn_uri": "http://erp.example/odata"})
    assert courses.call("GET", SET).status_code == 400
    assert "is not one with https" in traced(courses)


def test_a_virtual_table_has_no_more_than_the_documentation_gives_it(courses: Dataverse) -> None:
    found = courses.get("EntityDefinitions(LogicalName='new_course')?$expand=Attributes($select=LogicalName)")
    assert {it["LogicalName"] for it in found["Attributes"]} == {
        "new_courseid", "new_coursename", "new_seats", "new_price", "new_starts", "new_full",
    }  # fmt: skip
    assert (found["TableType"], found["ExternalCollectionName"]) == ("Virtual", "Courses")
    assert not found["CanChangeTrackingBeEnabled"]["Value"]
    messages = courses.get("sdkmessagefilters?$filter=primaryobjecttypecode eq 'new_course'")["value"]
    assert messages == []
    source = courses.get("msdyn_odatav4ds?$select=msdyn_name")["value"][0]["msdyn_odatav4dsid"]
    assert courses.call("DELETE", f"msdyn_odatav4ds({source})").json()["error"]["code"] == "0x8004f01f"
    etag = courses.call("PATCH", f"{SET}({KEY})", {"new_seats": 1}, If_Match='W/"1"')
    assert etag.json()["error"]["code"] == "0x8006088d"


def test_another_system_says_what_has_changed_once_that_is_switched_on(
    courses: Dataverse, application: Dataverse, receiver: Receiver, stand_in: StandIn
) -> None:
    updated = f"{SET}/{CRM}OnExternalUpdated"
    target = {"@odata.type": f"{CRM}new_course", "new_courseid": KEY, "new_seats": 3}
    assert courses.call("POST", updated, {"Target": target}).status_code == 404
    table = courses.get("EntityDefinitions(LogicalName='new_course')?$select=MetadataId")["MetadataId"]
    metadata = courses.create(
        "virtualentitymetadatas",
        {"name": "courses", "isonexternalupdatedenabled": True, "extensionofrecordid@odata.bind": f"entities({table})"},
    )
    step = register_step(application, register_webhook(application, receiver.url), "OnExternalUpdated", "new_course")
    assert courses.call("POST", updated, {"Target": target}).status_code == 204
    courses.quiet()
    context = receiver.contexts()[0]
    assert (context["MessageName"], context["PrimaryEntityName"]) == ("OnExternalUpdated", "new_course")
    entity = next(it["value"] for it in context["InputParameters"] if it["key"] == "Target")
    assert {it["key"]: it["value"] for it in entity["Attributes"]} == {"new_courseid": KEY, "new_seats": 3}
    for wrong, status in (({"new_seats": 3}, 400), ({**target, "other": 1}, 400)):
        assert courses.call("POST", updated, {"Target": wrong}).status_code == status
    assert courses.call("POST", f"{SET}/{CRM}OnExternalDeleted", {"Target": target}).status_code == 404
    used = courses.call("DELETE", f"virtualentitymetadatas({metadata})")
    assert used.json()["error"]["code"] == "0x8004f01f"
    application.call("DELETE", f"sdkmessageprocessingsteps({step})")
    assert courses.call("DELETE", f"virtualentitymetadatas({metadata})").status_code == 204
    assert courses.call("POST", updated, {"Target": target}).status_code == 404

"""Queries: filters, order, pages, counts, change tracking and the service-protection limits."""

import uuid
from collections.abc import Iterator

import pytest

from tests.contract.sandbox.systems.dataverse_client import Dataverse
from tests.contract.sandbox.systems.stand_in import StandIn

FABRIKAM = "a0000000-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def mark() -> str:
    return f"q{uuid.uuid4().hex[:8]}"


@pytest.fixture
def tasks(application: Dataverse, mark: str) -> Dataverse:
    """Five tasks; percentcomplete is null, 10, 20, 30, 40."""
    if not application.get(f"tasks?$filter=startswith(subject,'{mark}')")["value"]:
        for number in range(5):
            body: dict[str, object] = {"subject": f"{mark} Task {number}", "prioritycode": number % 3}
            if number:
                body["percentcomplete"] = number * 10
                body["regardingobjectid_account_task@odata.bind"] = f"/accounts({FABRIKAM})"
            application.create("tasks", body)
    return application


@pytest.mark.parametrize(
    ("expression", "numbers"),
    [
        ("percentcomplete eq 10", "1"),
        ("percentcomplete ne 10", "0234"),
        ("percentcomplete gt 10 and percentcomplete le 30", "23"),
        ("(percentcomplete lt 20 or percentcomplete ge 40)", "14"),
        ("percentcomplete eq null", "0"),
        ("percentcomplete ne null", "1234"),
        ("not (percentcomplete ge 20)", "01"),
        ("contains(subject,'TASK 3')", "3"),
        ("endswith(subject,'4')", "4"),
        (f"_regardingobjectid_value eq {FABRIKAM} and prioritycode eq 0", "3"),
        ("regardingobjectid_account_task/name eq 'fabrikam gmbh'", "1234"),
        ("Microsoft.Dynamics.CRM.In(PropertyName='percentcomplete',PropertyValues=['10','40'])", "14"),
        ("createdon ge 2020-01-01T00:00:00Z and createdon lt 2999-01-01", "01234"),
        ('Microsoft.Dynamics.CRM.In(PropertyName=\'percentcomplete\',PropertyValues=["10","40"])', "14"),
        ("Microsoft.Dynamics.CRM.In(PropertyName=@p,PropertyValues=['30'])&@p='percentcomplete'", "3"),
        ("Microsoft.Dynamics.CRM.NotIn(PropertyName='percentcomplete',PropertyValues=['10','40'])", "23"),
        ("Microsoft.Dynamics.CRM.Between(PropertyName='percentcomplete',PropertyValues=['10','30'])", "123"),
        ("Microsoft.Dynamics.CRM.NotBetween(PropertyName='percentcomplete',PropertyValues=['10','30'])", "4"),
        ("Microsoft.Dynamics.CRM.Today(PropertyName='createdon')", "01234"),
        ("Microsoft.Dynamics.CRM.Tomorrow(PropertyName='createdon')", ""),
        ("Microsoft.Dynamics.CRM.ThisYear(PropertyName='createdon')", "01234"),
        ("Microsoft.Dynamics.CRM.LastMonth(PropertyName='createdon')", ""),
        ("Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=3)", "01234"),
        ("Microsoft.Dynamics.CRM.OlderThanXMonths(PropertyName='createdon',PropertyValue=1)", ""),
        ("Microsoft.Dynamics.CRM.OnOrAfter(PropertyName='createdon',PropertyValue='2020-01-01')", "01234"),
        ("Microsoft.Dynamics.CRM.OnOrBefore(PropertyName='createdon',PropertyValue=2020-01-01)", ""),
        ("percentcomplete eq @number&@number=20", "2"),
    ],
)
def test_filters(tasks: Dataverse, mark: str, expression: str, numbers: str) -> None:
    found = tasks.get(f"tasks?$select=subject&$orderby=subject&$filter=startswith(subject,'{mark}') and {expression}")
    assert "".join(row["subject"][-1] for row in found["value"]) == numbers


@pytest.mark.parametrize(
    "wrong",
    [
        "$filter=nonsense eq 1",
        "$filter=subject eq 5",
        "$filter=percentcomplete in (10,20)",
        "$filter=(subject eq 'a'",
        "$select=nonsense",
        "$orderby=nonsense",
        "$top=0",
        "$nonsense=1",
        "$expand=nonsense",
        "$count=maybe",
        '$filter=subject eq "a"',
        "$filter=subject eq @missing",
        "$filter=nonsense(subject,'a')",
        "$filter=Microsoft.Dynamics.CRM.Between(PropertyName='percentcomplete',PropertyValues=['1'])",
        "$filter=Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=0)",
        "$filter=Microsoft.Dynamics.CRM.Today(PropertyName='nonsense')",
        "$filter=Microsoft.Dynamics.CRM.Today()",
    ],
)
def test_wrong_queries_are_refused(tasks: Dataverse, wrong: str) -> None:
    answer = tasks.call("GET", f"tasks?{wrong}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"].startswith("0x80")


@pytest.mark.parametrize(
    "absent",
    [
        "tasks?sql=select",
        "tasks?$filter=Microsoft.Dynamics.CRM.EqualUserId(PropertyName='ownerid')",
        "pluginassemblies",
        "RetrieveDependentComponents",
    ],
)
def test_what_only_a_real_environment_has_is_refused_by_name(application: Dataverse, absent: str) -> None:
    answer = application.call("GET", absent)
    assert answer.status_code == 501
    assert "is not simulated by the sandbox's Dataverse" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "unknown",
    [
        "Nonsense",
        "accounts/Microsoft.Dynamics.CRM.Nonsense",
        f"accounts({FABRIKAM})/Microsoft.Dynamics.CRM.Nonsense",
        f"accounts({FABRIKAM})/nonsense",
        "tasks?$filter=Microsoft.Dynamics.CRM.Nonsense(PropertyName='subject')",
    ],
)
def test_unknown_segments_are_not_found(application: Dataverse, unknown: str) -> None:
    for method in ("GET",) if "?" in unknown else ("GET", "POST"):
        answer = application.call(method, unknown, None if method == "GET" else {})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "0x8006088a")


def test_options_for_collections_are_refused_on_a_row(application: Dataverse) -> None:
    assert application.call("GET", f"accounts({FABRIKAM})?$filter=name eq 'x'").status_code == 400
    assert application.call("DELETE", f"accounts({FABRIKAM})?$nonsense=1").status_code == 400


def test_dates_without_a_time_compare_as_days(application: Dataverse) -> None:
    row_id = application.create("opportunities", {"name": "Dated", "estimatedclosedate": "2031-05-04"})
    for condition in ("estimatedclosedate eq 2031-05-04", "estimatedclosedate ge 2031-05-04"):
        found = application.get(f"opportunities?$select=name&$filter={condition}")["value"]
        assert row_id in {row["opportunityid"] for row in found}


def test_order_and_top(tasks: Dataverse, mark: str) -> None:
    where = f"$filter=startswith(subject,'{mark}')"
    found = tasks.get(f"tasks?$select=subject&{where}&$orderby=prioritycode desc,percentcomplete&$top=3")["value"]
    assert [row["subject"][-1] for row in found] == ["2", "1", "4"]


def test_pages_follow_the_next_link(tasks: Dataverse, mark: str) -> None:
    path: str | None = f"tasks?$select=subject&$filter=startswith(subject,'{mark}')&$orderby=subject&$count=true"
    seen, counts = [], []
    while path:
        page = tasks.get(path, Prefer="odata.maxpagesize=2")
        seen.append([row["subject"][-1] for row in page["value"]])
        counts.append(page["@odata.count"])
        path = page.get("@odata.nextLink", "").removeprefix(tasks.root)
    assert seen == [["0", "1"], ["2", "3"], ["4"]]
    assert counts == [5, 5, 5]


def test_rows_named_by_their_primary_keys_come_in_pages_too(tasks: Dataverse, mark: str) -> None:
    """Each once, in the order of the keys, and without those that are not there."""
    where = f"startswith(subject,'{mark}')"
    ids = sorted(row["activityid"] for row in tasks.get(f"tasks?$select=activityid&$filter={where}")["value"])
    named = [*reversed(ids), ids[0].upper(), str(uuid.uuid4())]
    path: str | None = f"tasks?$select=activityid&$filter={' or '.join(f'activityid eq {it}' for it in named)}"
    seen = []
    while path:
        page = tasks.get(path, Prefer="odata.maxpagesize=2")
        seen.append([row["activityid"] for row in page["value"]])
        path = page.get("@odata.nextLink", "").removeprefix(tasks.root)
    assert seen == [ids[:2], ids[2:4], ids[4:]]


def test_count_alone(tasks: Dataverse, mark: str) -> None:
    assert tasks.call("GET", f"tasks/$count?$filter=startswith(subject,'{mark}')").text == "5"


def test_delta_links_give_changes_then_deletions(application: Dataverse) -> None:
    gone, kept = (application.create("accounts", {"name": name}) for name in ("Gone", "Kept"))
    page = application.get("accounts?$select=name", Prefer="odata.track-changes")
    assert {gone, kept} <= {row["accountid"] for row in page["value"]}
    application.call("DELETE", f"accounts({gone})")
    application.update(f"accounts({kept})", {"name": "Kept well"})
    delta = application.get(page["@odata.deltaLink"].removeprefix(application.root))
    changed, deleted = delta["value"]
    assert (changed["accountid"], changed["name"]) == (kept, "Kept well")
    assert (deleted["id"], deleted["reason"]) == (gone, "deleted")
    assert deleted["@odata.context"].endswith("#accounts/$deletedEntity")
    assert application.get(delta["@odata.deltaLink"].removeprefix(application.root))["value"] == []


def test_the_changes_since_a_delta_link_are_counted(application: Dataverse) -> None:
    """`$count` with `$deltatoken` counts changes and deletions, not the rows of the table."""
    gone = application.create("accounts", {"name": "Gone"})
    page = application.get("accounts?$select=name", Prefer="odata.track-changes")
    assert page["@odata.context"].endswith("#accounts(name)/$delta")
    token = page["@odata.deltaLink"].partition("$deltatoken=")[2]
    assert application.call("GET", f"accounts/$count?$deltatoken={token}").text == "0"
    application.update(f"accounts({FABRIKAM})", {"fax": "+49"})
    application.call("DELETE", f"accounts({gone})")
    assert application.call("GET", f"accounts/$count?$deltatoken={token}").text == "2"


def test_tracked_pages_need_no_preference_again(application: Dataverse) -> None:
    """The link says that it continues a synchronisation; the answer says which preferences were applied."""
    answer = application.call("GET", "accounts?$select=name", Prefer="odata.track-changes,odata.maxpagesize=1")
    assert answer.headers["Preference-Applied"] == "odata.track-changes,odata.maxpagesize=1"
    following = application.get(answer.json()["@odata.nextLink"].removeprefix(application.root))
    assert "@odata.deltaLink" in following


def test_tracked_pages_skip_nothing_that_changes_meanwhile(application: Dataverse) -> None:
    expected = {row["accountid"] for row in application.get("accounts?$select=name")["value"]}
    path, seen, last = "accounts?$select=name", set(), {}
    while path:
        last = application.get(path, Prefer="odata.track-changes,odata.maxpagesize=1")
        seen |= {row["accountid"] for row in last["value"]}
        application.update(f"accounts({FABRIKAM})", {"fax": uuid.uuid4().hex[:10]})
        path = last.get("@odata.nextLink", "").removeprefix(application.root)
    assert seen == expected
    delta = application.get(last["@odata.deltaLink"].removeprefix(application.root))
    assert [row["accountid"] for row in delta["value"]] == [FABRIKAM], (
        "what changed meanwhile comes with the next delta"
    )


def test_an_expired_delta_link_asks_for_a_full_sync(application: Dataverse) -> None:
    page = application.get("accounts?$select=name", Prefer="odata.track-changes")
    application.stand_in.control("POST", "expire-delta-links")
    answer = application.call("GET", page["@odata.deltaLink"].removeprefix(application.root))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "0x80044352")


def test_tables_without_change_tracking_refuse(application: Dataverse) -> None:
    assert application.call("GET", "tasks", Prefer="odata.track-changes").status_code == 400


@pytest.fixture
def limited(application: Dataverse) -> Iterator[StandIn]:
    yield application.stand_in
    application.stand_in.control("DELETE", "limits")


def test_remaining_requests_and_the_recommended_parallelism_are_in_the_headers(application: Dataverse) -> None:
    first, second = (application.call("GET", "WhoAmI").headers for _ in range(2))
    name = "x-ms-ratelimit-burst-remaining-xrm-requests"
    assert int(second[name]) == int(first[name]) - 1
    assert float(second["x-ms-ratelimit-time-remaining-xrm-requests"]) <= 1200
    assert int(second["x-ms-dop-hint"]) == 8


def test_limits_in_force_answer_429_with_retry_after(application: Dataverse, limited: StandIn) -> None:
    limited.control("POST", "limits", json={"requests": 3, "window_seconds": 60})
    answers = [application.call("GET", "WhoAmI") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json()["error"]["code"] == "0x80072322"
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 60


def test_a_throttling_fault_looks_like_the_real_one(application: Dataverse) -> None:
    application.stand_in.fault("GET /api/data/v9.2/accounts", status=429, headers={"Retry-After": "7"})
    answer = application.call("GET", f"accounts({FABRIKAM})")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json()["error"]["code"] == "0x80072322"

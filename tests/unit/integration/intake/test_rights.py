"""A caller sends through its endpoints, about its tables, and no more often than it may."""

import asyncio
import json
import logging
from typing import Any

import pytest

from integration.errors import ConfigurationError, Rejected, Unavailable, Unreadable
from integration.events import from_envelope
from integration.intake import EndpointMessage
from integration.intake.rights import Rights
from integration.settings.types import CallerRights
from tests.unit.integration.events.support import OTHER_ROW, context, entity, pair
from tests.unit.integration.intake.support import UnderTest
from tests.unit.integration.intake.test_event_grid_intake import deliver, grid_event
from tests.unit.integration.intake.test_functions import body_of, post
from tests.unit.integration.intake.test_intake import logged

PLUGIN_EVENT = {
    "EventName": "AccountUpdated",
    "RecordId": "aaaaaaaa-0000-4000-8000-000000000001",
    "Timestamp": "2026-11-26T12:01:47Z",
}


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def with_rights(**rights: Any) -> UnderTest:
    """The rights of the caller `dataverse`, whose key the tests send."""
    return UnderTest(INTAKE_RIGHTS=json.dumps({"dataverse": rights}))


def test_without_rights_a_caller_may_send_everything() -> None:
    assert with_rights().webhook(context()).status == "accepted"
    assert UnderTest(INTAKE_RIGHTS='{"plugin": {"endpoints": []}}').webhook(context()).status == "accepted"


def test_a_caller_sends_through_its_endpoints_alone(caplog: pytest.LogCaptureFixture) -> None:
    """The key of one team's plug-in opens no webhook."""
    under_test = with_rights(endpoints=["plug-in"])
    assert under_test.plugin_event(PLUGIN_EVENT).status == "accepted"
    with pytest.raises(Rejected, match="dataverse may not send through the endpoint webhook") as refused:
        under_test.webhook(context())
    assert (refused.value.status, refused.value.reason) == (403, "not-allowed")
    (line,) = logged(caplog, "refused")
    assert (line["caller"], line["source"], line["reason"]) == ("dataverse", "webhook", "not-allowed")


def test_a_caller_sends_about_its_tables_alone() -> None:
    under_test = with_rights(tables=["account"])
    assert under_test.webhook(context()).status == "accepted"
    with pytest.raises(Rejected, match="may not send about contact") as refused:
        under_test.webhook(context(entity("contact"), PrimaryEntityName="contact"))
    assert refused.value.status == 403
    assert len(under_test.queue.envelopes) == 1


def test_tables_hold_for_plug_ins_and_the_erp_too() -> None:
    under_test = with_rights(tables=["contact"])
    with pytest.raises(Rejected, match="may not send about account"):
        under_test.plugin_event(PLUGIN_EVENT)
    with pytest.raises(Rejected, match=r"may not send about erp\.order"):
        under_test.erp_events("order-shipped", {"id": "1", "record": "2"})


def test_a_table_that_a_caller_has_no_right_to_is_a_dead_letter_where_nobody_hears_it() -> None:
    """In a batch of Event Grid, and from a queue, whose rights stand under its own name."""
    under_test = with_rights(tables=["contact"])
    events = [grid_event(context(entity("contact"), PrimaryEntityName="contact")), grid_event(context())]
    assert len(deliver(under_test, events)) == 1
    queue = UnderTest(INTAKE_RIGHTS='{"dataverse-queue": {"tables": ["contact"]}}')
    asyncio.run(queue.endpoints.take_in(EndpointMessage(json.dumps(context()).encode()), "dataverse-queue"))
    for envelope in (under_test.queue.envelopes[1], queue.queue.envelopes[0]):
        with pytest.raises(Unreadable) as found:
            from_envelope(envelope)
        assert found.value.reason == "not-allowed"


def test_of_several_rows_none_is_taken_where_one_is_refused() -> None:
    """They are one message, and one answer."""
    under_test = with_rights(tables=["contact"])
    rows = [entity(name="A"), entity("contact", OTHER_ROW, name="B")]
    several = context(MessageName="UpdateMultiple", InputParameters=[pair("Targets", {"Entities": rows})])
    with pytest.raises(Rejected, match="may not send about account;"):
        under_test.webhooks(several)
    assert under_test.queue.envelopes == []


def test_dataverse_gets_503_for_too_many_requests_and_others_429() -> None:
    """A webhook is sent once more after 503, and never after 429."""
    under_test = with_rights(requestsPerMinute=1)
    body = json.dumps(context()).encode()
    assert post(under_test, body).status_code == 202
    with pytest.raises(Unavailable):
        under_test.webhook(context())
    answer = post(under_test, json.dumps(PLUGIN_EVENT).encode(), "plugin_event")
    assert (answer.status_code, body_of(answer)["title"]) == (429, "Too many requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_refusal_for_the_rate_is_logged_with_its_caller(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    under_test = with_rights(requestsPerMinute=1)
    under_test.webhook(context())
    with pytest.raises(Unavailable):
        under_test.webhook(context())
    (line,) = logged(caplog, "refused")
    assert (line["caller"], line["reason"], line["status"]) == ("dataverse", "too-many-requests", 429)


def test_requests_come_back_evenly_and_each_caller_has_its_own() -> None:
    """A minute's requests at once, then one every second for sixty in a minute; never more than a minute's."""
    clock = Hand()
    sixty = CallerRights(requestsPerMinute=60)
    rights = Rights({"one": sixty, "two": sixty}, {}, clock)  # type: ignore[arg-type] # a clock of which only this is asked

    def taken(caller: str) -> int:
        for count in range(1_000):
            try:
                rights.check_rate(caller)
            except Rejected:
                return count
        raise AssertionError("it is not limited")

    assert taken("one") == 60
    assert taken("two") == 60
    with pytest.raises(Rejected) as refused:
        rights.check_rate("one")
    assert refused.value.retry_after == 1
    clock.seconds = 2.5
    assert taken("one") == 2
    clock.seconds = 3.0
    assert taken("one") == 1
    clock.seconds = 3_600.0
    assert taken("one") == 60


@pytest.mark.parametrize(
    "rights",
    [
        '{"datavrse": {"tables": []}}',
        '{"dataverse": {"table": ["account"]}}',
        '{"dataverse": {"endpoints": ["hook"]}}',
        '{"dataverse": {"requestsPerMinute": 0}}',
        '["dataverse"]',
    ],
)
def test_rights_that_would_not_hold_do_not_let_the_app_start(rights: str) -> None:
    """Under a misspelt name, a caller would be unrestricted."""
    with pytest.raises(ConfigurationError, match="INTAKE_RIGHTS"):
        UnderTest(INTAKE_RIGHTS=rights)

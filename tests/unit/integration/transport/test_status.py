"""From status to error, and what Retry-After says."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.errors import IntegrationError, Outage, Permanent, Throttled, Transient
from integration.transport import Request, Response, failure
from integration.transport.status import MAX_RETRY_AFTER, retry_after_seconds

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def answered(status: int, retry_after: float | None = None) -> Response:
    return Response(Request("erp", "look", "GET", "https://erp.example/"), status, {}, b"", retry_after)


OWN_WORDS = [
    (301, Outage, "erp-redirected"),
    (400, Permanent, "erp-rejected"),
    (401, Outage, "erp-unauthorised"),
    (403, Outage, "erp-forbidden"),
    (404, Permanent, "erp-rejected"),
    (405, Outage, "erp-answer-unreadable"),
    (408, Transient, "erp-failed"),
    (409, Transient, "erp-conflict"),
    (410, Permanent, "erp-rejected"),
    (412, Transient, "erp-conflict"),
    (413, Permanent, "erp-rejected"),
    (422, Permanent, "erp-rejected"),
    (429, Throttled, "erp-throttled"),
    (500, Transient, "erp-failed"),
    (501, Outage, "erp-answer-unreadable"),
    (502, Outage, "erp-unavailable"),
    (503, Outage, "erp-unavailable"),
    (504, Outage, "erp-unavailable"),
]


@pytest.mark.parametrize(("status", "kind", "reason"), OWN_WORDS)
def test_what_a_system_says_in_its_own_words_counts(status: int, kind: type[IntegrationError], reason: str) -> None:
    error = failure(answered(status), own=True)
    assert (type(error), error.reason, error.service) == (kind, reason, "erp")


@given(st.integers(300, 599), st.none() | st.floats(0, 100))
def test_what_is_not_in_its_own_words_is_never_the_events_fault(status: int, retry_after: float | None) -> None:
    """Whatever the status: something else answered, and events wait for the system without ageing."""
    assert isinstance(failure(answered(status, retry_after), own=False), Outage)


@given(st.integers(300, 599), st.none() | st.floats(0, 100), st.booleans())
def test_no_status_is_without_an_error(status: int, retry_after: float | None, own: bool) -> None:
    """Every answer that is not 2xx waits or is the event's fault; none is a `Conflict` of an ETag, nor `NotFound`."""
    assert type(failure(answered(status, retry_after), own=own)) in {Transient, Outage, Throttled, Permanent}


def test_503_with_retry_after_is_throttling() -> None:
    error = failure(answered(503, 7.0), own=False)
    assert isinstance(error, Throttled)
    assert error.retry_after == 7.0


@given(st.timedeltas(timedelta(seconds=-1000), timedelta(seconds=int(MAX_RETRY_AFTER))))
def test_a_date_and_the_seconds_until_it_say_the_same(ahead: timedelta) -> None:
    ahead = timedelta(seconds=int(ahead.total_seconds()))
    seconds = max(int(ahead.total_seconds()), 0)
    assert retry_after_seconds(format_datetime(NOW + ahead, usegmt=True), NOW) == seconds
    assert retry_after_seconds(str(seconds), NOW) == seconds


@given(st.text())
def test_no_header_value_breaks_the_parser(value: str) -> None:
    """A header is whatever the other side sends: the result is a wait within bounds, or none."""
    seconds = retry_after_seconds(value, NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER


@pytest.mark.parametrize("value", ["", "soon", "-3", "1e99", "Mon, 99 Foo 2026"])
def test_what_is_neither_seconds_nor_a_date_says_nothing(value: str) -> None:
    assert retry_after_seconds(value, NOW) is None


def test_a_very_long_wait_is_cut() -> None:
    assert retry_after_seconds("999999999", NOW) == MAX_RETRY_AFTER

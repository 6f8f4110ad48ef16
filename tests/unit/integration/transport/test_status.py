"""From status to error, and what Retry-After says."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.errors import Conflict, IntegrationError, NotFound, Permanent, Throttled, Transient
from integration.transport import Request, Response, failure
from integration.transport.status import MAX_RETRY_AFTER, retry_after_seconds

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def answered(status: int, retry_after: float | None = None) -> Response:
    return Response(Request("erp", "look", "GET", "https://erp.example/"), status, {}, b"", retry_after)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (301, Permanent, "erp-redirected"),
        (400, Permanent, "erp-rejected"),
        (401, Transient, "erp-unauthorised"),
        (403, Transient, "erp-forbidden"),
        (404, NotFound, "erp-not-found"),
        (408, Transient, "erp-unavailable"),
        (409, Transient, "erp-conflict"),
        (410, NotFound, "erp-not-found"),
        (412, Conflict, "conflict"),
        (413, Permanent, "erp-rejected"),
        (422, Permanent, "erp-rejected"),
        (429, Throttled, "erp-throttled"),
        (500, Transient, "erp-unavailable"),
        (501, Permanent, "erp-rejected"),
        (502, Transient, "erp-unavailable"),
        (503, Transient, "erp-unavailable"),
        (504, Transient, "erp-unavailable"),
    ],
)
def test_every_status_has_its_error(status: int, kind: type[IntegrationError], reason: str) -> None:
    error = failure(answered(status))
    assert type(error) is kind
    assert error.reason == reason


@given(st.integers(300, 599), st.none() | st.floats(0, 100))
def test_no_status_is_without_an_error(status: int, retry_after: float | None) -> None:
    """Any status that is not 2xx becomes exactly one of the outcomes that the worker knows."""
    assert isinstance(failure(answered(status, retry_after)), Transient | Permanent | Conflict)


def test_503_with_retry_after_is_throttling() -> None:
    error = failure(answered(503, 7.0))
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

"""What the intake refused goes through the work queue, and the worker reads why."""

import pytest

from integration.errors import Rejected, Unreadable
from integration.events import from_envelope
from integration.events.refused_message import to_refused

ERROR = Rejected(400, "The body cannot be read", "The body is not JSON.")


def test_the_worker_reads_the_reason_of_the_intake() -> None:
    with pytest.raises(Unreadable, match=r"The body is not JSON\.") as found:
        from_envelope(to_refused(b"not JSON", ERROR, source="dataverse-queue", limit_bytes=100_000))
    assert found.value.reason == "not-an-event"


def test_the_body_is_there_byte_for_byte() -> None:
    """So that it can be sent again when the cause is gone."""
    body = b'{"a":\r\n "\xff"}\n'
    assert to_refused(body, ERROR, source="x", limit_bytes=100_000).partition(b"\n")[2] == body


def test_what_is_too_large_for_the_queue_is_cut_and_says_so() -> None:
    message = to_refused(b"x" * 50_000, ERROR, source="x", limit_bytes=20_000)
    assert len(message) <= 20_000
    assert b'"bodyBytes":50000' in message.partition(b"\n")[0]


@pytest.mark.parametrize("start", [b'{"refused":1}', b'{"refused":{}}', b'{"refused":'])
def test_what_only_looks_like_it_is_unreadable_all_the_same(start: bytes) -> None:
    """It is none of our events in any case."""
    with pytest.raises(Unreadable) as found:
        from_envelope(start)
    assert found.value.reason == "unreadable"

"""What was sent and what came back at attempts that failed, on Azurite."""

import dataclasses
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from integration.clock import SystemClock
from integration.events import IntegrationEvent
from integration.ledger import Ledger, keys
from integration.ledger.erasure import Erasure
from integration.ledger.exchanges import LONGEST, Exchange
from integration.ledger.retention import Retention
from integration.ledger.transfer import export
from integration.transport import Call, Request, Response
from tests.builders import event
from tests.contract.integration.ledger.faults import Fault, FaultyTransport

AT = datetime(2026, 11, 20, 19, 5, 2, tzinfo=UTC)
URL = "https://erp.contoso.example/orders/1"


def about(record_id: str | None = None, **changes: object) -> IntegrationEvent:
    """An event of a new record, or of this one."""
    it = dataclasses.replace(event(), record_id=record_id or str(uuid.uuid4()))
    it = dataclasses.replace(it, event_id=f"202611201905-{keys.record_keys(it.session_id)[0]}{uuid.uuid4().hex[:24]}")
    return dataclasses.replace(it, **changes)  # type: ignore[arg-type] # fields of the event by name


def call(sent: bytes = b'{"a": 1}', received: bytes | None = b"{}", *, at: datetime = AT, url: str = URL) -> Call:
    request = Request("erp", "put order", "PUT", url, {"If-Match": 'W/"1"', "X-Api-Key": "s3cret"}, sent)
    headers = {"content-type": "application/json", "set-cookie": "s3cret"}
    return Call(request, None if received is None else Response(request, 422, headers, received), at, 0.25)


async def kept(ledger: Ledger, it: IntegrationEvent, *calls: Call) -> list[Exchange]:
    ledger.exchanges.keep(it, calls)
    await ledger.close()
    return await ledger.exchanges_of(it.event_id)


async def test_a_request_and_its_answer_are_kept(ledger: Ledger) -> None:
    """As they were, of each attempt, with how long it took; other events of the record have their own."""
    it = about()
    other = about(it.record_id)
    await kept(ledger, other, call())
    await kept(ledger, it, call(b'{"amount": 90.10}', b'{"title": "no"}'), call(received=None))
    found = await kept(ledger, dataclasses.replace(it, attempt=2), call(at=AT + timedelta(days=1)))
    assert [(one.attempt, one.status, one.seconds) for one in found] == [(1, 422, 0.25), (1, 0, 0.25), (2, 422, 0.25)]
    assert (found[0].sent.text, found[0].sent.size, found[0].received.text) == (
        '{"amount": 90.10}',
        17,
        '{"title": "no"}',
    )
    assert found[0].sent.headers == {"if-match": 'W/"1"'}
    assert found[0].received.headers == {"content-type": "application/json"}
    assert (found[1].received.text, found[1].received.headers) == ("", {})
    assert {"exchanges20261120", "exchanges20261121"} <= set(await ledger.names())


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b'{"clientSecret": "s3cret", "name": "x"}', '{"clientSecret": "(not kept)", "name": "x"}'),
        (b'{"a": {"Password":"s3\\"cret"}}', '{"a": {"Password":"(not kept)"}}'),
        (b'{"api_key": 17, "token":"s3cret', '{"api_key": "(not kept)", "token":"(not kept)"'),
        (b"grant_type=x&client_secret=s3cret&b=1", "grant_type=x&client_secret=(not kept)&b=1"),
    ],
)
async def test_secrets_are_not_kept(ledger: Ledger, sent: bytes, shown: str) -> None:
    """Whatever a system calls them, in a body and in an address, also where the body is cut short."""
    (found,) = await kept(ledger, about(), call(sent, sent, url=f"{URL}?$top=1&code=s3cret&sig=s3cret"))
    assert (found.sent.text, found.received.text) == (shown, shown)
    assert found.url == f"{URL}?$top=1&code=(not kept)&sig=(not kept)"


async def test_what_is_kept_is_bounded(ledger: Ledger) -> None:
    """The beginning of a body, whatever it is made of; more than can wait is not kept at all."""
    it = about()
    (large,) = await kept(ledger, it, call("€".encode() * 9_000_000, bytes(range(256))))
    assert (len(large.sent.text), large.sent.size, large.sent.cut) == (LONGEST, 27_000_000, True)
    assert "\x00" not in large.received.text
    assert "\x9b" not in large.received.text
    many = about()
    for _ in range(3):
        ledger.exchanges.keep(many, [call()] * 99)
    await ledger.close()
    assert len(await ledger.exchanges_of(many.event_id)) == 99


async def test_tables_that_are_away_hold_nothing_up(
    ledger: Ledger, transport: FaultyTransport, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing decides by these rows: they are tried once."""
    transport.faults = [Fault.AWAY]
    it = about()
    assert await kept(ledger, it, call()) == []
    assert "exchanges-not-kept" in caplog.text


async def test_whole_days_are_dropped(ledger: Ledger) -> None:
    """Those before the days that are kept; nothing is deleted row by row."""
    it, clock = about(), SystemClock()
    now = clock.now()
    days = [now - timedelta(days=back) for back in (0, 14, 15)]
    await kept(ledger, it, *(call(at=day) for day in days))
    await Retention(ledger, clock, months=13, audit_months=84, exchange_days=14).run()
    names = await ledger.names()
    assert [keys.exchanges_table(f"{day:%Y%m%d}") in names for day in days] == [True, True, False]
    assert len(await ledger.exchanges_of(it.event_id)) == 2


async def nothing_kept(_session_id: str) -> int:
    return 0


async def test_they_are_erased_with_the_record(ledger: Ledger) -> None:
    """Also where another record's event has sent something about it; what is about others stays."""
    mine, order, other = about(), about(), about()
    for it in (mine, order, other):
        await ledger.accept(it, urgent=True)
    named = json.dumps({"customer": str(mine.record_id).upper()}).encode()
    await kept(ledger, mine, call())
    await kept(ledger, order, call(named), call())
    await kept(ledger, other, call())
    erased = await Erasure(ledger, SystemClock(), erase_contents=nothing_kept).erase(
        mine.table, str(mine.record_id), by="me", reason="r", force=True
    )
    assert erased.exchanges == 2
    left = [len(await ledger.exchanges_of(it.event_id)) for it in (mine, order, other)]
    assert left == [0, 1, 1]


async def test_they_are_no_part_of_a_copy_of_the_ledger(ledger: Ledger) -> None:
    """Copies are kept for longer than they are, and cannot be erased from."""
    await kept(ledger, about(), call(b'{"only": "here-4711"}'))
    assert not [line async for line in export(ledger, SystemClock()) if "here-4711" in line]

"""Rows that sinks have set aside: counted, shown, sent again, discarded."""

import pytest

from integration.analytics.sink import REFUSED, TOO_LARGE
from integration.errors import ConfigurationError, Outage, Rejected
from integration.operations import set_aside
from integration.operations.set_aside import Chosen, Dealt, SetAsideRows
from tests.unit.integration.operations.console_kit import Console, aside, fill_aside
from tests.unit.integration.operations.parts import WHO


async def filled() -> tuple[Console, SetAsideRows]:
    console = Console()
    await fill_aside(console.aside)
    return console, console.services.set_aside


def numbers(console: Console, sink: str = "lake") -> list[int]:
    """The sequence numbers of the rows that are there."""
    return [int(name[-25:-5]) for name in sorted(console.container.blobs) if name.startswith(f"{sink}/")]


async def test_rows_are_counted_by_sink_and_reason() -> None:
    _, rows = await filled()
    found = [(it.sink, it.reason, it.count, it.more) for it in await rows.groups()]
    assert found[:2] == [("fabric", "too-large", 1, False), ("lake", "refused", 3, False)]
    assert {it[1] for it in found[2:]} == {"unreadable", "too-large"}


async def test_more_rows_than_are_looked_at_are_said_to_be_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integration.analytics.set_aside.MOST_LISTED", 2)
    _, rows = await filled()
    lake = [(it.count, it.more) for it in await rows.groups() if it.sink == "lake"]
    assert lake == [(2, True)]


async def test_rows_are_listed_in_pages_in_the_order_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_aside, "_ON_A_PAGE", 2)
    _, rows = await filled()
    first = await rows.page("lake", reason=REFUSED)
    second = await rows.page("lake", reason=REFUSED, following=first.following)
    assert [[it.refused.row.sequence_number for it in page.rows] for page in (first, second)] == [[7, 8], [10]]
    assert second.following == ""


async def test_what_the_sink_takes_now_is_no_longer_there() -> None:
    """Rows that follow each other are one batch: between 8 and 10 stands a row that the sink has, or another reason."""
    console, rows = await filled()
    assert await rows.retry(Chosen("lake", REFUSED), **WHO) == Dealt(3)
    assert console.sink.given == [[7, 8], [10]]
    assert numbers(console) == [9, 11]
    [audited] = console.desk.audited
    assert (audited["what"], audited["system"], audited["count"], audited["outcome"]) == (
        "retry-rows",
        "lake",
        3,
        "3 taken, 0 refused again",
    )


async def test_what_the_sink_refuses_again_stays_with_the_reason_of_this_time() -> None:
    console, rows = await filled()
    console.sink.refuses = [11]
    assert await rows.retry(Chosen("lake", TOO_LARGE), **WHO) == Dealt(0, refused=1)
    [row] = [it for it in (await rows.page("lake")).rows if it.refused.row.sequence_number == 11]
    assert (row.refused.reason, row.refused.detail) == (REFUSED, "Still not.")


async def test_a_sink_that_is_away_keeps_all_that_it_has_not_taken() -> None:
    console, rows = await filled()
    console.sink.waits = Outage("nobody is there", reason="lake-unavailable")
    with pytest.raises(Outage):
        await rows.retry(Chosen("lake"), **WHO)
    assert numbers(console) == [7, 8, 9, 10, 11]
    assert console.desk.audited[0]["outcome"] == "failed: lake-unavailable"


async def test_many_rows_are_dealt_with_request_by_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_aside, "MOST_AT_ONCE", 3)
    console, rows = await filled()
    assert await rows.retry(Chosen("lake"), **WHO) == Dealt(3, left=2)
    assert await rows.discard(Chosen("lake"), **WHO) == Dealt(2)
    assert numbers(console) == []


async def test_one_row_is_discarded_with_an_entry_in_the_audit() -> None:
    console, rows = await filled()
    [row] = (await rows.page("fabric")).rows
    assert await rows.discard(Chosen("fabric", row_id=row.row_id), **WHO) == Dealt(1)
    assert numbers(console, "fabric") == []
    [audited] = console.desk.audited
    assert (audited["what"], audited["system"], audited["who"]) == ("discard-rows", "fabric", WHO["by"])


async def test_rows_of_a_sink_that_is_switched_off_cannot_be_sent_again() -> None:
    console, rows = await filled()
    with pytest.raises(Rejected) as refused:
        await rows.retry(Chosen("fabric"), **WHO)
    assert (refused.value.status, numbers(console, "fabric")) == (409, [7])


async def test_a_sink_whose_library_is_not_in_this_app_is_refused_with_what_to_do() -> None:
    console = Console()
    await console.aside.put("lake", [aside(7, TOO_LARGE)])

    def nothing() -> None:
        raise ConfigurationError("make the package with --lake")

    rows = SetAsideRows(lambda: console.aside, {"lake": nothing}, console.desk.audit)  # type: ignore[dict-item] # fails
    with pytest.raises(Rejected, match="--lake"):
        await rows.retry(Chosen("lake"), **WHO)


@pytest.mark.parametrize("row_id", ["2026-11-20-partition-2-00000000000000000099", "../fabric/x", ""])
async def test_a_row_that_is_not_there_is_404(row_id: str) -> None:
    console, rows = await filled()
    with pytest.raises(Rejected) as refused:
        await rows.one("lake", row_id, console.staff.of_key("anna"))
    assert refused.value.status == 404

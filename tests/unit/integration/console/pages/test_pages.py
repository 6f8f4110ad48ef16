"""What pages show, and what their forms do."""

import csv
import io
import uuid
from datetime import timedelta
from unittest.mock import AsyncMock
from urllib.parse import quote

import pytest

from integration.errors import Outage, Permanent
from integration.events.identity import partition_of
from integration.ledger import State
from integration.operations.drift import Difference, Drift, DriftReport
from integration.operations.reconciliations import Compared, Found
from tests.unit.integration.operations.console_kit import Console, fill_aside, text_of

WHY = {"why": "the ERP was repaired"}


async def state_of(console: Console, event_id: str) -> State:
    found = await console.desk.world.ledger.read(event_id)
    assert found is not None
    return found.state


async def test_all_is_well_is_said_too() -> None:
    page = text_of(await Console().ask())
    assert "All is well." in page


async def test_a_paused_system_is_what_the_overview_says_first() -> None:
    console = Console()
    await console.switches["erp"].pause(by="anna", why="maintenance until six")
    page = text_of(await console.ask())
    assert "erp: paused." in page
    assert "By anna: maintenance until six" in page


async def test_an_event_says_why_it_stands_there_and_what_a_retry_does() -> None:
    console = Console()
    original = await console.desk.dead_letter()
    page = text_of(await console.ask(f"events/{original.event_id}"))
    assert "The system itself refuses the content, with another 4xx." in page
    assert "A retry is a new event of the same record" in page
    assert f"etn=opportunity&amp;id={original.record_id}" in page
    assert f"https://traces.example/{original.event_id}?c={original.correlation_id}" in page


async def test_an_event_lists_those_of_the_same_record_around_it() -> None:
    console, record = Console(), str(uuid.uuid4())
    partition = partition_of(f"opportunity:{record}")
    ids = [f"20261120190{minute}-{partition}{uuid.uuid4().hex[:24]}" for minute in range(3)]
    for event_id in ids:
        await console.desk.dead_letter(event_id=event_id, record_id=record)
    page = text_of(await console.ask(f"events/{ids[1]}"))
    assert "Events of the same record" in page
    assert all(f"/api/console/events/{event_id}" in page for event_id in ids)


async def test_a_retry_leads_to_the_new_event_and_is_in_the_audit() -> None:
    console = Console()
    original = await console.desk.dead_letter()
    answer = await console.ask(f"events/{original.event_id}/retry", WHY, who="oliver")
    (sent,) = console.desk.world.queue.sent
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/api/console/events/{sent.event_id}?said=retried",
    )
    assert [(it["who"], it["what"], it["why"]) for it in console.desk.audited] == [("oliver", "retry", WHY["why"])]


async def test_an_action_without_a_reason_is_refused_beside_the_event() -> None:
    console = Console()
    original = await console.desk.dead_letter()
    answer = await console.ask(f"events/{original.event_id}/retry", {"why": " "})
    assert (answer.status_code, "A reason is required" in text_of(answer)) == (400, True)
    assert console.desk.world.queue.sent == []


@pytest.mark.parametrize(("action", "state"), [("discard", State.DISCARDED), ("retry", State.RESUBMITTED)])
async def test_what_was_dealt_with_before_is_refused_with_what_has_become_of_it(action: str, state: State) -> None:
    console = Console()
    original = await console.desk.dead_letter()
    await console.ask(f"events/{original.event_id}/{action}", WHY)
    answer = await console.ask(f"events/{original.event_id}/force", WHY)
    assert (answer.status_code, "The event cannot be sent again" in text_of(answer)) == (409, True)
    assert await state_of(console, original.event_id) is state


async def test_a_waiting_event_is_postponed_to_a_time_in_utc() -> None:
    console = Console()
    original = await console.desk.dead_letter(Outage("away", reason="erp-unreachable", service="erp"))
    path = f"events/{original.event_id}/postpone"
    assert (await console.ask(path, WHY | {"until": "tomorrow"})).status_code == 400
    until = (console.desk.world.clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert (await console.ask(path, WHY | {"until": until})).status_code == 303
    found = await console.desk.world.ledger.read(original.event_id)
    assert found is not None
    assert found.next_attempt == console.desk.world.clock.now() + timedelta(days=1)


async def test_personal_data_of_other_systems_is_masked_without_the_right_to_see_it() -> None:
    console = Console()
    detail = "the address mia.wong@fourthcoffee.example is not valid, nor is +44 20 7946 0000"
    original = await console.desk.dead_letter(Permanent(detail, reason="erp-rejected", service="erp"))
    for path in (f"events/{original.event_id}", "causes", ""):
        assert "mia.wong@fourthcoffee.example" in text_of(await console.ask(path, who="anna"))
        page = text_of(await console.ask(path, who="oliver"))
        assert "mia.wong" not in page
        assert "7946" not in page
        assert "is not valid" in page


async def test_values_are_seen_and_edited_only_with_the_right() -> None:
    console = Console(frozenset({"note"}))
    original = await console.desk.dead_letter(values={"note": "for Ms Fernandez"})
    path = f"events/{original.event_id}/edit"
    assert "for Ms Fernandez" in text_of(await console.ask(path))
    for answer in (await console.ask(path, who="oliver"), await console.ask(path, WHY, who="oliver")):
        assert (answer.status_code, "Fernandez" in text_of(answer)) == (403, False)


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("{event_id}", True),
        ("{record_id}", True),
        ("{{{RECORD_ID}}}", True),
        ("opportunity:{record_id}", True),
        ("{correlation_id}", True),
        (
            "https://contoso.crm4.dynamics.com/main.aspx?etn=opportunity&id=%7b{record_id}%7d&pagetype=entityrecord",
            True,
        ),
        ("https://contoso.crm4.dynamics.com/api/data/v9.2/opportunities({record_id})", True),
        ("https://app.contoso.example/api/console/events/{event_id}", True),
        ("44444444-4444-4444-8444-444444444444", False),
        ("SO-10233", False),
    ],
)
async def test_whatever_names_an_event_leads_to_it(query: str, finds: bool) -> None:
    console, record = Console(), str(uuid.uuid4())
    event_id = f"202611201905-{partition_of(f'opportunity:{record}')}{uuid.uuid4().hex[:24]}"
    original = await console.desk.dead_letter(event_id=event_id, record_id=record)
    names = {
        "event_id": original.event_id,
        "record_id": str(original.record_id),
        "RECORD_ID": str(original.record_id).upper(),
        "correlation_id": original.correlation_id,
    }
    answer = await console.ask(f"events?q={quote(query.format(**names), safe='')}")
    if finds:
        assert answer.headers.get("Location") == f"/api/console/events/{original.event_id}"
    else:
        assert "No event matches" in text_of(answer)


async def test_filters_stand_in_the_address_and_what_is_wrong_with_them_beside_the_form() -> None:
    console = Console()
    original = await console.desk.dead_letter()
    page = text_of(await console.ask("events?state=dead-lettered&reason=erp-rejected&table=opportunity"))
    assert original.event_id in page
    assert original.event_id not in text_of(await console.ask("events?state=dead-lettered&reason=other"))
    assert original.event_id in text_of(await console.ask("events?from=2026-11-20T19:00&to=2026-11-20T20:00"))
    assert "is not a time with an offset" in text_of(await console.ask("events?from=yesterday"))


async def test_a_bulk_discard_needs_an_administrator_at_each_step() -> None:
    console = Console()
    await console.desk.dead_letter()
    form = WHY | {"action": "discard", "reason": "erp-rejected"}
    assert (await console.ask("bulk/plan", form, who="oliver")).status_code == 403
    planned = await console.ask("bulk/plan", form)
    path = planned.headers["Location"].partition("?")[0].removeprefix("/api/console/")
    assert (await console.ask(f"{path}/start", WHY, who="oliver")).status_code == 403
    assert (await console.ask(f"{path}/start", WHY)).status_code == 303


async def test_a_plan_that_finds_nothing_says_so() -> None:
    answer = await Console().ask("bulk/plan", WHY | {"action": "retry", "reason": "none"})
    assert (answer.status_code, "There is nothing to do" in text_of(answer)) == (400, True)


async def test_systems_and_tables_are_paused_and_resumed() -> None:
    console = Console()
    for kind, name in (("systems", "erp"), ("tables", "account")):
        assert (await console.ask(f"systems/{kind}/{name}/pause", WHY)).status_code == 303
        assert f"By anna: {WHY['why']}" in text_of(await console.ask("systems"))
        assert (await console.ask(f"systems/{kind}/{name}/resume", WHY)).status_code == 303
        assert f"By anna: {WHY['why']}" not in text_of(await console.ask("systems"))
    assert (await console.ask("systems/systems/sap/pause", WHY)).status_code == 404


async def test_a_message_that_cannot_be_read_is_listed_beside_the_others() -> None:
    console = Console()
    original = await console.desk.dead_letter()
    console.desk.letters.put(b"hello")
    page = text_of(await console.ask("queue"))
    assert original.event_id[:17] in page
    assert "unreadable" in page


async def test_the_audit_is_exported_without_formulas() -> None:
    """A reason such as =HYPERLINK(...) must be text in a spreadsheet too."""
    console = Console()
    original = await console.desk.dead_letter()
    await console.ask(f"events/{original.event_id}/discard", {"why": "=1+1"})
    answer = await console.ask("audit/export")
    rows = list(csv.DictReader(io.StringIO(text_of(answer).removeprefix("\ufeff"))))
    assert [(it["who"], it["what"], it["why"], it["eventId"]) for it in rows] == [
        ("anna", "discard", "'=1+1", original.event_id)
    ]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit-this-month.csv"'


async def test_a_finished_bulk_operation_is_shown_until_somebody_has_taken_note_of_it() -> None:
    console = Console()
    await console.desk.dead_letter()
    planned = await console.ask("bulk/plan", WHY | {"action": "discard", "reason": "erp-rejected"})
    path = planned.headers["Location"].partition("?")[0].removeprefix("/api/console/")
    assert (await console.ask(f"{path}/acknowledge", WHY)).status_code == 409
    await console.ask(f"{path}/start", WHY)
    await console.desk.runner().run()
    assert "Under way" in text_of(await console.ask())
    assert (await console.ask(f"{path}/acknowledge", WHY)).status_code == 303
    assert "Under way" not in text_of(await console.ask())
    assert "anna has taken note of its end." in text_of(await console.ask(path))


async def test_the_overview_reads_no_table_that_grows_with_the_events() -> None:
    """So it takes no longer with a million of them; what it reads are the problems, and single entities and pages."""
    console = Console()
    await console.desk.dead_letter()
    await console.ask()
    console.services.causes.forget()
    names = [str(name) for name in console.desk.world.ledger._tables]
    for name in names:
        console.desk.table(name).calls.clear()
    assert (await console.ask()).status_code == 200
    calls = {name: len(console.desk.table(name).calls) for name in names if console.desk.table(name).calls}
    assert {name.rstrip("0123456789") for name in calls} == {"problems", "systems", "causes", "audit", "bulks"}
    assert sum(calls.values()) <= 20


async def test_what_is_used_of_a_budget_is_shown_beside_its_system() -> None:
    console = Console()
    await console.spending.report("one", {"dataverse": 1_500}, pause=lambda: 0.0)
    await console.spending.report("two", {"dataverse": 1_500}, pause=lambda: 0.0)
    for path in ("", "systems"):
        assert "50 % of 6,000 requests in five minutes" in text_of(await console.ask(path))


async def test_an_event_is_found_by_the_number_that_its_row_has_in_the_erp() -> None:
    """Dataverse is asked only for what nothing else was found by, and never for a GUID."""
    console, record = Console(), str(uuid.uuid4())
    event_id = f"202611201905-{partition_of(f'opportunity:{record}')}{uuid.uuid4().hex[:24]}"
    original = await console.desk.dead_letter(event_id=event_id, record_id=record)
    console.desk.numbers.rows["SO-10233"] = (original.table, str(original.record_id))
    answer = await console.ask("events?q=SO-10233")
    assert answer.headers["Location"] == f"/api/console/events/{original.event_id}"
    assert "No event matches" in text_of(await console.ask("events?q=SO-1"))
    await console.ask(f"events?q={original.record_id}")
    await console.ask(f"events?q={uuid.uuid4()}")
    assert console.desk.numbers.asked == ["SO-10233", "SO-1"]


async def test_both_sides_are_shown_as_they_were_compared_last() -> None:
    """Rows by table, and what is registered; who may repair compares anew."""
    console = Console()
    page = text_of(await console.ask("reconciliation"))
    assert "not made yet" in page
    assert "DRIFT_ENVIRONMENT" in page
    found = [Found("44444444-4444-4444-8444-444444444444", "never-accepted", "no event", "")]
    reconciled = Compared(
        table="account", since="2026-11-20T00:00:00Z", until="2026-11-20T12:00:00Z", rows=500, found=found,
        systems=True, deleted=False, healing=False, first=True, last=True,
    )  # fmt: skip
    await console.services.reconciliations.note(reconciled, by="mara")
    lines = ("~ step.account.Update", "filteringAttributes: name")
    differs = Difference("step.account.Update", "step", lines)
    await console.services.drift.keep(DriftReport("2026-11-20T03:37:00Z", Drift.FOUND, 41, (differs,)))
    page = text_of(await console.ask("reconciliation"))
    for said in ("never-accepted", "and no event has brought that", "1 thing differs", "41 are as declared", lines[1]):
        assert said in page
    assert (await console.ask("reconciliation/registration", {})).status_code == 409
    compare = AsyncMock()
    console = Console(compare=compare)
    assert (await console.ask("reconciliation/registration", {}, who="rita")).status_code == 403
    assert compare.await_count == 0
    answer = await console.ask("reconciliation/registration", {}, who="oliver")
    assert (compare.await_count, answer.status_code, answer.headers["Location"]) == (
        1,
        303,
        "/api/console/reconciliation?said=registration",
    )


async def test_rows_that_were_set_aside_lead_from_their_reason_to_one_row_and_what_to_do() -> None:
    """Its sink takes it afterwards, or refuses it again, which the page says."""
    console = Console()
    assert "No sink has set anything aside." in text_of(await console.ask("set-aside"))
    await fill_aside(console.aside)
    page = text_of(await console.ask("set-aside"))
    assert '/api/console/set-aside/lake?reason=refused"' in page
    assert "switched off" in page
    assert "partition 2, number 7" in text_of(await console.ask("set-aside/lake?reason=refused"))
    row = "2026-11-20-partition-2-00000000000000000007"
    page = text_of(await console.ask(f"set-aside/lake/{row}", who="oliver"))
    assert "What a sink writes to does not take a settled event" in page
    assert "mia.wong" not in page
    assert "needs the role administrator" in page
    assert "needs the role payloads" in page
    answer = await console.ask("set-aside/lake/retry", WHY | {"row": row}, who="oliver")
    assert (answer.status_code, console.sink.given) == (303, [[7]])
    console.sink.refuses = [8, 10]
    answer = await console.ask("set-aside/lake/retry", WHY | {"reason": "refused"})
    assert (answer.status_code, "The sink has refused rows again" in text_of(answer)) == (409, True)


async def test_what_a_row_carries_is_shown_to_those_who_may_see_it_and_its_rows_are_discarded() -> None:
    console = Console()
    await fill_aside(console.aside)
    row = "2026-11-20-partition-2-00000000000000000009"
    assert "&lt;order&gt;of Mia Wong" in text_of(await console.ask(f"set-aside/lake/{row}"))
    assert (await console.ask("set-aside/lake/discard", WHY, who="oliver")).status_code == 403
    answer = await console.ask("set-aside/lake/discard", {"row": row, "why": " "})
    assert (answer.status_code, "A reason is required" in text_of(answer)) == (400, True)
    answer = await console.ask("set-aside/lake/discard", WHY | {"row": row})
    assert answer.headers["Location"] == "/api/console/set-aside?said=rows-discarded"
    assert (await console.ask(f"set-aside/lake/{row}")).status_code == 404

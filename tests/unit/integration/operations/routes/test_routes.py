"""What operators get over HTTP; who else asks gets nothing."""

import json
from typing import Any

import azure.functions as func
import pytest

from integration.errors import Outage, Permanent
from integration.ledger import keys
from integration.operations.rights import PRINCIPAL, Right
from integration.operations.routes import blueprints
from integration.public_address import PublicAddress
from tests.unit.integration.operations.console_kit import KEYS, LIKES, Console, fill_aside, principal
from tests.unit.integration.operations.test_exchanges import REFUSED, SENT

KEY = KEYS["anna"]
WHY = {"why": "the ERP was mended"}
RECORD = "44444444-4444-4444-8444-444444444444"


class Routes:
    """The functions of the app over a desk."""

    def __init__(self, *, signed_in_by_platform: bool = False) -> None:
        console = Console(signed_in_by_platform=signed_in_by_platform)
        self.console, self.desk = console, console.desk
        app = func.FunctionApp()
        for blueprint in blueprints(console.staff, console.services, PublicAddress(None)):
            app.register_functions(blueprint)
        self.functions = {str(one.get_function_name()): one.get_user_function() for one in app.get_functions()}

    async def ask(
        self,
        name: str,
        body: Any = None,
        *,
        key: str = KEY,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        **route: str,
    ) -> tuple[int, dict[str, Any]]:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = func.HttpRequest(
            "POST",
            "https://app/x",
            headers={"x-functions-key": key} if headers is None else headers,
            params=params,
            route_params=route,
            body=sent,
        )
        answer = await self.functions[name](request)
        found: dict[str, Any] = json.loads(answer.get_body())
        return answer.status_code, found


async def test_a_retry_answers_with_the_new_event() -> None:
    """202, as the event is only queued; the key's name goes into the audit."""
    it = Routes()
    original = await it.desk.dead_letter()
    status, body = await it.ask("operations_retry", WHY | {"force": True}, event_id=original.event_id)
    (sent,) = it.desk.world.queue.sent
    assert (status, body) == (202, {"eventId": sent.event_id, "replayOf": original.event_id})
    assert sent.forced
    assert [(row["who"], row["what"], row["why"]) for row in it.desk.audited] == [("anna", "force", WHY["why"])]


async def test_a_named_request_can_be_repeated() -> None:
    it = Routes()
    original = await it.desk.dead_letter()
    answers = [await it.ask("operations_retry", WHY | {"request": "r-1"}, event_id=original.event_id) for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(it.desk.world.queue.sent) == 1


async def test_discard_and_restore() -> None:
    it = Routes()
    original = await it.desk.dead_letter()
    for name, state in (("operations_discard", "discarded"), ("operations_restore", "dead-lettered")):
        answer = await it.ask(name, WHY, event_id=original.event_id)
        assert answer == (200, {"eventId": original.event_id, "state": state})


async def test_postpone_answers_with_the_time() -> None:
    it = Routes()
    original = await it.desk.dead_letter(Outage("away", reason="erp-unreachable", service="erp"))
    until = "2026-11-21T06:00:00.000Z"
    status, body = await it.ask("operations_postpone", WHY | {"until": until}, event_id=original.event_id)
    assert (status, body) == (200, {"eventId": original.event_id, "state": "waiting", "nextAttempt": until})
    for wrong in ("tomorrow", "2026-11-21T06:00:00", 1_800_000_000):
        status, problem = await it.ask("operations_postpone", WHY | {"until": wrong}, event_id=original.event_id)
        assert (status, problem["errors"][0]["pointer"]) == (400, "/until")


async def test_resync_answers_with_what_was_sent() -> None:
    it = Routes()
    status, body = await it.ask("operations_resync", WHY | {"table": "account", "recordIds": [RECORD]})
    assert (status, body["sent"], body["left"]) == (202, [RECORD], [])
    assert it.desk.world.queue.sent[0].correlation_id == body["correlationId"]


async def test_matches_are_answered_in_pages() -> None:
    status, body = await Routes().ask("list_matches", params={"table": "account", "following": "page-2"})
    match = {"recordId": RECORD, "outcome": "matched", "by": "taxNumber", "numbers": ["C-1"], "ownNumber": None}
    assert (status, body) == (200, {"matches": [match], "following": "page-3"})


async def test_pause_and_resume_answer_with_the_state() -> None:
    it = Routes()
    status, body = await it.ask("operations_pause", WHY, system="erp")
    assert (status, body["pausedBy"], body["why"], body["since"]) == (
        200,
        "anna",
        WHY["why"],
        "2026-11-20T20:00:00.000Z",
    )
    assert body in (await it.ask("list_systems"))[1]["systems"]
    status, body = await it.ask("operations_resume", WHY, system="erp")
    assert (status, body["pausedBy"]) == (200, None)


async def test_a_table_is_paused_and_resumed() -> None:
    it = Routes()
    status, body = await it.ask("operations_pause_table", WHY, table="account")
    paused = {"table": "account", "pausedBy": "anna", "why": WHY["why"], "since": "2026-11-20T20:00:00.000Z"}
    assert (status, body) == (200, paused)
    free = {"pausedBy": None, "why": None, "since": None}
    assert (await it.ask("list_tables"))[1] == {"tables": [paused, {"table": "opportunity", **free}]}
    assert await it.ask("operations_resume_table", WHY, table="account") == (200, {"table": "account", **free})
    assert (await it.ask("operations_pause_table", WHY, table="lead"))[0] == 404


async def test_debug_detail_is_turned_on_listed_and_turned_off() -> None:
    it, about = Routes(), {"correlationId": "order-7"}
    status, body = await it.ask("operations_debug_on", WHY | about)
    on = {
        "askedBy": "anna",
        "why": WHY["why"],
        "since": "2026-11-20T20:00:00.000Z",
        "until": "2026-11-20T21:00:00.000Z",
    }
    assert (status, body) == (200, about | on)
    assert (await it.ask("list_debug_detail"))[1] == {"debug": [body]}
    assert (await it.ask("operations_debug_on", WHY | about | {"minutes": 1441}))[0] == 400
    assert await it.ask("operations_debug_off", WHY | about) == (200, about | {"until": None})
    assert (await it.ask("operations_debug_off", WHY | about))[0] == 404
    assert (await it.ask("operations_debug_on", WHY | about, key=KEYS["rita"]))[0] == 403


@pytest.mark.parametrize(
    "name",
    [
        "list_problems",
        "list_systems",
        "list_tables",
        "list_audit",
        "list_bulk_items",
        "list_bulks",
        "list_causes",
        "list_events",
        "list_overview",
        "list_set_aside",
        "list_set_aside_row",
        "list_set_aside_rows",
        "operations_bulk",
        "operations_bulk_action",
        "operations_discard",
        "operations_edit",
        "operations_pause",
        "operations_pause_table",
        "operations_postpone",
        "operations_restore",
        "operations_resume",
        "operations_resume_table",
        "operations_resync",
        "operations_retry",
        "operations_set_aside",
    ],
)
async def test_nobody_comes_in_without_an_operations_key(name: str) -> None:
    it = Routes()
    assert it.functions.keys() >= {name}
    assert (await it.ask(name, WHY, key="another"))[0] == 401
    assert it.desk.audited == []


async def test_causes_and_overview_give_the_same_groups() -> None:
    it = Routes()
    original = await it.desk.dead_letter()
    status, body = await it.ask("list_causes")
    assert (status, body["total"], [(one["reason"], one["count"]) for one in body["causes"]]) == (
        200,
        1,
        [("erp-rejected", 1)],
    )
    assert body["causes"][0]["example"] == original.event_id
    overview = (await it.ask("list_overview"))[1]
    assert (overview["deadLettered"], overview["waiting"]["total"]) == (body, 0)
    assert (await it.ask("list_causes", params={"state": "completed"}))[0] == 400


NEEDED = {
    "list_problems": Right.LOOK,
    "list_causes": Right.LOOK,
    "list_overview": Right.LOOK,
    "list_audit": Right.LOOK,
    "list_set_aside": Right.LOOK,
    "operations_set_aside": Right.REPAIR,
    "operations_retry": Right.REPAIR,
    "operations_postpone": Right.REPAIR,
    "operations_pause": Right.REPAIR,
    "operations_resume_table": Right.REPAIR,
    "operations_bulk": Right.REPAIR,
    "operations_discard": Right.ADMINISTER,
    "operations_restore": Right.ADMINISTER,
    "operations_resync": Right.ADMINISTER,
}
HAVE = {"rita": {Right.LOOK}, "oliver": {Right.LOOK, Right.REPAIR}, "nobody": set[Right]()}


@pytest.mark.parametrize("who", HAVE)
@pytest.mark.parametrize("name", NEEDED)
async def test_who_does_not_have_the_right_is_refused(name: str, who: str) -> None:
    """403, whatever else is wrong with the request, and nothing is in the audit."""
    it = Routes()
    status, problem = await it.ask(
        name, {}, key=KEYS[who], event_id=RECORD, system="erp", table="account", sink="lake", action="retry"
    )
    assert (status == 403) == (NEEDED[name] not in HAVE[who])
    if status == 403:
        assert "It needs the role" in problem["detail"]
        assert it.desk.audited == []


async def test_an_operator_may_retry_but_not_force_and_may_edit_only_with_the_right_to_see() -> None:
    it = Routes()
    original = await it.desk.dead_letter()
    oliver = KEYS["oliver"]
    assert (await it.ask("operations_retry", WHY | {"force": True}, key=oliver, event_id=original.event_id))[0] == 403
    assert (await it.ask("operations_edit", WHY, key=oliver, event_id=original.event_id))[0] == 403
    assert (await it.ask("operations_bulk", WHY | {"action": "discard"}, key=oliver))[0] == 403
    assert (await it.ask("operations_retry", WHY, key=oliver, event_id=original.event_id))[0] == 202


async def test_whom_the_platform_has_signed_in_acts_in_his_own_name() -> None:
    """Only where the settings say that it stands in front: elsewhere anybody could send its header."""
    given = {PRINCIPAL: principal("operator"), f"{PRINCIPAL}-name": "mara@contoso.example"}
    trusting, another = Routes(signed_in_by_platform=True), Routes()
    original = await trusting.desk.dead_letter()
    assert (await trusting.ask("operations_retry", WHY, headers=given, event_id=original.event_id))[0] == 202
    assert trusting.desk.audited[0]["who"] == "mara@contoso.example"
    assert (await trusting.ask("operations_discard", WHY, headers=given, event_id=original.event_id))[0] == 403
    assert (await another.ask("operations_retry", WHY, headers=given, event_id=original.event_id))[0] == 401


@pytest.mark.parametrize("sign", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
async def test_another_site_cannot_call_in_the_name_of_somebody_who_is_signed_in(sign: dict[str, str]) -> None:
    """The platform's cookie is sent with its calls too."""
    it = Routes(signed_in_by_platform=True)
    original = await it.desk.dead_letter()
    given = {PRINCIPAL: principal("administrator"), **sign}
    assert (await it.ask("operations_retry", WHY, headers=given, event_id=original.event_id))[0] == 403
    assert it.desk.world.queue.sent == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"not json", ""),
        ({}, "/why"),
        ({"why": ""}, "/why"),
        ({"why": "x", "force": "yes"}, "/force"),
        ({"why": "x", "forced": True}, "/forced"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_with_its_place(body: Any, pointer: str) -> None:
    it = Routes()
    original = await it.desk.dead_letter()
    status, problem = await it.ask("operations_retry", body, event_id=original.event_id)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (400, [pointer])
    assert it.desk.world.queue.sent == []


async def test_a_state_that_does_not_allow_it_is_409_and_says_what_to_do() -> None:
    it = Routes()
    original = await it.desk.dead_letter()
    status, problem = await it.ask("operations_restore", WHY, event_id=original.event_id)
    assert (status, problem["detail"]) == (409, "It is dead-lettered: send it again, or discard it.")


async def test_broker_or_tables_that_are_away_are_503(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever asks again loses nothing; the log says once what is away."""
    it = Routes()
    original = await it.desk.dead_letter()
    it.desk.audit_table.away = True
    status, problem = await it.ask("operations_retry", WHY, event_id=original.event_id)
    assert (status, "repeat it" in problem["detail"]) == (503, True)
    (said,) = (json.loads(it.getMessage()) for it in caplog.records if "operations-unavailable" in it.getMessage())
    assert said["reason"] == "ledger-unavailable"


async def test_an_event_is_explained_as_on_its_page() -> None:
    """With what people did to it, and the events of its record; its texts are masked without the right."""
    it = Routes()
    partition, _ = keys.record_keys(f"opportunity:{RECORD}")
    refused = Permanent('"Mia Wong" owes', reason="erp-rejected", service="erp")
    event, later = [
        await it.desk.dead_letter(refused, record_id=RECORD, event_id=f"202611201905-{partition}{number:024x}")
        for number in range(2)
    ]
    await it.ask("operations_discard", WHY, event_id=event.event_id)
    status, body = await it.ask("operations_explanation", event_id=event.event_id, key=KEYS["rita"])
    assert (status, body["why"], body["possible"]) == (
        200,
        "Somebody has decided that nothing is to be done for it.",
        ["restore"],
    )
    assert body["event"]["detail"] == "••• owes"
    assert [(one["who"], one["what"], one["why"]) for one in body["actions"]] == [("anna", "discard", WHY["why"])]
    assert [one["eventId"] for one in body["near"]] == [later.event_id]


async def test_what_was_sent_and_what_came_back_is_for_those_who_may_see_payloads() -> None:
    it = Routes()
    event = await it.desk.dead_letter(call=REFUSED)
    status, body = await it.ask("operations_exchanges", event_id=event.event_id)
    (exchange,) = body["exchanges"]
    assert (status, exchange["system"], exchange["method"], exchange["status"]) == (200, "erp", "PUT", 422)
    assert (exchange["sent"]["text"], exchange["received"]["bytes"]) == (SENT.decode(), 21)
    status, body = await it.ask("operations_exchanges", key=KEYS["oliver"], event_id=event.event_id)
    assert (status, "exchanges" in body) == (403, False)


async def test_a_cause_is_noted_and_listed_by_who_takes_care_of_it() -> None:
    it = Routes()
    await it.desk.dead_letter()
    cause = {"reason": "erp-rejected", "system": "erp", "table": "opportunity"}
    status, body = await it.ask("operations_cause_note", {**cause, "note": "the ERP team knows", "assignee": "mara"})
    assert (status, body["note"]["text"], body["note"]["assignee"], body["note"]["by"]) == (
        200,
        "the ERP team knows",
        "mara",
        "anna",
    )
    for assignee, count in (("mara", 1), ("-", 0), ("", 1)):
        _, found = await it.ask("list_causes", params={"assignee": assignee})
        assert [one["note"]["assignee"] for one in found["causes"]] == ["mara"] * count
    status, body = await it.ask("operations_cause_note", {**cause, "note": "x"}, key=KEYS["rita"])
    assert status == 403
    status, body = await it.ask("operations_cause_note", {**cause, "note": "x" * 501})
    assert (status, body["errors"][0]["pointer"]) == (400, "/note")


async def test_rows_that_were_set_aside_are_counted_listed_and_shown_and_their_contents_only_to_those_who_may() -> None:
    it = Routes()
    await fill_aside(it.console.aside)
    _, body = await it.ask("list_set_aside")
    assert {(one["sink"], one["reason"], one["count"]) for one in body["setAside"]} >= {("lake", "refused", 3)}
    _, body = await it.ask("list_set_aside_rows", sink="lake", params={"reason": "unreadable"})
    [row] = body["rows"]
    assert (row["partition"], row["sequenceNumber"], row["eventId"]) == ("2", 9, None)
    for who, seen in (("anna", "<order>of Mia Wong</order>\ufffd"), ("oliver", None)):
        status, shown = await it.ask("list_set_aside_row", key=KEYS[who], sink="lake", row=row["row"])
        assert (status, shown["body"]) == (200, seen)
    for who, detail in (("anna", LIKES), ("oliver", "The table has no column •••.")):
        _, body = await it.ask("list_set_aside_rows", key=KEYS[who], sink="lake", params={"reason": "refused"})
        assert {one["detail"] for one in body["rows"]} == {detail}


async def test_rows_that_were_set_aside_are_sent_again_by_operators_and_discarded_by_administrators() -> None:
    it = Routes()
    await fill_aside(it.console.aside)
    oliver = KEYS["oliver"]
    asked = WHY | {"reason": "refused"}
    answer = await it.ask("operations_set_aside", asked, key=oliver, sink="lake", action="retry")
    assert answer == (200, {"done": 3, "refused": 0, "left": 0})
    assert (await it.ask("operations_set_aside", WHY, key=oliver, sink="lake", action="discard"))[0] == 403
    assert (await it.ask("operations_set_aside", WHY, sink="lake", action="discard"))[1]["done"] == 2
    assert (await it.ask("operations_set_aside", WHY, sink="lake", action="discard"))[0] == 404
    assert (await it.ask("operations_set_aside", WHY, sink="lake", action="forget"))[0] == 404
    assert [(row["who"], row["what"]) for row in it.desk.audited] == [
        ("oliver", "retry-rows"),
        ("anna", "discard-rows"),
    ]

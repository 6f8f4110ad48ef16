"""Who has sent an event learns how far it is and how it ended, and nobody else does."""

import asyncio
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
from pydantic import SecretStr

from integration.admission import CallerKeys, Senders
from integration.clock import Clock, SystemClock
from integration.errors import Transient
from integration.ledger import EventStatus, Ledger, State
from integration.operations.outcome_functions import blueprint
from integration.operations.outcomes import Outcomes
from integration.public_address import PublicAddress
from integration.transport import Transport
from tests.unit.integration.intake.support import ACCOUNT
from tests.unit.integration.operations.parts import event_status

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
EVENT, AGAIN, THIRD = (f"202611261159-{digit * 32}" for digit in "012")
LONG_AGO = f"202611251159-{'0' * 32}"
KEYS = {name: f"a-key-of-{name}-0123456789" for name in ("flow", "other")}
WAIT, NOW_ONLY = "event_outcome", "event_status"
ADDRESS = f"https://app.contoso.example/api/events/{EVENT}/outcome"


class StillClock(SystemClock):
    def now(self) -> datetime:
        return NOW


class Book(Ledger):
    """Knows the events that it is given."""

    def __init__(self, known: tuple[EventStatus, ...], clock: Clock) -> None:
        super().__init__(ACCOUNT, Transport([], clock=clock), clock)
        self.known = {it.event_id: it for it in known}
        self.fails: Exception | None = None

    async def read(self, event_id: str) -> EventStatus | None:
        if self.fails is not None:
            raise self.fails
        return self.known.get(event_id)


def operation(state: State, **changed: Any) -> EventStatus:
    return event_status(state, changed.pop("event_id", EVENT), NOW, **changed)


def get(
    *known: EventStatus,
    who: str | None = "flow",
    route: str = WAIT,
    event_id: str = EVENT,
    in_query: bool = False,
    fails: Any = None,
) -> func.HttpResponse:
    """Ask for an outcome with the key of `who`."""
    clock = StillClock()
    book = Book(known, clock)
    book.fails = fails
    app = func.FunctionApp()
    senders = Senders(CallerKeys({name: [SecretStr(key)] for name, key in KEYS.items()}))
    app.register_functions(blueprint(Outcomes(book, clock), senders, PublicAddress(None)))
    functions = {str(it.get_function_name()): it.get_user_function() for it in app.get_functions()}
    key = KEYS.get(who or "", "")
    request = func.HttpRequest(
        "GET",
        f"https://app.contoso.example/api/events/{event_id}",
        headers={} if in_query or not key else {"x-functions-key": key},
        params={"code": key} if in_query else {},
        route_params={"event_id": event_id},
        body=b"",
    )
    answer = asyncio.run(functions[route](request))
    assert isinstance(answer, func.HttpResponse)
    return answer


def body_of(answer: func.HttpResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.get_body())
    return found


EXPECTED = {
    State.ACCEPTED: (202, "pending"),
    State.PROCESSING: (202, "pending"),
    State.WAITING: (202, "pending"),
    State.COMPLETED: (200, "done"),
    State.SUPERSEDED: (200, "done"),
    State.NO_HANDLER: (200, "done"),
    State.RESOLVED: (200, "done"),
    State.DEAD_LETTERED: (422, "failed"),
    State.DISCARDED: (422, "failed"),
    State.RESUBMITTED: (202, "pending"),
}


@pytest.mark.parametrize("state", State)
def test_it_is_202_until_the_event_has_ended_and_then_200_or_422(state: State) -> None:
    """Power Automate asks again for as long as the answer is 202, goes on after 200, and lets the action fail, without
    a retry, after 422.
    """  # noqa: D205 -- one sentence
    answer = get(operation(state, reason="erp-rejected"))

    body = body_of(answer)
    assert (answer.status_code, body["outcome"]) == EXPECTED[state]
    assert (body["state"], body["reason"]) == (state.value, "erp-rejected")
    if answer.status_code == 202:
        assert (answer.headers["Location"], answer.headers["Retry-After"]) == (ADDRESS, "5")
    else:
        assert not {"Location", "Retry-After"} & set(answer.headers)


def test_an_event_that_failed_is_a_problem_that_says_why_and_what_comes_next() -> None:
    answer = get(operation(State.DEAD_LETTERED, reason="erp-rejected"))

    body = body_of(answer)
    assert (answer.mimetype, body["title"]) == ("application/problem+json", "The event was not carried out")
    assert "erp-rejected" in body["detail"]
    assert body["status"] == 422


@pytest.mark.parametrize("state", State)
def test_how_far_an_event_is_now_is_always_200(state: State) -> None:
    """An action that only looks must neither wait nor fail."""
    answer = get(operation(state), route=NOW_ONLY)
    assert (answer.status_code, body_of(answer)["outcome"]) == (200, EXPECTED[state][1])


@pytest.mark.parametrize(("due", "seconds"), [(2, 5), (40, 40), (9_000, 300), (-10, 5)])
def test_an_event_that_waits_says_when_to_ask_again(due: int, seconds: int) -> None:
    waiting = operation(State.WAITING, next_attempt=NOW + timedelta(seconds=due))
    assert get(waiting).headers["Retry-After"] == str(seconds)


def test_an_event_that_was_sent_again_ends_as_its_repetition_does() -> None:
    first = operation(State.RESUBMITTED, replayed_by=AGAIN)
    second = operation(State.RESUBMITTED, event_id=AGAIN, replayed_by=THIRD, caller="support")
    third = operation(State.DEAD_LETTERED, event_id=THIRD, reason="row-incomplete", caller="support")

    answer = get(first, second, third)

    body = body_of(answer)
    assert (answer.status_code, body["eventId"], body["reason"]) == (422, EVENT, "row-incomplete")
    running = dataclasses.replace(third, state=State.PROCESSING)
    assert get(first, second, running).headers["Location"] == ADDRESS


def test_a_sender_sees_how_its_event_ended_and_not_what_others_said_of_it() -> None:
    for route in (WAIT, NOW_ONLY):
        assert body_of(get(operation(State.COMPLETED), route=route)).keys() == {
            "eventId", "correlationId", "outcome", "state", "reason", "detail", "acceptedAt", "attempts", "nextAttempt"
        }  # fmt: skip


def test_the_key_may_stand_in_the_address() -> None:
    """As it may where the event is sent to."""
    assert get(operation(State.COMPLETED), in_query=True).status_code == 200


def test_nobody_sees_the_events_of_another_sender() -> None:
    known = operation(State.COMPLETED)

    for route in (WAIT, NOW_ONLY):
        assert get(known, who=None, route=route).status_code == 401
        assert get(known, who="other", route=route).status_code == 404


def test_an_event_whose_sender_is_not_known_is_seen_by_who_knows_its_id() -> None:
    """It was accepted before senders were written down; the id is a hash that nobody guesses."""
    assert get(operation(State.COMPLETED, caller=None), who="other").status_code == 200


def test_an_unknown_event_is_not_404_while_the_ledger_may_be_behind() -> None:
    """It was answered 202 a moment ago, and a flow that then gets 404 would be run again."""
    recent, old = get(), get(event_id=LONG_AGO)

    assert (recent.status_code, body_of(recent)["state"]) == (202, "accepted")
    assert old.status_code == 404


@pytest.mark.parametrize("fails", [Transient("away", reason="ledger-unavailable"), RuntimeError("secret")])
def test_an_outcome_that_cannot_be_read_is_503(fails: Exception) -> None:
    """Never 500: whoever polls gives up on that."""
    answer = get(fails=fails)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert b"secret" not in answer.get_body()


def test_what_is_no_event_id_is_400() -> None:
    assert get(event_id="x' or 1 eq 1").status_code == 400
    assert get(event_id=f"999999999999-{'0' * 32}").status_code == 404

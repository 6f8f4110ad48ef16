"""Who asks for a status learns how far the event is, and no more than that caller may know."""

import asyncio
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
from pydantic import SecretStr

from integration.admission import CallerKeys
from integration.clock import Clock, SystemClock
from integration.errors import Transient
from integration.ledger import EventStatus, Ledger, State
from integration.operations import Health, StatusQueries
from integration.operations.functions import blueprint
from integration.operations.rights import Staff
from integration.public_address import PublicAddress
from integration.transport import Transport
from tests.unit.integration.intake.support import ACCOUNT

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
EVENT = f"202611261159-{'0' * 32}"
LONG_AGO = f"202511261159-{'0' * 32}"
KEYS = {name: f"a-key-of-{name}-0123456789" for name in ("flow", "other", "support")}


class StillClock(SystemClock):
    def now(self) -> datetime:
        return NOW


class Book(Ledger):
    """Knows the one operation it is given."""

    def __init__(self, operation: EventStatus | None, clock: Clock) -> None:
        super().__init__(ACCOUNT, Transport([], clock=clock), clock)
        self.operation = operation
        self.fails: Exception | None = None

    async def read(self, event_id: str) -> EventStatus | None:
        if self.fails is not None:
            raise self.fails
        return self.operation if self.operation and self.operation.event_id == event_id else None


def operation(state: State, **changed: Any) -> EventStatus:
    whole = EventStatus(
        event_id=EVENT,
        correlation_id="c",
        organisation="o",
        table="account",
        record_id="r",
        message="Update",
        state=state,
        accepted_time=NOW,
        attempts=1,
        next_attempt=None,
        reason=None,
        detail="what the ERP has said",
        history=(),
        steps=(),
        caller="flow",
    )
    return dataclasses.replace(whole, **changed)


def get(
    known: EventStatus | None, who: str | None, *, event_id: str = EVENT, in_query: bool = False, fails: Any = None
) -> func.HttpResponse:
    """Ask for a status with the key of `who`."""
    clock = StillClock()
    book = Book(known, clock)
    book.fails = fails
    app = func.FunctionApp()
    keys = {name: [SecretStr(key)] for name, key in KEYS.items()}
    operators = Staff(CallerKeys({"support": keys.pop("support")}, in_query=False), {}, signed_in_by_platform=False)
    status, address = StatusQueries(book, clock), PublicAddress(None)
    app.register_functions(blueprint(operators, CallerKeys(keys), status, Health({}, clock), address))
    functions = {str(it.get_function_name()): it.get_user_function() for it in app.get_functions()}
    key = KEYS.get(who or "", "")
    request = func.HttpRequest(
        "GET",
        f"https://app.contoso.example/api/operations/{event_id}",
        headers={} if in_query or not key else {"x-functions-key": key},
        params={"code": key} if in_query else {},
        route_params={"event_id": event_id},
        body=b"",
    )
    answer = asyncio.run(functions["operations"](request))
    assert isinstance(answer, func.HttpResponse)
    return answer


def body_of(answer: func.HttpResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.get_body())
    return found


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("who", ["flow", "support"])
def test_it_is_202_until_the_event_is_settled_and_then_200(state: State, who: str) -> None:
    """Logic Apps and Power Automate ask again for as long as the answer is 202; the header works, and for a caller of
    the intake the address, too.
    """  # noqa: D205 -- one sentence
    answer = get(operation(state, reason="erp-rejected"), who)

    assert answer.status_code == (200 if state.final else 202)
    assert (body_of(answer)["state"], body_of(answer)["reason"]) == (state.value, "erp-rejected")
    if state.final:
        assert not {"Location", "Retry-After"} & set(answer.headers)
    else:
        assert answer.headers["Location"] == f"https://app.contoso.example/api/operations/{EVENT}"
        assert int(answer.headers["Retry-After"]) == 5


@pytest.mark.parametrize(("due", "seconds"), [(2, 5), (40, 40), (9_000, 300), (-10, 5)])
def test_an_event_that_waits_says_when_to_ask_again(due: int, seconds: int) -> None:
    waiting = operation(State.WAITING, next_attempt=NOW + timedelta(seconds=due))
    assert get(waiting, "flow").headers["Retry-After"] == str(seconds)


def test_a_sender_sees_how_far_its_event_is_and_not_what_others_said_of_it() -> None:
    known = operation(State.COMPLETED)

    assert body_of(get(known, "flow")).keys() == {
        "eventId", "correlationId", "state", "reason", "acceptedAt", "attempts", "nextAttempt"
    }  # fmt: skip
    assert body_of(get(known, "support")).keys() > {"detail", "recordId", "steps", "history"}


def test_a_senders_key_may_stand_in_the_address_and_support_s_may_not() -> None:
    """As it may where the event is sent to; support's key sees everything, and addresses end up in logs."""
    assert get(operation(State.COMPLETED), "flow", in_query=True).status_code == 200
    assert get(operation(State.COMPLETED), "support", in_query=True).status_code == 401


def test_nobody_sees_the_events_of_another_sender() -> None:
    known = operation(State.COMPLETED)

    assert get(known, None).status_code == 401
    assert get(known, "other").status_code == 404
    assert body_of(get(known, "other")) == body_of(get(None, "support"))


def test_an_event_whose_sender_is_not_known_is_seen_by_who_knows_its_id() -> None:
    """It was accepted before senders were written down; the id is a hash that nobody guesses."""
    assert get(operation(State.COMPLETED, caller=None), "other").status_code == 200


def test_an_unknown_event_is_not_404_while_the_ledger_may_be_behind() -> None:
    """It was answered 202 a moment ago, and a flow that then gets 404 would be run again."""
    recent, old = get(None, "flow"), get(None, "flow", event_id=LONG_AGO)

    assert (recent.status_code, body_of(recent)["state"]) == (202, "accepted")
    assert (old.status_code, get(None, "support").status_code) == (404, 404)


@pytest.mark.parametrize("fails", [Transient("away", reason="ledger-unavailable"), RuntimeError("secret")])
def test_a_status_that_cannot_be_read_is_503(fails: Exception) -> None:
    """Never 500: whoever polls gives up on that."""
    answer = get(None, "flow", fails=fails)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert b"secret" not in answer.get_body()


def test_what_is_no_event_id_is_400() -> None:
    for who in ("flow", "support"):
        assert get(None, who, event_id="x' or 1 eq 1").status_code == 400
    assert get(None, "flow", event_id=f"999999999999-{'0' * 32}").status_code == 404


def test_the_list_is_for_support_alone() -> None:
    assert get(None, "flow", event_id="").status_code == 401

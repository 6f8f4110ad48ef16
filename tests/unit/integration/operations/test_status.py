"""Support sees the whole status of every event, and nobody else does."""

import asyncio
import json
from datetime import UTC, datetime
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
from tests.unit.integration.operations.parts import event_status

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
EVENT = f"202611261159-{'0' * 32}"
LONG_AGO = f"202511261159-{'0' * 32}"
KEYS = {name: f"a-key-of-{name}-0123456789" for name in ("flow", "support")}


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
    return event_status(state, changed.pop("event_id", EVENT), NOW, **changed)


def get(
    known: EventStatus | None, who: str | None, *, event_id: str = EVENT, in_query: bool = False, fails: Any = None
) -> func.HttpResponse:
    """Ask for a status with the key of `who`."""
    clock = StillClock()
    book = Book(known, clock)
    book.fails = fails
    app = func.FunctionApp()
    keys = CallerKeys({"support": [SecretStr(KEYS["support"])]}, in_query=False)
    staff = Staff(keys, {}, signed_in_by_platform=False)
    app.register_functions(blueprint(staff, StatusQueries(book, clock), Health({}, clock), PublicAddress(None)))
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
def test_it_is_202_until_the_event_is_settled_and_then_200(state: State) -> None:
    answer = get(operation(state, reason="erp-rejected"), "support")

    assert answer.status_code == (200 if state.final else 202)
    assert (body_of(answer)["state"], body_of(answer)["reason"]) == (state.value, "erp-rejected")
    if state.final:
        assert not {"Location", "Retry-After"} & set(answer.headers)
    else:
        assert answer.headers["Location"] == f"https://app.contoso.example/api/operations/{EVENT}"
        assert int(answer.headers["Retry-After"]) == 5


def test_support_sees_what_others_have_said_of_the_event() -> None:
    assert body_of(get(operation(State.COMPLETED), "support")).keys() > {"detail", "recordId", "steps", "history"}


def test_support_s_key_may_not_stand_in_the_address() -> None:
    """It sees everything, and addresses end up in logs."""
    assert get(operation(State.COMPLETED), "support", in_query=True).status_code == 401


def test_senders_are_no_support() -> None:
    """They have routes of their own."""
    for event_id in (EVENT, ""):
        assert get(operation(State.COMPLETED), "flow", event_id=event_id).status_code == 401
        assert get(operation(State.COMPLETED), None, event_id=event_id).status_code == 401


@pytest.mark.parametrize("fails", [Transient("away", reason="ledger-unavailable"), RuntimeError("secret")])
def test_a_status_that_cannot_be_read_is_503(fails: Exception) -> None:
    """Never 500: whoever polls gives up on that."""
    answer = get(None, "support", fails=fails)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert b"secret" not in answer.get_body()


def test_what_is_no_event_id_is_400_and_what_nobody_knows_is_404() -> None:
    assert get(None, "support", event_id="x' or 1 eq 1").status_code == 400
    assert get(None, "support").status_code == 404

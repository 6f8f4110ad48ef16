"""Cases: what is queued for the ticketing system, and that the queue's client does what the SDK wants."""

from datetime import UTC, datetime
from typing import Any

import pytest

from examples.case_to_ticketing.incident import flow, ticket
from examples.case_to_ticketing.ticketing import TicketQueue
from integration.errors import Outage
from integration.events import Lookup
from tests.flow_kit import FlowKit, System, row_of

CUSTOMER = Lookup("account", "a0000000-0000-4000-8000-000000000001")


def started(**answers: Any) -> tuple[FlowKit, System]:
    queue = System(**{"send": None, **answers})
    kit = FlowKit(flow, ticketing=queue)
    kit.row(title="Brake squeaks", prioritycode=1, customerid=CUSTOMER, statecode=0)
    return kit, queue


def test_a_case_becomes_a_ticket_with_what_stands_behind_its_lookups() -> None:
    row = row_of(
        flow,
        title="A",
        customerid=CUSTOMER,
        primarycontactid={"emailaddress1": "a@b"},
        responseby="2026-11-20T09:00:00Z",
    )
    made = ticket(row)
    assert (made.customer_id, made.contact_email) == (CUSTOMER.id, "a@b")
    assert made.answer_by == datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_each_state_is_queued_once() -> None:
    kit, queue = started()
    kit.handle("Create")
    kit.handle("Update")
    kit.row(statecode=1)
    kit.handle("Update", changed=["statecode"])
    assert [call.arguments["0"].status for call in queue.calls] == ["open", "resolved"]
    assert len({call.arguments["key"] for call in queue.calls}) == 2


def test_a_queue_that_is_away_lets_the_event_wait() -> None:
    kit, queue = started(send=[Outage("away", reason="ticketing-unavailable"), None])
    assert kit.handle("Create").state == "waiting"
    assert kit.handle("Update").state == "completed"
    assert queue.calls[0].arguments["key"] == queue.calls[1].arguments["key"]


def test_a_deleted_case_is_withdrawn_with_the_title_of_the_image() -> None:
    kit, queue = started()
    kit.handle("Create")
    kit.delete_row()
    kit.handle("Delete", pre_image={"title": "Brake squeaks"})
    withdrawn = queue.calls[-1].arguments["0"]
    assert (withdrawn.status, withdrawn.title, withdrawn.source_version) == ("withdrawn", "Brake squeaks", 2)


class Sender:
    """A sender of the SDK that takes messages, or fails."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.fails = False

    def send_messages(self, messages: list[Any], timeout: float) -> None:
        assert timeout > 0
        if self.fails:
            raise OSError("gone")
        self.sent += messages

    def get_queue_sender(self, _queue: str) -> "Sender":
        return self

    def close(self) -> None:
        """Nothing to close."""


async def test_a_message_has_the_key_as_its_id_and_the_case_as_its_session() -> None:
    """So that duplicate detection and order hold."""
    sender = Sender()
    queue = TicketQueue(lambda: sender, "tickets")  # type: ignore[arg-type, return-value] # what is used of a client
    await queue.send(ticket(row_of(flow, title="A")), key="ticket:1")
    (message,) = sender.sent
    assert (message.message_id, message.subject) == ("ticket:1", "ticket")
    sender.fails = True
    with pytest.raises(Outage):
        await queue.send(ticket(row_of(flow, title="A")), key="ticket:2")

"""What the chaos tests have found, each as small as it can be, so that it stays mended."""

import pytest

from sandbox.client import Client, eventually
from tests.chaos.app.bench import Bench
from tests.chaos.app.changes import EURO
from tests.chaos.app.nemesis import PAST_THE_LOCK
from tests.end_to_end.journeys import Person, charges_for, effects_of, state_in_erp

OUR_WRITES = "PATCH .*tag=dataverse-integration"
REOPENED = {"statecode": 0, "statuscode": 1}


@pytest.fixture
def person(shared: Bench, client: Client) -> Person:
    for stand_in in (client.dataverse, client.erp, client.credit):
        stand_in.clear_faults()
    return Person(client)


def test_won_reopened_and_won_again_under_one_event_leaves_the_order_confirmed(client: Client, person: Person) -> None:
    """The same order as before the hold is another effect than the first time: it must be sent again."""
    opportunity, _ = person.opportunity(person.account(), 500)
    client.dataverse.add_fault(OUR_WRITES.replace(".*", ".*opportunities.*"), delay_ms=1000, times=2)
    before = client.dataverse.last_event()
    client.dataverse.win(opportunity)
    eventually(lambda: effects_of(client, opportunity), within=10, what="the order")
    client.dataverse.update("opportunity", opportunity, REOPENED)
    eventually(lambda: state_in_erp(client, opportunity) == "on-hold", within=10, what="the hold")
    client.dataverse.win(opportunity)
    assert client.app.wait_for(client.dataverse.event_id(opportunity, after=before))["state"] == "completed"
    assert state_in_erp(client, opportunity) == "confirmed"


def test_reopened_and_won_again_while_the_hold_is_written_back_leaves_the_order_confirmed(
    client: Client, person: Person
) -> None:
    """The hold was done and then overtaken: what is remembered from before it is no longer what the ERP has."""
    opportunity, _ = person.opportunity(person.account(), 500)
    person.win(opportunity)
    client.dataverse.add_fault(OUR_WRITES.replace(".*", ".*opportunities.*"), delay_ms=1500, times=1)
    before = client.dataverse.last_event()
    client.dataverse.update("opportunity", opportunity, REOPENED)
    eventually(lambda: state_in_erp(client, opportunity) == "on-hold", within=10, what="the hold")
    client.dataverse.win(opportunity)
    client.app.wait_for(client.dataverse.event_id(opportunity, after=before))
    client.app.wait_for(client.dataverse.event_id(opportunity, after=before + 1))
    assert state_in_erp(client, opportunity) == "confirmed"


def test_killed_behind_the_order_of_what_is_reopened_meanwhile_the_order_is_held(
    shared: Bench, client: Client, person: Person
) -> None:
    """The order was made and nobody knew: who finds the opportunity open again puts it on hold all the same."""
    opportunity, _ = person.opportunity(person.account(), 500)
    client.erp.add_fault("PUT /api/orders", after=True, drop=True, delay_ms=8000)
    client.dataverse.win(opportunity)
    eventually(lambda: effects_of(client, opportunity), within=10, what="the order")
    shared.sandbox.processes.kill("host-events")
    before = client.dataverse.last_event()
    client.dataverse.update("opportunity", opportunity, REOPENED)
    client.broker.advance_clock(PAST_THE_LOCK)
    shared.sandbox.processes.start("host-events")
    client.app.wait_for(client.dataverse.event_id(opportunity, after=before))
    assert state_in_erp(client, opportunity) == "on-hold"


@pytest.mark.parametrize("match", ["PUT /api/customers", "PUT /api/orders"])
def test_an_answer_lost_while_the_row_moves_on_is_no_reason_to_dead_letter(
    client: Client, person: Person, match: str
) -> None:
    """The next attempt carries another row version: to the ERP that is another request than the one it has done."""
    account = person.account()
    opportunity, _ = person.opportunity(account, 500)
    table, row_id = ("account", account) if "customers" in match else ("opportunity", opportunity)
    client.erp.add_fault(match, status=503, after=True, delay_ms=1000)
    before, done = client.dataverse.last_event(), len(effects_of(client, row_id))
    if table == "account":
        client.dataverse.update("account", account, {"telephone1": "2"})
    else:
        client.dataverse.win(opportunity)
    eventually(lambda: len(effects_of(client, row_id)) > done, within=10, what="the effect")
    client.dataverse.update(table, row_id, {"description": "changed meanwhile"})
    assert client.app.wait_for(client.dataverse.event_id(row_id, after=before))["state"] == "completed"


@pytest.mark.parametrize("table", ["account", "opportunity"])
def test_a_delete_whose_answer_was_lost_is_done_once(client: Client, person: Person, table: str) -> None:
    """Blocked or on hold already: the next attempt sees it, and does not ask again under a key that was used."""
    account = person.account()
    row_id = account
    if table == "opportunity":
        row_id, _ = person.opportunity(account, 500)
        person.win(row_id)
    client.erp.add_fault("PATCH .*", status=503, after=True)
    before, done = client.dataverse.last_event(), len(effects_of(client, row_id))
    client.dataverse.delete(table, row_id)
    assert client.app.wait_for(client.dataverse.event_id(row_id, after=before))["state"] == "completed"
    assert len(effects_of(client, row_id)) == done + 1


def test_killed_after_the_dead_letter_reason_row_and_analytics_are_notified_later(
    shared: Bench, client: Client, person: Person
) -> None:
    """The reason is written first; what could not be reported any more is reported by the next delivery."""
    strange = client.dataverse.currency("XXX", "No currency")
    client.dataverse.add_fault(OUR_WRITES, delay_ms=3000)
    account = client.dataverse.create("account", {"name": "Unacceptable"} | currency(strange))
    event_id = client.dataverse.event_id(account)
    client.app.wait_for(event_id, {"dead-lettered"})
    shared.sandbox.processes.kill("host-events")
    client.broker.advance_clock(PAST_THE_LOCK)
    shared.sandbox.processes.start("host-events")
    eventually(lambda: client.archive.line_of(event_id), within=30, what="the line in the archive")
    row = client.dataverse.retrieve("account", account)
    assert (row["new_syncstatus"], event_id in row["new_syncmessage"]) == (2, True)
    eventually(
        lambda: any(it.message_id.startswith(event_id) for it in client.broker.dead_letters()),
        within=20,
        what="the dead letter",
    )


def test_what_failed_and_is_as_before_again_is_synced(client: Client, person: Person) -> None:
    """Back from a currency that nobody takes to the state that was scored: the row says so, and it costs nothing."""
    opportunity, _ = person.opportunity(person.account(), 700)
    strange = client.dataverse.currency("XXX", "No currency")
    person.update("opportunity", opportunity, currency(strange))
    assert client.dataverse.retrieve("opportunity", opportunity)["new_syncstatus"] == 2
    person.update("opportunity", opportunity, currency(EURO))
    row = client.dataverse.retrieve("opportunity", opportunity)
    assert (row["new_syncstatus"], row["new_syncmessage"]) == (1, None)
    assert len(charges_for(client, opportunity)) == 1


def test_a_score_that_could_not_be_written_back_is_not_charged_again_by_the_next_event(
    client: Client, person: Person
) -> None:
    """While the first event waits for its next attempt, another one of the same row uses the score that was charged."""
    opportunity, _ = person.opportunity(person.account(), 800)
    client.dataverse.add_fault(OUR_WRITES, status=429, headers={"Retry-After": "2"})
    first = person.change("opportunity", opportunity, {"estimatedvalue": 300_000})
    client.app.wait_for(first, {"waiting"})
    second = person.change("opportunity", opportunity, {"name": "Renamed meanwhile"})
    for event_id in (first, second):
        client.app.wait_for(event_id)
    assert len(charges_for(client, opportunity)) == 2
    assert client.dataverse.retrieve("opportunity", opportunity)["new_syncstatus"] == 1


def test_what_two_records_events_remember_of_a_customer_does_not_hide_what_the_erp_got_last(
    client: Client, person: Person
) -> None:
    """An order's event brings the customer to its state, is held up, and remembers that state behind a newer one's
    back: when the row comes back to the old state, the ERP must get it.
    """  # noqa: D205 -- one sentence
    account = client.dataverse.create("account", {"name": "Old"}, silent=True)
    opportunity, _ = person.opportunity(account, 500)
    client.dataverse.add_fault(
        "PATCH .*accounts.*tag=dataverse-integration", after=True, status=None, delay_ms=2500, times=1
    )
    before = client.dataverse.last_event()
    client.dataverse.win(opportunity)
    eventually(lambda: effects_of(client, account), within=10, what="the customer")
    eventually(lambda: client.dataverse.retrieve("account", account)["new_erpnumber"], within=10, what="the write-back")
    person.update("account", account, {"name": "New"})
    client.app.wait_for(client.dataverse.event_id(opportunity, after=before))
    person.update("account", account, {"name": "Old"})
    told = [effect["body"]["name"] for effect in client.erp.effects() if effect["id"] == account]
    assert told == ["Old", "New", "Old"]


def currency(row_id: str) -> dict[str, str]:
    """What sets a row's currency."""
    return {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({row_id})"}

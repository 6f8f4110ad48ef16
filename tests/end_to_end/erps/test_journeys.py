"""Customers and orders from first to last, with each kind of ERP: `run.py journeys` plays them with all of them."""

from sandbox.client import eventually
from tests.end_to_end.erps.people import People
from tests.end_to_end.test_events_back import row_shows

SHIPPED, INVOICED = 3, 4
FREE, ON_HOLD = 1, 2


def ordered(people: People, amount: float = 1000) -> tuple[str, str]:
    """An account, and an opportunity of it that is won."""
    person = people.in_dataverse
    account = person.account()
    opportunity, _ = person.opportunity(account, amount)
    person.win(opportunity)
    return account, opportunity


def number_in(people: People, table: str, row_id: str) -> str:
    """The number that the row has."""
    return str(people.client.dataverse.retrieve(table, row_id)["new_erpnumber"])


def test_a_customer_follows_its_account_until_it_is_deleted(people: People) -> None:
    """One customer, under one number: created, changed, deactivated, active again, deleted, which blocks it."""
    person = people.in_dataverse
    account = person.account(name="Alpine Ski House", telephone1="+43 316 1")
    assert (people.created(account), people.made(account)) == (1, {number_in(people, "account", account)})
    person.update("account", account, {"name": "Alpine Ski House & Sons"})
    assert people.state(account)["name"] == "Alpine Ski House & Sons"
    person.update("account", account, {"statecode": 1})
    assert people.state(account)["status"] == "blocked"
    person.update("account", account, {"statecode": 0})
    assert people.state(account)["status"] == "active"
    person.delete("account", account)
    assert (people.created(account), len(people.made(account))) == (1, 1)
    assert people.state(account)["status"] == "blocked"


def test_an_order_follows_its_opportunity(people: People) -> None:
    """One order with one line: won, another amount, reopened, won again; its number stands in the row."""
    person = people.in_dataverse
    _, opportunity = ordered(people, 1000)
    assert people.made(opportunity) == {number_in(people, "opportunity", opportunity)}
    assert float(people.state(opportunity)["amount"]) == 1000
    person.update("opportunity", opportunity, {"statecode": 0})
    assert people.state(opportunity)["status"] == "on-hold"
    person.update("opportunity", opportunity, {"estimatedvalue": 1500})
    person.win(opportunity)
    assert people.state(opportunity)["status"] == "confirmed"
    assert float(people.state(opportunity)["amount"]) == 1500
    assert (people.created(opportunity), len(people.made(opportunity))) == (1, 1)
    person.delete("opportunity", opportunity)
    assert people.state(opportunity)["status"] == "on-hold"


def test_an_order_whose_answer_was_lost_is_there_once(people: People) -> None:
    """The ERP has done it, and the connection is cut before the answer."""
    person, client = people.in_dataverse, people.client
    opportunity, _ = person.opportunity(person.account(), 700)
    client.erp.add_fault(people.new_order, drop=True, after=True, times=1)
    event_id = person.win(opportunity)
    assert client.app.wait_for(event_id)["state"] == "completed"
    assert (people.created(opportunity), len(people.made(opportunity))) == (1, 1)


def test_an_order_that_was_refused_is_repaired_by_support(people: People) -> None:
    """The customer is on hold there; once people have changed that, support sends the event again."""
    person, client = people.in_dataverse, people.client
    account = person.account()
    opportunity, _ = person.opportunity(account, 300)
    people.hold(account, on=True)
    event_id = person.win(opportunity)
    status = client.app.wait_for(event_id)
    assert (status["state"], status["reason"]) == ("dead-lettered", "erp-customer-blocked")
    assert people.created(opportunity) == 0
    people.hold(account, on=False)
    assert client.app.act(f"{event_id}/retry").status_code == 202
    eventually(lambda: people.created(opportunity), within=20, what="the order")
    row_shows(client, "opportunity", opportunity, new_syncstatus=1)
    assert people.created(opportunity) == 1


def test_a_customer_on_hold_there_shows_in_its_account(people: People) -> None:
    account = people.in_dataverse.account()
    people.hold(account, on=True)
    row_shows(people.client, "account", account, new_erpcredit=ON_HOLD)
    people.hold(account, on=False)
    row_shows(people.client, "account", account, new_erpcredit=FREE)


def test_what_people_do_there_comes_back(people: People) -> None:
    """On each way that the ERP has for its events, and without another effect there."""
    for way in people.ways:
        if way:
            people.send_events_by(way)
        _, opportunity = ordered(people)
        before = len(people.client.erp.effects())
        people.client.erp.ship(opportunity)

        def shown(row: str = opportunity) -> bool:
            return people.client.dataverse.retrieve("opportunity", row)["new_erporderstatus"] in {SHIPPED, INVOICED}

        eventually(shown, within=20, what=f"the shipped order, {way or 'as it sends events'}")
        people.client.dataverse.quiet()
        after = people.client.erp.effects()[before:]
        assert not [it for it in after if "created" in it["kind"] and it["kind"].startswith(("order", "customer"))]

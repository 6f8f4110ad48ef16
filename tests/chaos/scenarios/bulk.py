"""Many dead letters are sent again in one bulk operation, while whoever does it is killed again and again."""

import time
import uuid
from functools import partial

import requests

from sandbox.client import Client, eventually
from tests.books.history import History, Json
from tests.chaos.app.bench import WORKER, Bench, running
from tests.chaos.app.nemesis import Nemesis
from tests.chaos.app.observe import observe, waiting
from tests.chaos.app.orders import Orders
from tests.chaos.app.people import insist
from tests.chaos.scenario import Run, Scenario

_REASON = "currency-without-code"
_PER_MINUTE = 1_200
_MENDED = "CHF"


def resend_in_bulk(run: Run) -> None:
    """Opportunities in a currency without a code are dead-lettered; the code is entered, and all are sent again.

    Three kills of four hit the host of worker and timers, the fourth one the host of the HTTP functions.
    """
    letters, kills = run.size(300, 5_000), run.size(6, 50)
    with running(run.folder / "sandbox") as bench:
        client, history = bench.client(), History(run.seed)
        currency = client.dataverse.create(
            "transactioncurrency", {"currencyname": "New", "currencysymbol": "?", "exchangerate": 1}
        )
        records = _dead_letters(run, bench, currency, letters)
        history.unacceptable += records
        client.dataverse.update("transactioncurrency", currency, {"isocurrencycode": _MENDED})
        history.currencies[currency] = _MENDED
        nemesis = Nemesis(bench, bench.client(), run.rng)
        bulk = _send_again(run, client, nemesis, kills, letters)
        nemesis.heal()
        history.nemesis = nemesis.strikes
        observe(bench, history, records, within=180, show=lambda _, note: run.show(letters, note))
    run.judge(history)
    states = [it and it["state"] for it in history.operations.values()]
    counts = bulk["counts"]
    run.figure(dead_letters=letters, sent_again_and_done=counts["done"], originals_resolved=states.count("resolved"))
    run.demand(run.figures["kills"] >= kills, f"there were {run.figures['kills']} kills, not {kills}")
    run.demand(counts["done"] == letters, f"the bulk operation says {counts}, not that {letters} are done")
    run.demand(states.count("resolved") == letters, f"{states.count('resolved')} of {letters} originals are resolved")
    run.demand(len(history.charges) == letters, f"{len(history.charges)} charges for {letters} opportunities")


def _dead_letters(run: Run, bench: Bench, currency: str, count: int) -> list[str]:
    """So many opportunities whose event is dead-lettered; their records."""
    client = bench.client()
    account = client.dataverse.create("account", {"name": "North"}, str(uuid.uuid4()), silent=True)
    people = Orders(bench, count, make=partial(_open_one, account=account, currency=currency))
    people.start()
    while people.at_work:
        run.show(people.made, "opportunities", total=count)
        time.sleep(1.0)
    records = people.finish()
    while left := waiting(client):
        run.show(count - left, "dead letters", total=count)
        time.sleep(1.0)
    eventually(lambda: _are_listed(bench, count), within=600, what=f"a list of {count} dead letters")
    return records


def _are_listed(bench: Bench, count: int) -> bool:
    """Whether so many problems are listed; reading them all holds up who writes them, so seldom."""
    time.sleep(5.0)
    return len(bench.tables().problems()) == count


def _open_one(client: Client, *, account: str, currency: str) -> list[str]:
    """An opportunity of this customer, in this currency."""
    opportunity = str(uuid.uuid4())
    columns = {
        "name": "Deal",
        "estimatedvalue": 4_200.5,
        "customerid_account@odata.bind": f"/accounts({account})",
        "transactioncurrencyid@odata.bind": f"/transactioncurrencies({currency})",
    }
    insist(partial(client.dataverse.create, "opportunity", columns, opportunity))
    return [f"opportunity:{opportunity}"]


def _send_again(run: Run, client: Client, nemesis: Nemesis, kills: int, letters: int) -> Json:
    """Plan and start the bulk operation and see it to its end, with a kill after each so many events; what it says."""
    selection = {"reason": _REASON, "table": "opportunity"}
    plan = client.app.act("bulk", action="retry", selection=selection, canary=5, perMinute=_PER_MINUTE)
    plan.raise_for_status()
    bulk_id, before = plan.json()["bulkId"], _settled(client)
    run.demand(plan.json()["total"] == letters, f"{plan.json()['total']} events are planned, not {letters}")
    client.app.act(f"bulk/{bulk_id}/start").raise_for_status()
    killed = 0
    while True:
        done = _settled(client) - before
        run.show(done, f"{killed} of {kills} kills", total=letters)
        if killed < kills and done > killed * letters // (kills + 1):
            killed += 1
            nemesis.kill("host-http" if killed % 4 == 0 else WORKER, pause=0.5)
        bulk = _read(client, bulk_id)
        if bulk is not None and bulk["state"] != "running":
            return bulk
        time.sleep(0.3)


def _settled(client: Client) -> int:
    """How many settled events the hub has."""
    hub = client.broker.entities()["hubs"]["integration-events"]
    return sum(int(partition["events"]) for partition in hub.values())


def _read(client: Client, bulk_id: str) -> Json | None:
    try:
        return client.app.bulk(bulk_id)
    except requests.RequestException:
        return None  # its host has just been killed


SCENARIOS = [
    Scenario("bulk-kills", "Dead letters are sent again in bulk while the app is killed.", 6, 60, resend_in_bulk),
]

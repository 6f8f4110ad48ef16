"""The demo's summary: checks what must be true at the end, with each system itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.azure.topology import FABRIC
from sandbox.client import Client, eventually
from sandbox.demo.story import ACCOUNT, RAISED_AMOUNT, Played

_WITHIN = 20.0
_SYNCED, _FAILED = 1, 2
_REVIEW = 2
_ON_ITS_WAY = {3, 4}
"""Shipped, or invoiced as well: Business Central posts both at once."""

_DONE_BEFORE = ("superseded", "completed")
"""Superseded, or completed without effect where the ERP has reported something of the row meanwhile."""
EXPECTED_STATES = {
    "account created": ("completed",),
    "captured update": _DONE_BEFORE,
    "captured lead": ("no-handler",),
    **dict.fromkeys(("queue", "topic", "hub", "Event Grid", "row of a flow"), ("no-handler",)),
    "opportunity created": ("completed",),
    "amount raised": ("completed",),
    "plug-in payload": _DONE_BEFORE,
    "opportunity won": ("completed",),
    "order shipped": ("completed",),
    "unknown currency": ("dead-lettered",),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what should be true, whether it is, and what was found."""

    claim: str
    holds: bool
    seen: str


def checks(client: Client, played: Played) -> Iterator[Check]:
    """Every check of the demo."""
    yield _states(played)
    yield Check(
        "a redelivered webhook is the same event",
        played.redelivered_as == played.events["captured update"]["eventId"],
        played.redelivered_as,
    )
    yield from _erp(client)
    yield _credit(client, played)
    yield from _rows(client, played)
    if played.refuses:
        yield _refused_save(client, played)
    yield _no_loop(client, played)
    yield _archive(client, played)
    yield _sinks(client, played)
    yield _dead_letter(client, played)


def _states(played: Played) -> Check:
    seen = {scene: status["state"] for scene, status in played.events.items()}
    wrong = [f"{name} is {seen.get(name)}" for name, states in EXPECTED_STATES.items() if seen.get(name) not in states]
    return Check("every event ended as it should", not wrong, ", ".join(wrong) or f"{len(seen)} events")


def _erp(client: Client) -> Iterator[Check]:
    customers, orders = _created(client, "customer"), _created(client, "order")
    yield Check("the ERP customer was created once", len(customers) == 1, ", ".join(customers))
    yield Check("the ERP order was created once", len(orders) == 1, ", ".join(orders))


def _created(client: Client, what: str) -> list[str]:
    """The numbers of the customers or orders that the ERP has created, whichever ERP it is."""
    return [effect["number"] for effect in client.erp.effects() if effect["kind"] == f"{what}-created"]


def _credit(client: Client, played: Played) -> Check:
    charges = client.credit.charges()
    reports = [charge["connectId"] for charge in charges if "connectId" in charge]
    if reports:
        return Check("one credit report was charged, for all amounts", len(reports) == 1, ", ".join(reports))
    decisions = [charge["decision"] for charge in charges if charge["reference"] == played.opportunity]
    expected = ["approved", "review", "refused"] if played.refuses else ["approved", "review"]
    return Check("credit was scored once for each amount", decisions == expected, ", ".join(decisions))


def _refused_save(client: Client, played: Played) -> Check:
    amount = client.dataverse.retrieve("opportunity", played.opportunity)["estimatedvalue"]
    return Check(
        "the amount that credit scoring refuses was not saved, and the user was told so",
        amount == RAISED_AMOUNT and "Enter a lower amount" in played.told and played.asked == 1,
        f"{amount:,.0f} EUR, {played.told}",
    )


def _rows(client: Client, played: Played) -> Iterator[Check]:
    account = client.dataverse.retrieve("account", ACCOUNT)
    yield Check(
        "the account has its ERP number",
        [account["new_erpnumber"]] == _created(client, "customer") and account["new_syncstatus"] == _SYNCED,
        f"{account['new_erpnumber']}, synced {account['new_syncedon']}",
    )
    opportunity = client.dataverse.retrieve("opportunity", played.opportunity)
    yield Check(
        "the opportunity has its ERP number and its credit decision",
        [opportunity["new_erpnumber"]] == _created(client, "order")
        and opportunity["new_creditdecision"] == _REVIEW
        and opportunity["new_syncstatus"] == _SYNCED,
        f"{opportunity['new_erpnumber']}, score {opportunity['new_creditscore']}",
    )
    yield Check(
        "the opportunity shows that its order was shipped",
        opportunity["new_erporderstatus"] in _ON_ITS_WAY,
        f"order status {opportunity['new_erporderstatus']}",
    )
    shown = played.looked_up
    amount = "new_balance" if "new_balance" in shown else "new_creditlimit"  # Finance & Operations has no balance
    yield Check(
        "Dataverse shows the customer with an amount of the ERP, which is stored nowhere in Dataverse",
        shown.get("new_number") == account["new_erpnumber"] and shown.get(amount) is not None,
        f"{shown.get('new_name')}, {amount.removeprefix('new_')} {shown.get(amount)}",
    )
    refused = client.dataverse.retrieve("opportunity", played.refused)
    yield Check(
        "the failed opportunity shows the failure to its owner",
        refused["new_syncstatus"] == _FAILED and bool(refused["new_syncmessage"]),
        str(refused["new_syncmessage"]),
    )


def _no_loop(client: Client, played: Played) -> Check:
    published = len(client.dataverse.events())
    return Check(
        "write-backs have caused no further events",
        published == played.changes,
        f"{played.changes} changes by a person, {published} webhooks",
    )


def _archive(client: Client, played: Played) -> Check:
    wanted = {status["eventId"]: status["state"] for status in played.events.values()}

    def ask() -> bool:
        lines = {line["id"]: line["data"]["state"] for line in client.archive.lines()}
        return wanted.items() <= lines.items()  # some ERPs report what the app has written there, too

    try:
        eventually(ask, within=_WITHIN, what="a line for each event")
    except TimeoutError as error:
        return Check("analytics has each event and how it ended", holds=False, seen=str(error))
    return Check("analytics has each event and how it ended", holds=True, seen=f"{len(wanted)} lines in the archive")


def _sinks(client: Client, played: Played) -> Check:
    """Each by the protocol of the service that it writes to: Event Grid, Logs Ingestion, Event Hubs."""
    won = played.events["opportunity won"]
    asks: dict[str, Callable[[], bool]] = {
        "Event Grid": lambda: any(
            it["data"]["eventId"] == won["eventId"] for it in client.sinks["event-grid"].settled()
        ),
        "Azure Monitor": lambda: any(it["EventId"] == won["eventId"] for it in client.sinks["log-analytics"].table()),
        "Fabric": lambda: client.broker.events_in(FABRIC) >= client.broker.events_in("integration-events"),
    }
    claim = "other sinks of analytics have the order's event too"
    try:
        for name, ask in asks.items():
            eventually(ask, within=_WITHIN, what=f"the event in {name}")
    except TimeoutError as error:
        return Check(claim, holds=False, seen=str(error))
    return Check(claim, holds=True, seen=", ".join(asks))


def _dead_letter(client: Client, played: Played) -> Check:
    status = played.events["unknown currency"]
    letters = eventually(client.broker.dead_letters, within=_WITHIN, what="a dead letter")
    ours = [letter for letter in letters if letter.message_id.startswith(status["eventId"])]
    return Check(
        "the event in no currency is in the dead-letter queue, and its status says why",
        len(letters) == len(ours) == 1 and status["reason"] == "credit-rejected",
        f"{status['reason']}: {status['detail']}",
    )

"""The demo's summary: what must be true now, asked of each system itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.client import Client, eventually
from sandbox.demo.story import ACCOUNT, Told

_WITHIN = 20.0
_SYNCED, _FAILED = 1, 2
_REVIEW = 2

EXPECTED_STATES = {
    "account created": "completed",
    "captured update": "superseded",
    "captured lead": "no-handler",
    "opportunity created": "completed",
    "amount raised": "completed",
    "plug-in payload": "superseded",
    "opportunity won": "completed",
    "poison": "dead-lettered",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One claim, whether it holds, and what was seen."""

    claim: str
    holds: bool
    seen: str


def checks(client: Client, told: Told) -> Iterator[Check]:
    """Every claim of the demo."""
    yield _states(told)
    yield Check(
        "a redelivered webhook is the same event",
        told.redelivered_as == told.events["captured update"]["eventId"],
        told.redelivered_as,
    )
    yield from _erp(client, told)
    yield _credit(client, told)
    yield from _rows(client, told)
    yield _no_loop(client, told)
    yield _archive(client, told)
    yield _dead_letter(client, told)


def _states(told: Told) -> Check:
    seen = {scene: status["state"] for scene, status in told.events.items()}
    wrong = [f"{scene} is {seen.get(scene)}" for scene, state in EXPECTED_STATES.items() if seen.get(scene) != state]
    return Check("every event ended as it should", not wrong, ", ".join(wrong) or f"{len(seen)} events")


def _erp(client: Client, told: Told) -> Iterator[Check]:
    effects = client.erp.effects()
    customers = [effect["number"] for effect in effects if effect["id"] == ACCOUNT]
    orders = [effect["number"] for effect in effects if effect["kind"].startswith("order-")]
    won = [effect for effect in effects if effect["id"] == told.opportunity]
    yield Check("the ERP customer was made once", len(customers) == 1, ", ".join(customers))
    yield Check("the ERP order was made once", len(orders) == 1 and len(won) == 1, ", ".join(orders))


def _credit(client: Client, told: Told) -> Check:
    decisions = [charge["decision"] for charge in client.credit.charges() if charge["reference"] == told.opportunity]
    return Check("credit was scored once for each amount", decisions == ["approved", "review"], ", ".join(decisions))


def _rows(client: Client, told: Told) -> Iterator[Check]:
    numbers = {effect["id"]: effect["number"] for effect in client.erp.effects()}
    account = client.dataverse.retrieve("account", ACCOUNT)
    yield Check(
        "the account has its ERP number",
        account["new_erpnumber"] == numbers.get(ACCOUNT) and account["new_syncstatus"] == _SYNCED,
        f"{account['new_erpnumber']}, synced {account['new_syncedon']}",
    )
    opportunity = client.dataverse.retrieve("opportunity", told.opportunity)
    yield Check(
        "the opportunity has its ERP number and its credit decision",
        opportunity["new_erpnumber"] == numbers.get(told.opportunity)
        and opportunity["new_creditdecision"] == _REVIEW
        and opportunity["new_syncstatus"] == _SYNCED,
        f"{opportunity['new_erpnumber']}, score {opportunity['new_creditscore']}",
    )
    poison = client.dataverse.retrieve("opportunity", told.poison)
    yield Check(
        "the failed opportunity says so to its owner",
        poison["new_syncstatus"] == _FAILED and bool(poison["new_syncmessage"]),
        str(poison["new_syncmessage"]),
    )


def _no_loop(client: Client, told: Told) -> Check:
    published = len(client.dataverse.events())
    return Check(
        "write-backs have fired nothing",
        published == told.changes,
        f"{told.changes} changes by a person, {published} webhooks",
    )


def _archive(client: Client, told: Told) -> Check:
    wanted = {status["eventId"]: status["state"] for status in told.events.values()}

    def ask() -> bool:
        return {line["id"]: line["data"]["state"] for line in client.archive.lines()} == wanted

    try:
        eventually(ask, within=_WITHIN, what="a line for each event")
    except TimeoutError as error:
        return Check("analytics has each event and how it ended", holds=False, seen=str(error))
    return Check("analytics has each event and how it ended", holds=True, seen=f"{len(wanted)} lines in the archive")


def _dead_letter(client: Client, told: Told) -> Check:
    status = told.events["poison"]
    letters = eventually(client.broker.dead_letters, within=_WITHIN, what="a dead letter")
    ours = [letter for letter in letters if letter.message_id.startswith(status["eventId"])]
    return Check(
        "the poison event is in the dead-letter queue, with its reason in the status",
        len(letters) == len(ours) == 1 and status["reason"] == "credit-rejected",
        f"{status['reason']}: {status['detail']}",
    )

"""The demo's scenes: changes in the running sandbox, and their outcomes."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import requests

from sandbox.client import Client, eventually
from sandbox.repository import PAYLOADS
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import short_id
from sandbox.watching.journey import Journeys

# The row that the captured webhook is about.
ACCOUNT = "aaa19cdd-88df-e311-b8e5-6c3be5a8b200"
AMOUNT, RAISED_AMOUNT, REFUSED_AMOUNT = 48_000, 320_000, 2_000_000
_WITHIN = 20.0


@dataclass(slots=True)
class Played:
    """The results of the scenes for the checks: ids of rows, and each event's status by scene."""

    opportunity: str = ""
    refused: str = ""
    changes: int = 0
    """How many changes a person has made for which a step is registered."""
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    redelivered_as: str = ""
    looked_up: dict[str, Any] = field(default_factory=dict)
    """The customer as a virtual table shows it."""
    refuses: bool = False
    """Whether credit scoring refuses amounts."""
    asked: int = 0
    """How often a synchronous step has asked before the save that is refused."""
    told: str = ""
    """What the user was told whose save was refused."""


class Story:
    """Plays the scenes one after the other."""

    def __init__(
        self, client: Client, screen: Screen, ways: Mapping[str, Callable[[str], None]], *, refuses: bool
    ) -> None:
        """`ways` send a context, by their names.

        `refuses` says that credit scoring refuses amounts.
        """
        self._client = client
        self._ways = ways
        self._screen = screen
        self._journeys = Journeys(client, screen)
        self._played = Played(refuses=refuses)

    def play(self) -> Played:
        """Play all scenes; returns their results."""
        for number, scene in enumerate(
            (
                self._account_created,
                self._captured_update,
                self._captured_again,
                self._captured_lead,
                self._other_ways,
                self._opportunity_created,
                self._amount_raised,
                *([self._save_refused] if self._played.refuses else []),
                self._plug_in_reports_the_same,
                self._opportunity_won,
                self._order_shipped,
                self._balance_looked_up,
                self._unknown_currency,
            ),
            start=1,
        ):
            self._screen.say()
            self._screen.beside([(f"{number}. ", "bold")], scene.__doc__ or "", "bold")
            scene()
        return self._played

    def _account_created(self) -> None:
        """A person creates an account in Dataverse: the ERP gets a customer, its number is written back."""
        columns = {
            "name": "Alpine Ski House",
            "emailaddress1": "office@alpineskihouse.example",
            "accountnumber": "FN 123456a",
            "address1_country": "Austria",
        }
        self._change("account created", ACCOUNT, lambda: self._client.dataverse.create("account", columns, ACCOUNT))

    def _captured_update(self) -> None:
        """A captured webhook of a real environment, an Update of the same account: already done, so superseded."""
        self._send_captured("captured update", "webhook_async_update_account_2019.json")

    def _captured_again(self) -> None:
        """The same webhook is delivered once more: the same event, nothing happens twice."""
        answer = self._client.app.post_webhook((PAYLOADS / "webhook_async_update_account_2019.json").read_bytes())
        self._played.redelivered_as = answer.json()["eventId"]
        again = short_id(self._played.redelivered_as)
        self._screen.say(f"{answer.status_code}, and the event is {again} again", indent=13)

    def _captured_lead(self) -> None:
        """A captured Create of a lead: no handler handles it, analytics gets it."""
        self._send_captured("captured lead", "webhook_sync_create_lead.json")

    def _other_ways(self) -> None:
        """Further leads come by a queue, a topic, a hub, Event Grid, and as rows of a flow: events like any other."""
        captured = json.loads(_payload("webhook_sync_create_lead.json"))
        sent = datetime.now(UTC)
        leads = {way: str(uuid.uuid4()) for way in self._ways}
        for way, send in self._ways.items():
            send(json.dumps(captured | {"PrimaryEntityId": leads[way], "OperationId": str(uuid.uuid4())}))
        for way, lead in leads.items():
            event_id = eventually(
                partial(self._client.app.newest_event, "lead", lead, since=sent), within=_WITHIN, what=f"by {way}"
            )
            status = self._client.app.wait_for(str(event_id))
            self._played.events[way] = status
            self._screen.say(f"{way}: event {short_id(status['eventId'])}, {status['state']}", indent=13)

    def _opportunity_created(self) -> None:
        """A person creates an opportunity of 48,000 EUR: credit scoring approves."""
        self._played.opportunity = str(uuid.uuid4())
        self._create_opportunity("opportunity created", self._played.opportunity, "Two chair lifts", "EUR")

    def _amount_raised(self) -> None:
        """Its amount is raised to 320,000 EUR: scored again, somebody has to review it."""
        self._update_opportunity("amount raised", {"estimatedvalue": RAISED_AMOUNT})

    def _save_refused(self) -> None:
        """A person enters 2,000,000 EUR; a synchronous step asks for credit: the save is refused, and says why."""
        dataverse, before = self._client.dataverse, self._client.dataverse.last_event()
        try:
            dataverse.update("opportunity", self._played.opportunity, {"estimatedvalue": REFUSED_AMOUNT})
        except requests.HTTPError as refused:
            self._played.told = str(refused).rpartition("answered 400: ")[2]
        self._played.asked = len(dataverse.questions(after=before))
        self._screen.say(self._played.told or "it was saved", indent=13)

    def _plug_in_reports_the_same(self) -> None:
        """A plug-in reports that change too, in its own payload: superseded, no second charge."""
        payload = json.loads((PAYLOADS / "constructed" / "plugin_opportunityupdated.json").read_text(encoding="utf-8"))
        payload |= {"RecordId": self._played.opportunity, "ChangedFields": ["estimatedvalue"]}
        sent = datetime.now(UTC)
        answer = self._client.app.post_plugin_event(payload)
        self._played.events["plug-in payload"] = self._journeys.of_request(sent, answer, "plug-in")

    def _opportunity_won(self) -> None:
        """The opportunity is won: the ERP gets an order."""
        row_id = self._played.opportunity
        self._change("opportunity won", row_id, lambda: self._client.dataverse.win(row_id))

    def _order_shipped(self) -> None:
        """The order is shipped in the ERP, which says so: the opportunity shows it."""
        sent = datetime.now(UTC)
        record = self._client.erp.ship(self._played.opportunity)["record"]
        event_id = eventually(
            lambda: self._client.app.newest_event("erp.order", record, since=sent), within=_WITHIN, what="its event"
        )
        self._played.events["order shipped"] = self._journeys.of_event(str(event_id), sent)

    def _balance_looked_up(self) -> None:
        """A person opens the customer in Dataverse as a virtual table: its balance is read from the ERP, not copied."""
        dataverse = self._client.dataverse
        number = dataverse.retrieve("account", ACCOUNT)["new_erpnumber"]
        rows = dataverse.matching("new_erpcustomers", f"new_number eq '{number}'")
        self._played.looked_up = rows[0] if rows else {}
        shown = {name.removeprefix("new_"): value for name, value in self._played.looked_up.items()}
        names = ("number", "name", "balance", "creditlimit", "currency")
        said = ", ".join(f"{name} {shown[name]}" for name in names if shown.get(name) is not None)
        self._screen.say(said or "there is no such row", indent=13)

    def _unknown_currency(self) -> None:
        """An opportunity in a currency that credit scoring refuses: a dead letter that says why."""
        self._client.dataverse.currency("XXX", "No currency")
        self._played.refused = str(uuid.uuid4())
        self._create_opportunity("unknown currency", self._played.refused, "In no currency", "XXX")

    def _create_opportunity(self, scene: str, row_id: str, name: str, currency: str) -> None:
        dataverse = self._client.dataverse
        columns = {
            "name": name,
            "estimatedvalue": AMOUNT,
            "customerid_account@odata.bind": f"/accounts({ACCOUNT})",
            "transactioncurrencyid@odata.bind": f"/transactioncurrencies({dataverse.currency(currency, currency)})",
        }
        self._change(scene, row_id, lambda: dataverse.create("opportunity", columns, row_id))

    def _update_opportunity(self, scene: str, columns: dict[str, Any]) -> None:
        row_id = self._played.opportunity
        self._change(scene, row_id, lambda: self._client.dataverse.update("opportunity", row_id, columns))

    def _change(self, scene: str, row_id: str, change: Callable[[], object]) -> None:
        before = self._client.dataverse.last_event()
        change()
        self._played.changes += 1
        self._played.events[scene] = self._journeys.of_row(row_id, before)

    def _send_captured(self, scene: str, name: str) -> None:
        sent = datetime.now(UTC)
        answer = self._client.app.post_webhook(_payload(name))
        self._played.events[scene] = self._journeys.of_request(sent, answer, "Dataverse")


def _payload(name: str) -> bytes:
    path: Path = PAYLOADS / name
    return path.read_bytes()

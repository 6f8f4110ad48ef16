"""The checker itself: a history as it should be passes, and each way to break a promise is seen."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.books.history import Answer, History
from tests.chaos.app.changes import EURO, Changes
from tests.chaos.app.checker import counts, violations

ACCOUNT, WON, OPEN, GONE, REFUSED = (f"{n}0000000-0000-4000-8000-000000000000" for n in "awodf")
STRANGE = "c0000000-0000-4000-8000-00000000000x"
SCORED = {"new_creditscore": 800, "new_creditdecision": 1}
SYNCED = {"new_syncstatus": 1, "new_syncmessage": None}


def sound() -> History:
    """A customer renamed once; orders won, held, and gone; a currency that nobody takes; our own write-back."""
    history = History(1, currencies={EURO: "EUR", STRANGE: "XXX"}, unacceptable=[f"opportunity:{REFUSED}"])
    history.answers = [
        Answer("e1", f"account:{ACCOUNT}", own=False, status="accepted"),
        Answer("e1", f"account:{ACCOUNT}", own=False, status="accepted"),
        Answer("e2", f"opportunity:{WON}", own=False, status="accepted"),
        Answer("e3", f"opportunity:{OPEN}", own=False, status="accepted"),
        Answer("e4", f"opportunity:{REFUSED}", own=False, status="accepted"),
        Answer("w1", f"account:{ACCOUNT}", own=True, status="own-write"),
    ]
    done = {"state": "completed", "reason": None, "detail": None}
    letter = {"state": "dead-lettered", "reason": "credit-rejected", "detail": "unknown currency"}
    history.operations = {"e1": done, "e2": done, "e3": dict(done, state="superseded"), "e4": letter, "w1": None}
    history.rows = {
        f"account:{ACCOUNT}": {
            "name": "North", "telephone1": None, "_transactioncurrencyid_value": None, "new_erpnumber": "C-1", **SYNCED,
        },
        f"opportunity:{WON}": opportunity(WON, statecode=1, actualvalue=100.5, new_erpnumber="SO-1"),
        f"opportunity:{OPEN}": opportunity(OPEN, new_erpnumber="SO-2"),
        f"opportunity:{GONE}": None,
        f"opportunity:{REFUSED}": opportunity(REFUSED, _transactioncurrencyid_value=STRANGE, new_syncstatus=2),
    }  # fmt: skip
    history.effects = [
        effect("customer-created", ACCOUNT, "C-1", "e1:c:1", customer("South", 10)),
        effect("customer-updated", ACCOUNT, "C-1", "e1:c:2", customer("North", 11)),
        effect("order-created", WON, "SO-1", "e2:o:1", order("confirmed", 12)),
        effect("order-created", OPEN, "SO-2", "e3:o:1", order("confirmed", 13)),
        effect("order-updated", OPEN, "SO-2", "e3:o:2", order("on-hold", 14)),
        effect("order-created", GONE, "SO-3", "e5:o:1", order("on-hold", 15)),
    ]
    history.charges = [charge(OPEN, "e3:s:1", "100.50"), charge(WON, "e2:s:1", "7.00")]
    history.dead_letters = ["e4#2"]
    history.archived = [
        {"partition": str(n % 2), "sequenceNumber": n // 2, "id": f"e{n + 1}", "state": state}
        for n, state in enumerate(("completed", "completed", "superseded", "dead-lettered"))
    ]
    history.shown = {"e1": "completed"}
    history.problems = {"e4": ["dead-lettered"], "e2": ["system-behind"]}
    history.hub = {"0": 2, "1": 2}
    return history


def opportunity(row_id: str, **columns: Any) -> dict[str, Any]:
    return {
        "opportunityid": row_id,
        "name": "Deal",
        "statecode": 0,
        "estimatedvalue": 100.5,
        "actualvalue": None,
        "actualclosedate": "2026-11-20",
        "_customerid_value": ACCOUNT,
        "_transactioncurrencyid_value": EURO,
        "new_erpnumber": None,
        **SCORED,
        **SYNCED,
        **columns,
    }


def customer(name: str, version: int) -> dict[str, Any]:
    return {"name": name, "phone": None, "currency": None, "status": "active", "sourceVersion": version}


def order(status: str, version: int) -> dict[str, Any]:
    return {
        "customerId": ACCOUNT,
        "title": "Deal",
        "amount": "100.50",
        "currency": "EUR",
        "closedOn": "2026-11-20",
        "status": status,
        "sourceVersion": version,
    }


def effect(kind: str, row_id: str, number: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "id": row_id, "number": number, "key": key, "body": body}


def charge(row_id: str, key: str, amount: str) -> dict[str, Any]:
    asked = {"reference": row_id, "subjectId": ACCOUNT, "amount": amount, "currency": "EUR"}
    return {**asked, "key": key, "score": 800, "decision": "approved"}


def test_a_sound_history_passes() -> None:
    assert violations(sound()) == []
    assert counts(sound())["events"] == 4


def set_row(record: str, **columns: Any) -> Callable[[History], None]:
    def corrupt(history: History) -> None:
        row = history.rows[record]
        assert row is not None
        row.update(columns)

    return corrupt


def effect_again(number: int, **changes: Any) -> Callable[[History], None]:
    return lambda history: history.effects.append(history.effects[number] | changes)


CORRUPTIONS: dict[str, tuple[str, Callable[[History], None]]] = {
    "the ledger lost an event": ("lost", lambda h: h.operations.update(e2=None)),
    "an event never ends": ("lost", lambda h: h.operations["e1"].update(state="processing")),  # type: ignore[union-attr]
    "an effect twice under one key": ("done twice", effect_again(1)),
    "a customer created twice": ("done twice", effect_again(0, key="e9:c:1")),
    "an order made twice": ("done twice", effect_again(2, key="e9:o:1")),
    "a charge twice under one key": ("done twice", lambda h: h.charges.append(h.charges[0])),
    "one question is charged twice": ("charged twice", lambda h: h.charges.append(charge(OPEN, "e3:s:9", "100.5"))),
    "a message is left in the queue": ("lost", lambda h: h.queue.update(locked=1)),
    "one state is charged twice": ("charged twice", lambda h: h.charges.append(charge(OPEN, "e8:s:1", "100.50"))),
    "a version goes back": ("out of order", effect_again(0, key="e9:c:9", kind="customer-updated")),
    "the ERP has an old name": ("not converged", set_row(f"account:{ACCOUNT}", name="East")),
    "the ERP number was not written back": ("not converged", set_row(f"account:{ACCOUNT}", new_erpnumber=None)),
    "the ERP has no customer": ("not converged", lambda h: h.effects.__delitem__(slice(2))),
    "an order has another amount": ("not converged", set_row(f"opportunity:{WON}", actualvalue=99)),
    "an order is missing": ("not converged", lambda h: h.effects.__delitem__(2)),
    "a reopened opportunity's order goes on": ("not converged", lambda h: h.effects.__delitem__(4)),
    "a deleted opportunity's order goes on": ("not converged", effect_again(2, id=GONE, key="e9:o:9")),
    "a score belongs to another amount": ("not converged", set_row(f"opportunity:{OPEN}", estimatedvalue=7)),
    "a score was not written back": ("not converged", set_row(f"opportunity:{OPEN}", new_creditscore=None)),
    "a failed row says it is synced": ("not converged", set_row(f"opportunity:{REFUSED}", new_syncstatus=1)),
    "a synced row says it failed": ("not converged", set_row(f"opportunity:{WON}", new_syncstatus=2)),
    "a dead-lettered event is in no queue": ("dead letters", lambda h: h.dead_letters.clear()),
    "a dead letter of an event that has ended well": ("dead letters", lambda h: h.dead_letters.append("e1#1")),
    "a dead letter without a reason": ("dead-letter reason", lambda h: h.operations["e4"].update(detail="")),  # type: ignore[union-attr]
    "a sound record is dead-lettered": ("dead-letter reason", lambda h: h.unacceptable.clear()),
    "an event waits for ever in the list of problems": ("two statuses", lambda h: h.problems.update(e1=["waiting"])),
    "the status route says something else": ("two statuses", lambda h: h.shown.update(e1="waiting")),
    "analytics was told something else": ("two statuses", lambda h: h.archived[0].update(state="superseded")),
    "analytics was told two things": (
        "two statuses", lambda h: h.archived.append(dict(h.archived[0], sequenceNumber=9, state="dead-lettered"))
    ),
    "analytics lacks an event": ("archive", lambda h: h.archived[0].update(id="e9")),
    "the archive lacks a line": ("archive", lambda h: h.hub.update({"1": 3})),
    "a line is there twice": ("archive", lambda h: h.archived.append(h.archived[0])),
    "our own write is worked on": ("own writes", lambda h: h.operations.update(w1=h.operations["e1"])),
    "our own write is accepted": (
        "own writes", lambda h: h.answers.append(Answer("e1", f"account:{ACCOUNT}", own=True, status="accepted"))
    ),
    "a person's change is taken for ours": (
        "own writes", lambda h: h.answers.append(Answer("w2", f"account:{ACCOUNT}", own=False, status="own-write"))
    ),
    "two records under one event id": (
        "identity", lambda h: h.answers.append(Answer("e1", f"opportunity:{WON}", own=False, status="accepted"))
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corrupted_history_is_seen(name: str) -> None:
    """One thing is wrong, and it is named by the promise that it breaks."""
    promise, corrupt = CORRUPTIONS[name]
    history = copy.deepcopy(sound())
    corrupt(history)
    assert promise in {violation.promise for violation in violations(history)}


def test_a_history_can_be_kept_and_read_again(tmp_path: Path) -> None:
    """What is written down for a violation is what the checker has seen."""
    sound().save(tmp_path / "history.json")
    assert History.load(tmp_path / "history.json") == sound()


def test_the_same_seed_draws_the_same_changes() -> None:
    """A run can be repeated by its seed; another seed is another run."""
    first, again, other = (list(Changes(seed, unknown_currency="x").draw(200)) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert {change.action for change in first} == {"create", "update", "win", "delete"}
    assert json.dumps([change.columns for change in first])

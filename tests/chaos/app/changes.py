"""The changes that people make in one run, drawn from a seed: the same seed, the same changes."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

EURO = "c0000000-0000-4000-8000-000000000001"
_AMOUNTS = (100, 4_200.5, 99_999.99, 250_000, 999_999, 1_000_000, 2_500_000)
_NAMES = ("North", "South", "East")  # few, so that a row comes back to a state that it had before
_PHONES = ("1", "2", None)
_RECENT = 8
COPIES = (1, 2, 3, 5)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one row.

    `columns` may be written again without harm. With `copies` Dataverse's own steps do not fire, and so many
    webhooks about it are posted directly.
    """

    action: str  # create, update, win, delete
    table: str
    row_id: str
    columns: dict[str, Any] = field(default_factory=dict)
    copies: int = 0

    @property
    def record(self) -> str:
        return f"{self.table}:{self.row_id}"


@dataclass(slots=True)
class _Opportunity:
    row_id: str
    unacceptable: bool
    won: bool = False


class Changes:
    """Draws changes; `unknown_currency` is the id of the currency that no system takes, `share` how often it is used.

    With `always_copies`, each change that can be posted by hand is posted 1 to 5 times; otherwise some are.
    """

    def __init__(self, seed: int, *, unknown_currency: str, share: float = 0.06, always_copies: bool = False) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- repeatable
        self._unknown_currency = unknown_currency
        self._share = share
        self._posted = 1.0 if always_copies else 0.3
        self._accounts: list[str] = []
        self._opportunities: list[_Opportunity] = []
        self.unacceptable: list[str] = []

    def draw(self, count: int) -> Iterator[Change]:
        """So many changes; a row is often changed again before its last event is done with."""
        yield self._create_account()
        yield self._create_opportunity()
        for _ in range(count - 2):
            yield self._random.choices(
                (
                    self._create_account,
                    self._create_opportunity,
                    self._change_account,
                    self._change_opportunity,
                    self._close,
                    self._delete,
                ),
                (1, 3, 4, 9, 2, 0.5),
            )[0]()

    def _create_account(self) -> Change:
        row_id, name = self._guid(), self._random.choice(_NAMES)
        unacceptable = self._random.random() < self._share and self._accounts
        if unacceptable:  # never anybody's customer: its orders would all be refused
            self.unacceptable.append(f"account:{row_id}")
            return Change("create", "account", row_id, {"name": name} | self._currency(self._unknown_currency))
        self._accounts.append(row_id)
        return Change("create", "account", row_id, {"name": name}, self._copies())

    def _create_opportunity(self) -> Change:
        unacceptable = self._random.random() < self._share
        it = _Opportunity(self._guid(), unacceptable)
        self._opportunities.append(it)
        columns = {"name": self._random.choice(_NAMES), "estimatedvalue": self._random.choice(_AMOUNTS)}
        columns |= self._customer() | self._currency(self._unknown_currency if unacceptable else EURO)
        if unacceptable:
            self.unacceptable.append(f"opportunity:{it.row_id}")
        return Change("create", "opportunity", it.row_id, columns, self._copies())

    def _change_account(self) -> Change:
        columns = self._random.choice(
            (
                {"name": self._random.choice(_NAMES)},
                {"telephone1": self._random.choice(_PHONES)},
                {"description": self._guid()},
            )
        )
        return Change("update", "account", self._recent(self._accounts), columns, self._copies())

    def _change_opportunity(self) -> Change:
        it = self._recent(self._opportunities)
        if it.won:
            columns: dict[str, Any] = {"name": self._random.choice(_NAMES)}
        elif it.unacceptable and self._random.random() < 0.5:
            it.unacceptable, columns = False, self._currency(EURO)
        elif self._random.random() < self._share:
            it.unacceptable, columns = True, self._currency(self._unknown_currency)
            self.unacceptable.append(f"opportunity:{it.row_id}")
        else:
            amount = {"estimatedvalue": self._random.choice(_AMOUNTS)}
            others = ({"name": self._random.choice(_NAMES)}, {"description": self._guid()}, self._customer())
            columns = self._random.choice((amount, amount, amount, *others))
        return Change("update", "opportunity", it.row_id, columns, self._copies())

    def _close(self) -> Change:
        it = self._recent(self._opportunities)
        if it.won:
            it.won = False
            return Change("update", "opportunity", it.row_id, {"statecode": 0, "statuscode": 1})
        it.won = True
        return Change("win", "opportunity", it.row_id)

    def _delete(self) -> Change:
        if len(self._opportunities) < _RECENT:
            return self._create_opportunity()
        it = self._opportunities.pop(self._random.randrange(len(self._opportunities)))
        return Change("delete", "opportunity", it.row_id)

    def _customer(self) -> dict[str, Any]:
        return {"customerid_account@odata.bind": f"/accounts({self._recent(self._accounts)})"}

    @staticmethod
    def _currency(row_id: str) -> dict[str, Any]:
        return {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({row_id})"}

    def _copies(self) -> int:
        return self._random.choice(COPIES) if self._random.random() < self._posted else 0

    def _recent(self, rows: list[Any]) -> Any:
        return self._random.choice(rows[-_RECENT:])

    def _guid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

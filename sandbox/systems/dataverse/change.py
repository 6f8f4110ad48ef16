"""One write as the platform processes it: what was sent, what was stored, and who sent it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from sandbox.systems.dataverse.environment import Client
from sandbox.systems.dataverse.schema import Table
from sandbox.systems.dataverse.store import Row, Values

NO_ROW = "00000000-0000-0000-0000-000000000000"


def _guid() -> str:
    return str(uuid4())


@dataclass(frozen=True)
class RequestIds:
    """What the events of one request have in common; a change set is one request."""

    request: str = field(default_factory=_guid)
    correlation: str = field(default_factory=_guid)


@dataclass(frozen=True)
class RequestInfo:
    """The caller, and the options of its request.

    `user` acts; `on_behalf_by` is the caller when it impersonates `user`. What is made becomes a component of the
    `solution` of that unique name. `bypassed_steps` are not run, nor are steps of `bypassed_logic` (CustomSync,
    CustomAsync).
    """

    user: Client
    on_behalf_by: str | None = None
    tag: str | None = None
    solution: str | None = None
    bypassed_steps: frozenset[str] = frozenset()
    bypassed_logic: frozenset[str] = frozenset()
    ids: RequestIds = field(default_factory=RequestIds)


@dataclass(frozen=True)
class Change:
    """A Create, Update, Delete or Merge of one row, a message of several `rows`, or a call of a custom API without one.

    `sent` are the columns of the request, `target` these and what the platform adds; `before` and `after` are the whole
    row (None where there is none). `subordinate_id` is the row that a Merge merges into this one, `rows` are what a
    message of several rows consists of, `parameters` those of a custom API.
    """

    message: str
    table: Table
    row_id: str
    request: RequestInfo
    sent: Values = field(default_factory=dict)
    target: Values = field(default_factory=dict)
    before: Row | None = None
    after: Values | None = None
    subordinate_id: str = ""
    rows: "tuple[Change, ...]" = ()
    parameters: tuple[tuple[str, Any], ...] | None = None

    @classmethod
    def multiple(cls, rows: "tuple[Change, ...]") -> "Change":
        """CreateMultiple or UpdateMultiple of rows of one table, as a step on that message sees them."""
        first = rows[0]
        return cls(f"{first.message}Multiple", first.table, NO_ROW, first.request, rows=rows)

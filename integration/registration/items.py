"""What is declared, and what is found in an environment, in the same words, so that the two can be compared."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integration.registration.privileges import Need, Privilege

KINDS = (
    "publisher",
    "solution",
    "change-tracking",
    "column",
    "key",
    "data-source",
    "virtual-table",
    "virtual-column",
    "virtual-events",
    "custom-api",
    "parameter",
    "response",
    "catalog",
    "category",
    "assignment",
    "role",
    "user",
    "managed-identity",
    "endpoint",
    "step",
    "image",
)
"""All kinds, in the order in which they are made; they are deleted in the reverse order."""

_NAMESPACE = uuid.UUID("6f1b8f0e-6c8f-4d0c-9a55-3f0b2f5f8c11")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is declared: `step.account.Update`. `fields` are what is compared, and read back after a write.

    `description` is for people, `schema_name` that of a column or key; `external` says of a custom API that it is an
    event of another system.
    """

    kind: str
    name: str
    fields: Mapping[str, Any]
    description: str = ""
    schema_name: str = ""
    external: bool = False

    @property
    def address(self) -> str:
        """How people name it."""
        return f"{self.kind}.{self.name}"

    @property
    def id(self) -> str:
        """The id of its row: the same in every environment, so that a solution can be moved from one to the next."""
        return str(uuid.uuid5(_NAMESPACE, self.address))


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is there. `owned` says whether it has our mark, `managed` whether a managed solution holds it."""

    kind: str
    name: str
    id: str
    fields: Mapping[str, Any]
    owned: bool
    managed: bool = False
    description: str = ""
    notes: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """As that of an item."""
        return f"{self.kind}.{self.name}"


@dataclass(frozen=True, slots=True)
class Filter:
    """A message filter: whether, and under which ids, steps can be registered for a message of a table."""

    id: str
    message_id: str
    steps_allowed: bool


@dataclass(slots=True)
class State:
    """What was read of an environment.

    `columns` are the names of all columns by table; a table that does not exist has no entry. `filters` are by table
    and message. `others` counts what is not ours and needs it: by the id of an endpoint the steps that call it, by
    that of a managed identity the endpoints that sign in with it. `takes_charset` and `takes_identity` say which of the
    newer columns service endpoints have. `subscribers` names the steps that are not ours on custom APIs of ours.
    `privileges` are those of the tables, `table_ids` the MetadataIds of virtual tables and of those in the catalog,
    `data_provider` is the id of the OData v4 data provider, `behind` are the tables behind navigation properties that
    flows read, and `business_unit` is the id of the one at the top. `volumes` counts the rows of a week by table and
    message.
    """

    url: str
    organisation: str
    found: dict[str, Found] = field(default_factory=dict)
    columns: dict[str, frozenset[str]] = field(default_factory=dict)
    filters: dict[tuple[str, str], Filter] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    subscribers: dict[str, list[str]] = field(default_factory=dict)
    volumes: dict[tuple[str, str], int] = field(default_factory=dict)
    table_ids: dict[str, str] = field(default_factory=dict)
    privileges: dict[Need, Privilege] = field(default_factory=dict)
    behind: dict[tuple[str, str], str] = field(default_factory=dict)
    business_unit: str = ""
    data_provider: str | None = None
    publisher_prefix: str | None = None
    takes_charset: bool = True
    takes_identity: bool = True
    twice: tuple[str, ...] = ()

    def add(self, found: Found) -> None:
        """Keep what was found; of two with one address the first counts, and `twice` names it.

        An endpoint of somebody else with the name of ours is not ours twice: no step of ours calls it.
        """
        if found.address not in self.found:
            self.found[found.address] = found
        elif found.owned or found.kind == "step":
            self.twice = (*self.twice, found.address)


def of_step(name: str) -> tuple[str, str, str]:
    """Table, message and check of a step's name: `account.Update`, or `opportunity.Update.credit-check`."""
    table, _, rest = name.partition(".")
    message, _, check = rest.partition(".")
    return table, message, check


def mark(owner: str) -> str:
    """What the description of everything that is ours contains."""
    return f"[managed by {owner}]"

"""The privileges that the app's user needs: they follow from the flows, and there are no others in its role."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from integration.flow import Columns, Flow, InboundFlow
from integration.flow.columns import with_currency
from integration.flow.discovery import AnyFlow

CURRENCY: Final = "transactioncurrency"
REGISTRATION: Final = (
    *("publisher", "solution", "role", "systemuser", "businessunit", "managedidentity", "serviceendpoint"),
    *("sdkmessage", "sdkmessagefilter", "sdkmessageprocessingstep", "sdkmessageprocessingstepimage"),
    *("customapi", "customapirequestparameter", "customapiresponseproperty", "catalog", "catalogassignment"),
    *("entitydataprovider", "msdyn_odatav4ds", "virtualentitymetadata"),
)
"""Tables in which stands what is registered."""
DEFINITIONS: Final = ("prvReadEntity", "prvReadAttribute", "prvReadRelationship", "prvReadOptionSet")
"""Privileges to read the definitions of tables and columns; they belong to no table that has a definition itself."""
READ, WRITE, CREATE = "Read", "Write", "Create"
"""Kinds of privileges, as `PrivilegeType` of Web API metadata names them."""
DEPTHS: Final[Mapping[str, str]] = {"organization": "Global", "parent-child": "Deep", "business-unit": "Local"}
"""How far the app reaches: by the words of the declaration, the members of PrivilegeDepth."""


@dataclass(frozen=True, slots=True)
class Need:
    """A privilege of one kind on a table; without a table, `kind` is the name of the privilege."""

    table: str
    kind: str


@dataclass(frozen=True, slots=True)
class Privilege:
    """A privilege as the metadata of its table have it; `depths` are those at which it can be given."""

    name: str
    id: str
    depths: frozenset[str]

    def at(self, depth: str) -> str:
        """The depth at which it is given: that of the whole organisation where there is no smaller one."""
        return depth if depth in self.depths else "Global"


def needed(flows: Collection[AnyFlow], behind: Mapping[tuple[str, str], str]) -> list[Need]:
    """What the flows need, each once.

    They read the tables of columns, write those of result columns, and create rows in those of flows that do.
    `behind` has the tables behind navigation properties, by table and property.
    """
    return list(dict.fromkeys(_needed(flows, behind)))


def to_see_registration() -> list[Need]:
    """What it takes to compare what is registered with what is declared; older environments lack some of it."""
    return [*(Need(table, READ) for table in REGISTRATION), *(Need("", name) for name in DEFINITIONS)]


def _needed(flows: Collection[AnyFlow], behind: Mapping[tuple[str, str], str]) -> Iterator[Need]:
    out = [it for it in flows if isinstance(it, Flow)]
    yield from (Need(table, READ) for it in flows for table in it.tables)
    for flow in out:
        yield from (Need(table, READ) for table in tables_behind(flow.table, flow.columns, behind))
    if any(with_currency(it.columns) for it in out):
        yield Need(CURRENCY, READ)
    yield from (Need(table, WRITE) for it in flows if it.written for table in it.tables)
    creating = (it for it in flows if isinstance(it, InboundFlow) and it.creates)
    yield from (Need(table, CREATE) for it in creating for table in it.tables)


def tables_behind(table: str, columns: type[Columns], behind: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """The tables of the rows that are read together with a row, as far as they are known."""
    for navigation, related in related_columns(columns):
        if target := behind.get((table, navigation)):
            yield target
            yield from tables_behind(target, related, behind)


def related_columns(columns: type[Columns]) -> Iterator[tuple[str, type[Columns]]]:
    """The navigation properties that are read, and what of the rows behind them."""
    for it in columns.declared.values():
        if it.related is not None:
            yield it.name, it.related


def as_listed(name: str, depth: str) -> str:
    """A privilege as a plan shows it."""
    return f"{name} ({depth})"


def from_listed(listed: Iterable[str], names: Collection[str]) -> dict[Need, Privilege]:
    """The privileges of these names and of no table, of those that a role has (`as_listed`)."""
    parts = (it.rpartition(" (") for it in listed)
    return {Need("", name): Privilege(name, "", frozenset({depth[:-1]})) for name, _, depth in parts if name in names}


def from_row(row: Mapping[str, Any]) -> Privilege:
    """A privilege of no table, from its row."""
    able = frozenset(depth for depth in ("Basic", "Local", "Deep", "Global") if row[f"canbe{depth.lower()}"])
    return Privilege(row["name"], row["privilegeid"], able)


def from_metadata(table: str, found: Collection[Mapping[str, Any]]) -> dict[Need, Privilege]:
    """The privileges of a table, from the property `Privileges` of its definition."""
    depths = {"Basic": "CanBeBasic", "Local": "CanBeLocal", "Deep": "CanBeDeep", "Global": "CanBeGlobal"}
    return {
        Need(table, it["PrivilegeType"]): Privilege(
            it["Name"], it["PrivilegeId"], frozenset(depth for depth, able in depths.items() if it[able])
        )
        for it in found
    }

"""One environment: planned, brought to the declaration, adopted, emptied. All commands work through this."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from integration.errors import ConfigurationError
from integration.flow.discovery import AnyFlow
from integration.registration import rules
from integration.registration.applying import Applying
from integration.registration.applying_custom_apis import SETS as CUSTOM_API_SETS
from integration.registration.applying_endpoints import Secret, has_key, said_of_key
from integration.registration.comparing import PARTS, compare, deletion, goes_with_table, in_order_of_deletion
from integration.registration.declaration import Declaration, Values, secret
from integration.registration.endpoints import secret_of
from integration.registration.items import Found, Item, State
from integration.registration.plan import Change, Plan
from integration.registration.reading import read
from integration.registration.served_metadata import ServedType
from integration.registration.virtual_tables import differences, virtual_items
from integration.registration.wanted import wanted
from integration.registration.web_api import WebApi
from integration.synchronous import Check
from integration.virtual_tables.entity_set import EntitySet

DATA = frozenset({"column", "key"})
"""Kinds whose deletion takes values of rows, or ways to address them, with it."""
_FOUNDATIONS = (
    *("publisher", "solution", "role", "data-source", "virtual-table", "virtual-column"),
    *CUSTOM_API_SETS,
)
_NO_MARK = frozenset({"change-tracking", "key", "image", "user", *PARTS})
_STAYS = frozenset({"change-tracking", "user"})


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of an environment, what is declared for it, and the plan that follows."""

    state: State
    items: tuple[Item, ...]
    plan: Plan


class Environment:
    """An environment as `api` reaches it; `today` gives the day for the record of when a key was sent."""

    def __init__(
        self,
        api: WebApi,
        flows: Collection[AnyFlow],
        declaration: Declaration,
        values: Values,
        *,
        today: Callable[[], date],
        checks: Mapping[str, Check] = MappingProxyType({}),
        find_secret: Callable[[str], str] = secret,
        sets: Collection[EntitySet] = (),
        served: Callable[[], Awaitable[Mapping[str, ServedType]]] | None = None,
    ) -> None:
        """`served` reads what the app serves of the entity `sets`; without it, virtual tables are left alone."""
        self._api, self._flows, self._declaration, self._values = api, flows, declaration, values
        self._sets, self._served = sets, served
        self._today, self._find_secret, self._checks = today, find_secret, checks

    async def read(self) -> Read:
        """Read and compare; raises `ConfigurationError` where it is not the organisation that the values name."""
        self._api.solution = None
        served = await self._served() if self._served is not None else None
        virtual: list[Item] = []
        if served is not None:
            virtual = list(virtual_items(self._sets, served, self._declaration, self._values))
        state = await read(self._api, self._flows, self._declaration, self._values, virtual)
        expected = self._values.organisation
        if expected is not None and expected != state.organisation.lower():
            raise ConfigurationError(
                f"{state.url} is the organisation {state.organisation}, and the values are those of {expected}. "
                "Nothing was changed."
            )
        items = tuple(wanted(self._flows, self._declaration, self._values, state, virtual, checks=self._checks))
        differs = differences(self._sets, served) if served is not None else ()
        untracked = rules.untracked(self._flows, self._declaration, state)
        return Read(state, items, compare(items, state, (*differs, *untracked)))

    async def apply(self, now: Read, done: Callable[[Change], None], *, allow_delete: bool = False) -> list[Change]:
        """Carry out a plan that was just read; the deletions that were not allowed."""
        return await self._applying(now).apply(now.plan, done, allow_delete=allow_delete)

    async def rotate(self, now: Read) -> None:
        """Send the keys of the endpoints and of the data source again, as far as they are ours."""
        keyed = {it.address for it in now.items if has_key(it)}
        ours = [it for it in now.state.found.values() if it.owned and it.address in keyed]
        if not ours:
            raise ConfigurationError("There is no endpoint of this app whose key could be sent again.")
        applying = self._applying(now)
        for endpoint in ours:
            await applying.rotate(endpoint.name)
        source = now.state.found.get(f"data-source.{self._declaration.virtual_tables.data_source}")
        if self._served is not None and source is not None and source.owned:
            await applying.virtual_tables.rotate(source.id)

    async def adopt(self, now: Read, addresses: Iterable[str]) -> None:
        """Put our mark on what is there; raises `ConfigurationError` where that is not possible."""
        able = {it.address for it in adoptable(now)}
        for address in addresses:
            if address not in able:
                raise ConfigurationError(
                    f"{address} cannot be imported: it does not exist, is managed already, or is not declared"
                )
        descriptions = {it.address: it.description for it in now.items}
        for address in addresses:
            await self._applying(now).adopt(address, descriptions[address])

    async def destroy(self, now: Read, done: Callable[[Change], None], *, with_columns: bool) -> None:
        """Delete what is ours, what depends on others first."""
        changes = tuple(map(deletion, deletable(now.state, with_columns=with_columns)))
        plan = Plan(now.state.url, now.state.organisation, changes)
        await self._applying(now, solution=False).apply(plan, done, allow_delete=True)

    def _applying(self, now: Read, *, solution: bool = True) -> Applying:
        """`MSCRM.SolutionUniqueName` names the solution as soon as it is there."""
        name = self._declaration.solution.unique_name
        self._api.solution = name if solution and f"solution.{name}" in now.state.found else None
        return Applying(self._api, now.items, now.state, self._declaration.name, self._secret, self._source_key)

    def _source_key(self) -> tuple[str, str]:
        """The key of the data source, and what its description says of it."""
        reference = self._values.virtual_tables_key or ""
        return self._find_secret(reference), said_of_key(reference, self._today())

    def _secret(self, endpoint: str) -> Secret:
        reference = secret_of(endpoint, self._values)
        return Secret(endpoint, self._find_secret(reference), reference, self._today())


def adoptable(now: Read) -> list[Found]:
    """What is declared, there, and not ours."""
    declared = {it.address for it in now.items}
    return [
        it
        for it in now.state.found.values()
        if not it.owned and it.address in declared and it.kind not in {*_NO_MARK, "publisher", "solution"}
    ]


def deletable(state: State, *, with_columns: bool) -> list[Found]:
    """What is ours and can be deleted. What others need stays: an endpoint that their steps call, its identity.

    Columns, custom APIs, the catalog, the role and what holds them are deleted only if that is asked for.
    """
    stays = _STAYS | (frozenset() if with_columns else {*DATA, *_FOUNDATIONS})
    found = [it for it in state.found.values() if it.owned and it.kind not in stays and it.id not in state.others]
    tables = {it.name for it in found if it.kind == "virtual-table"}
    return in_order_of_deletion(it for it in found if not goes_with_table(it, tables))

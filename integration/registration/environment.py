"""One environment: planned, brought to the declaration, adopted, emptied. All commands work through this."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date

from integration.errors import ConfigurationError
from integration.flow.discovery import AnyFlow
from integration.registration.applying import Applying, Secret
from integration.registration.applying_custom_apis import SETS as CUSTOM_API_SETS
from integration.registration.comparing import PARTS, compare, deletion, in_order_of_deletion
from integration.registration.declaration import Declaration, Values, secret
from integration.registration.items import Found, Item, State
from integration.registration.plan import Change, Plan
from integration.registration.reading import read
from integration.registration.wanted import secret_of, wanted
from integration.registration.web_api import WebApi

DATA = frozenset({"column", "key"})
"""Kinds whose deletion takes values of rows, or ways to address them, with it."""
_FOUNDATIONS = ("publisher", "solution", "role", *CUSTOM_API_SETS)
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
        find_secret: Callable[[str], str] = secret,
    ) -> None:
        self._api, self._flows, self._declaration, self._values = api, flows, declaration, values
        self._today, self._find_secret = today, find_secret

    async def read(self) -> Read:
        """Read and compare; raises `ConfigurationError` where it is not the organisation that the values name."""
        self._api.solution = None
        state = await read(self._api, self._flows, self._declaration, self._values)
        expected = self._values.organisation
        if expected is not None and expected != state.organisation.lower():
            raise ConfigurationError(
                f"{state.url} is the organisation {state.organisation}, and the values are those of {expected}. "
                "Nothing was changed."
            )
        items = tuple(wanted(self._flows, self._declaration, self._values, state))
        return Read(state, items, compare(items, state))

    async def apply(self, now: Read, done: Callable[[Change], None], *, allow_delete: bool = False) -> list[Change]:
        """Carry out a plan that was just read; the deletions that were not allowed."""
        return await self._applying(now).apply(now.plan, done, allow_delete=allow_delete)

    async def rotate(self, now: Read) -> None:
        """Send the endpoint's key again, if there is an endpoint of ours."""
        endpoint = now.state.found.get(f"endpoint.{self._declaration.endpoint.kind}")
        if endpoint is None or not endpoint.owned:
            raise ConfigurationError("There is no endpoint of this app whose key could be sent again.")
        await self._applying(now).rotate()

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
        return Applying(self._api, now.items, now.state, self._declaration.name, self._secret)

    def _secret(self) -> Secret:
        reference = secret_of(self._declaration.endpoint, self._values)
        return Secret(self._declaration.endpoint.kind, self._find_secret(reference), reference, self._today())


def adoptable(now: Read) -> list[Found]:
    """What is declared, there, and not ours."""
    declared = {it.address for it in now.items}
    return [
        it
        for it in now.state.found.values()
        if not it.owned and it.address in declared and it.kind not in {*_NO_MARK, "publisher", "solution"}
    ]


def deletable(state: State, *, with_columns: bool) -> list[Found]:
    """What is ours and can be deleted. An endpoint that steps of others call stays.

    Columns, custom APIs, the catalog, the role and what holds them are deleted only if that is asked for.
    """
    stays = _STAYS | (frozenset() if with_columns else {*DATA, *_FOUNDATIONS})
    return in_order_of_deletion(
        it for it in state.found.values() if it.owned and it.kind not in stays and it.id not in state.others
    )

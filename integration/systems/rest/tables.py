"""Lists of the REST contract: an ERP gives its customers and orders by number, a piece at a time."""

from typing import Final
from urllib.parse import urlencode

from integration.errors import Permanent
from integration.systems.messages import CustomerList, OrderList
from integration.systems.odata.calls import Creation, Row
from integration.systems.odata.listing import Listed, Listing
from integration.systems.rest.calls import RestSystem, rest_failure
from integration.transport import CallContext, validated

_LISTS: Final[dict[str, type[CustomerList] | type[OrderList]]] = {"customers": CustomerList, "orders": OrderList}


class RestTables:
    """`Tables` of an ERP that keeps the REST contract, which neither filters nor sorts, except by the id of a row.

    Everything is written through the flows: what is written here is refused (`Permanent`).
    """

    def __init__(self, system: RestSystem) -> None:
        self._system = system

    async def listed(self, kind: str, listing: Listing, *, context: CallContext) -> Listed:
        """The rows from `skip` on, by number; `filter` is empty or `id eq <id>`."""
        asked = {"skip": str(listing.skip), "top": str(listing.top)}
        if listing.filter:
            asked["id"] = listing.filter.removeprefix("id eq ")
        path = f"/api/{kind}?{urlencode(asked)}"
        answer = await self._system.call(f"list {kind}", "GET", path, context=context)
        if not answer.ok:
            raise rest_failure(answer)
        found: CustomerList | OrderList = validated(_LISTS[kind], answer)
        return Listed([it.model_dump(by_alias=True) for it in found.value], found.count)

    async def create(self, kind: str, values: Row, *, context: CallContext) -> Creation:  # noqa: ARG002 -- of the port
        """Refused."""
        raise self._refused(kind)

    async def update(self, kind: str, row: Row, values: Row, *, context: CallContext) -> object:  # noqa: ARG002 -- of the port
        """Refused."""
        raise self._refused(kind)

    async def delete(self, kind: str, row: Row, *, context: CallContext) -> None:  # noqa: ARG002 -- of the port
        """Refused."""
        raise self._refused(kind)

    def _refused(self, kind: str) -> Permanent:
        return Permanent(
            f"{self._system.service} takes {kind} from the flows only", reason=f"{self._system.service}-rejected"
        )

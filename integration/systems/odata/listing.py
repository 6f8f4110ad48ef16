"""Lists of rows as systems that speak OData give them: filtered, sorted and counted by the system itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from pydantic import BaseModel, Field

from integration.systems.odata.calls import Calls, Creation, Row
from integration.transport import CallContext, validated


@dataclass(frozen=True, slots=True)
class Listing:
    """What is asked for; `filter` and `order` are OData as the system reads it, not yet encoded for a URL."""

    top: int
    skip: int = 0
    filter: str = ""
    order: str = ""
    select: tuple[str, ...] = ()
    count: bool = False

    def options(self) -> str:
        """The query options, encoded."""
        given = {
            "$filter": self.filter,
            "$orderby": self.order,
            "$select": ",".join(self.select),
            "$skip": str(self.skip) if self.skip else "",
            "$top": str(self.top),
            "$count": "true" if self.count else "",
        }
        return "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items() if value)


@dataclass(frozen=True, slots=True)
class Listed:
    """The rows, and how many there are in all where that was asked."""

    rows: list[Row]
    count: int | None


class Tables(Protocol):
    """The rows of a company, collection by collection. Raises what the system's calls raise."""

    async def listed(self, kind: str, listing: Listing, *, context: CallContext) -> Listed:
        """The rows that are asked for."""
        ...

    async def create(self, kind: str, values: Row, *, context: CallContext) -> Creation:
        """Ask for a new row; what came of it, which may be that nobody knows."""
        ...

    async def update(self, kind: str, row: Row, values: Row, *, context: CallContext) -> object:
        """Change a row that was read, as long as nobody has changed it since; otherwise `Transient` (conflict)."""
        ...

    async def delete(self, kind: str, row: Row, *, context: CallContext) -> None:
        """Delete a row that was read, as long as nobody has changed it since."""
        ...


async def listed(
    calls: Calls, kind: str, url: str, listing: Listing, context: CallContext, *, url_of: Callable[[str], str] = str
) -> Listed:
    """The rows behind `url`; where the system gives fewer at once, the pages that `url_of` makes of its links."""
    rows: list[Row] = []
    count: int | None = None
    while url:
        page = validated(_Page, await calls.send(calls.request(f"list {kind}", "GET", url), context))
        rows += page.value
        count = page.count if count is None else count
        url = url_of(page.next_link) if page.next_link and len(rows) < listing.top else ""
    return Listed(rows[: listing.top], count)


class _Page(BaseModel):
    value: list[Row]
    count: int | None = Field(default=None, alias="@odata.count")
    next_link: str | None = Field(default=None, alias="@odata.nextLink")

"""GET on an entity set: filter, order, pages, counts and change tracking."""

import re
from bisect import bisect_right
from typing import Any

from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.errors import ODataError, bad_request
from sandbox.systems.dataverse.expansion import Expansion
from sandbox.systems.dataverse.query import PAGE_LIMIT, Preferences, Query
from sandbox.systems.dataverse.representation import Representation
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.selection import Selection, link_with, page_cookie
from sandbox.systems.dataverse.store import Row, Store

OLDEST_DELTA = "oldest delta token"
_LAST = re.compile(r' last="([0-9a-f-]{36})"')
_TRACKED_PAGE = re.compile(r"(\d+)!(\d+)!([0-9a-f-]{36})")
_UNTRACKED = ("$filter", "$orderby", "$expand", "$top", "$count")


class Collections:
    """Answers for entity sets."""

    def __init__(self, store: Store, schema: Schema, representation: Representation) -> None:
        self._store, self._schema, self._representation = store, schema, representation
        self._selection = Selection(store, schema)

    def page(self, table: Table, call: Call, *, among: list[Row] | None = None) -> dict[str, Any]:
        """One page, with `@odata.nextLink` or `@odata.deltaLink` where there is more to come.

        `among` are the rows of a collection-valued navigation property; without, they are those of the table.
        """
        query, preferences = Query.read(call.query), Preferences.read(call.headers)
        self._representation.check(table, query)
        if preferences.track_changes or _is_tracked(call):
            if among is not None:
                raise bad_request("Change tracking is supported for entity sets only.")
            return self._tracked(table, call, query, preferences)
        expansion = Expansion(self._store, self._schema, call, query)
        expansion.check(table, query)
        size = preferences.page_size if query.top is None else min(query.top, PAGE_LIMIT)
        offset, last = _place(call.query.get("$skiptoken"))
        if among is None and not query.order and not query.count and (last or not offset):
            rows, at = self._selection.behind(table, query, last, size + 1), 0
        else:
            rows = self._selection.matching(table, query, among=among)
            at = bisect_right(rows, last, key=lambda row: row.id) if last and not query.order else offset
        answer = self._context(table, call, query)
        if query.count:
            answer["@odata.count"] = min(len(rows), PAGE_LIMIT)
            if preferences.annotates("Microsoft.Dynamics.CRM.totalrecordcount"):
                answer["@Microsoft.Dynamics.CRM.totalrecordcount"] = min(len(rows), PAGE_LIMIT)
                answer["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] = len(rows) > PAGE_LIMIT
        answer["value"] = [
            self._representation.row(table, row, query, preferences, expansion.related) for row in rows[at : at + size]
        ]
        if query.top is None and at + size < len(rows):
            answer["@odata.nextLink"] = link_with(
                call, "$skiptoken", page_cookie(size, offset + size, rows[at + size - 1].id)
            )
        return answer

    def count(self, table: Table, call: Call, *, among: list[Row] | None = None) -> int:
        """`$count`: rows that match, 5,000 at most; with `$deltatoken` the changes and deletions since."""
        query = Query.read(call.query)
        self._representation.check(table, query)
        if "$deltatoken" not in call.query:
            return min(len(self._selection.matching(table, query, among=among)), PAGE_LIMIT)
        self._check_tracked(table, call)
        since, _, _ = self._token(call)
        return len(self._store.rows(table.name, since=since)) + len(self._deleted(table, since))

    def _tracked(self, table: Table, call: Call, query: Query, preferences: Preferences) -> dict[str, Any]:
        """Rows changed since a token, then deletions; pages are cut by primary key so that no row is skipped."""
        self._check_tracked(table, call)
        since, upto, last_id = self._token(call)
        changed = [row for row in self._store.rows(table.name, since=since) if row.id > last_id]
        changed.sort(key=lambda row: row.id)
        page = changed[: preferences.page_size]
        answer = self._context(table, call, query, "/$delta")
        answer["value"] = [self._representation.row(table, row, query, preferences) for row in page]
        if len(changed) > len(page):
            answer["@odata.nextLink"] = link_with(call, "$skiptoken", f"{since}!{upto}!{page[-1].id}")
            return answer
        base = answer["@odata.context"].partition("#")[0]
        answer["value"] += [
            {"@odata.context": f"{base}#{table.set_name}/$deletedEntity", "id": row_id, "reason": "deleted"}
            for row_id in self._deleted(table, since)
        ]
        answer["@odata.deltaLink"] = link_with(call, "$deltatoken", f"{upto}!", without="$skiptoken")
        return answer

    def _check_tracked(self, table: Table, call: Call) -> None:
        if not table.change_tracking:
            raise bad_request(f"Entity: {table.name} doesn't have change tracking enabled.")
        refused = [name for name in _UNTRACKED if name in call.query]
        if refused:
            raise bad_request(f"{refused[0]} is not supported together with change tracking.")

    def _deleted(self, table: Table, since: int) -> list[str]:
        """Deletions since a token; a first synchronisation does not list any."""
        return self._store.deleted(table.name, since=since) if since else []

    def _token(self, call: Call) -> tuple[int, int, str]:
        """Since which version, up to which version, after which primary key."""
        if "$skiptoken" in call.query:
            found = _TRACKED_PAGE.fullmatch(call.query["$skiptoken"])
            if found is None:
                raise bad_request("The skip token is not valid.")
            return int(found[1]), int(found[2]), found[3]
        token = call.query.get("$deltatoken", "0").partition("!")[0]
        if not token.isdigit():
            raise bad_request("The delta token is not valid.")
        if int(token) and int(token) < int(self._store.setting(OLDEST_DELTA) or 0):
            raise ODataError(
                400,
                "0x80044352",
                "Version stamp associated with the client has expired. Please perform a full sync.",
            )
        return int(token), self._store.version(), ""

    def _context(self, table: Table, call: Call, query: Query, suffix: str = "") -> dict[str, Any]:
        return {"@odata.context": f"{call.root}$metadata#{table.set_name}{query.shown}{suffix}"}


def _is_tracked(call: Call) -> bool:
    """Whether a link continues or repeats a synchronisation; its token says so, without the preference."""
    return "$deltatoken" in call.query or _TRACKED_PAGE.fullmatch(call.query.get("$skiptoken", "")) is not None


def _place(token: str | None) -> tuple[int, str]:
    """Where the page begins: how many rows the pages before have had, and the primary key of the last one.

    Among rows in the order of their primary keys the latter counts, so that a row that was deleted from an earlier page
    keeps no other row from being listed.
    """
    if token is None:
        return 0, ""
    last = _LAST.search(token)
    _, _, rest = token.partition('offset="')
    digits = rest.partition('"')[0]
    if not digits.isdigit():
        raise bad_request("The skip token is not valid.")
    return int(digits), last[1] if last else ""

"""`?fetchXml=` on an entity set: what is shown of the rows that a query finds, pages, and aggregates.

Source: "Query data using FetchXml" in Microsoft's documentation. Columns without a value are left out of the answer,
and a paging cookie comes only while there are more rows, as an annotation.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

from sandbox.systems.dataverse import values
from sandbox.systems.dataverse.aggregation import FUNCTIONS, NUMERIC, grouped, reckoned
from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.errors import ODataError, bad_request, not_simulated
from sandbox.systems.dataverse.fetchxml_conditions import Joined, Operand
from sandbox.systems.dataverse.fetchxml_join import Join, column_of, stored
from sandbox.systems.dataverse.fetchxml_query import Attribute, Fetch, Source, invalid, read_fetch
from sandbox.systems.dataverse.query import PAGE_LIMIT, Preferences
from sandbox.systems.dataverse.representation import FORMATTED, Representation
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.selection import sort_key
from sandbox.systems.dataverse.store import Store

CRM = "Microsoft.Dynamics.CRM."
_Cells = dict[str, tuple[Any, str | None]]
"""The values of one result of an aggregate query, each with its formatted text."""
_DATE_PARTS = frozenset({"day", "month", "quarter", "year"})


class FetchXml:
    """Answers FetchXML queries."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store, self._schema, self._representation = store, schema, Representation(store, schema)

    def page(self, table: Table, call: Call, user_id: str) -> dict[str, Any]:
        """One page of the result."""
        others = [name for name in call.query if name.startswith("$") and name != "$count"]
        if others:
            raise bad_request(f"The query option {others[0]} cannot be used together with fetchXml.")
        fetch, preferences = read_fetch(call.query["fetchXml"]), Preferences.read(call.headers)
        if fetch.entity.name != table.name:
            raise invalid(f"The entity '{fetch.entity.name}' of the query does not belong to '{table.set_name}'.")
        join = Join(self._store, self._schema, _unordered(fetch) if fetch.aggregate else fetch, user_id)
        rows: list[Joined] = []
        if fetch.aggregate:
            shown, names = self._aggregated(fetch, join, preferences)
        else:
            rows = join.rows()
            names = self._names(table, fetch.entity)
            shown = [self._shown(fetch, join, row, preferences) for row in rows]
            if fetch.distinct:
                shown = _distinct(shown)
        selected = f"({','.join(names)})" if names else ""
        answer: dict[str, Any] = {"@odata.context": f"{call.root}$metadata#{table.set_name}{selected}"}
        if fetch.total or call.query.get("$count", "false").lower() == "true":
            answer |= _total(len(shown), preferences)
        start = self._start(fetch, join, rows)
        end = start + (fetch.top or fetch.size)
        if end < len(shown) and fetch.top is None:
            answer |= self._more(fetch, join, rows[start:end], preferences)
        return answer | {"value": shown[start:end]}

    def _names(self, table: Table, entity: Source) -> list[str]:
        chosen = entity.attributes if entity.attributes and not entity.everything else ()
        names = [each.alias or table.columns[each.name].property_name for each in chosen]
        return [*dict.fromkeys([*names, *([table.id_column] if names else [])])]

    def _shown(self, fetch: Fetch, join: Join, row: Joined, preferences: Preferences) -> dict[str, Any]:
        entity = fetch.entity
        base = row[entity.alias]
        assert base is not None  # noqa: S101 -- only joined tables can be missing
        shown: dict[str, Any] = {} if fetch.distinct else {"@odata.etag": base.etag}
        shown |= self._columns(entity, join, row, preferences)
        if not fetch.distinct:
            shown.setdefault(join.table(entity.alias).id_column, base.id)
        return shown

    def _columns(
        self, source: Source, join: Join, row: Joined, preferences: Preferences, prefix: str = ""
    ) -> dict[str, Any]:
        """The columns of a source, and those of the links in it, whose names begin with their alias."""
        table, found = join.table(source.alias), row.get(source.alias)
        shown: dict[str, Any] = {}
        for attribute in self._chosen(source, table, root=not prefix):
            column = column_of(table, attribute.name)
            name = attribute.alias or (f"{prefix}{column.name}" if prefix else column.property_name)
            one = {} if found is None else self._representation.column(column, found, preferences, name)
            shown |= one if one.get(name) is not None else {}
        for link in source.links:
            if link.kind not in {"exists", "in"}:
                shown |= self._columns(link.source, join, row, preferences, f"{link.source.alias}.")
        return shown

    def _chosen(self, source: Source, table: Table, *, root: bool) -> list[Attribute]:
        """The attributes; all where none are named, and the currency of amounts, as the platform adds it."""
        for attribute in source.attributes:
            if attribute.aggregate or attribute.group or attribute.part or attribute.distinct:
                raise invalid("Aggregates and groups need the attribute aggregate of the element fetch.")
        if source.everything or (root and not source.attributes):
            return [Attribute(name) for name in table.columns]
        chosen = list(source.attributes)
        money = any(column_of(table, each.name).type == "Money" for each in chosen)
        if root and money and all(each.name != "transactioncurrencyid" for each in chosen):
            chosen.append(Attribute("transactioncurrencyid"))
        return chosen

    def _start(self, fetch: Fetch, join: Join, rows: list[Joined]) -> int:
        """Where the page begins: after the last row of the cookie if it is still there, otherwise by counting."""
        counted = (fetch.page - 1) * fetch.size
        if fetch.cookie is None:
            return counted
        table = join.table(fetch.entity.alias)
        try:
            cookie = ET.fromstring(fetch.cookie)  # noqa: S314 -- from the sandbox's own clients
        except ET.ParseError as wrong:
            raise _wrong_cookie("Malformed XML in the Paging Cookie") from wrong
        if cookie.tag != "cookie" or [each.tag for each in cookie] != _ordering(fetch, table) or fetch.distinct:
            raise _wrong_cookie("Paging Cookie And Query Do Not Match")
        key = cookie[-1]
        last = key.get("last", "").strip("{}").lower()
        places = [at for at, row in enumerate(rows) if getattr(row[fetch.entity.alias], "id", None) == last]
        return places[-1] + 1 if places and str(fetch.page - 1) == cookie.get("page") else counted

    def _more(self, fetch: Fetch, join: Join, rows: list[Joined], preferences: Preferences) -> dict[str, Any]:
        """The annotations that say so; there is no cookie for orders by other tables, and for distinct rows."""
        more: dict[str, Any] = {}
        entity = fetch.entity
        plain = not fetch.distinct and not entity.links and not any(order.entity for order in entity.orders)
        if rows and plain and preferences.annotates(f"{CRM}fetchxmlpagingcookie"):
            table = join.table(entity.alias)
            parts = [_cookie_part(table, name, rows[-1], rows[0], entity.alias) for name in _ordering(fetch, table)]
            inner = f'<cookie page="{fetch.page}">{"".join(parts)}</cookie>'
            twice = quote(quote(inner, safe=""), safe="")
            more[f"@{CRM}fetchxmlpagingcookie"] = (
                f'<cookie pagenumber="{fetch.page + 1}" pagingcookie="{twice}" istracking="False" />'
            )
        if preferences.annotates(f"{CRM}morerecords"):
            more[f"@{CRM}morerecords"] = True
        return more

    def _aggregated(self, fetch: Fetch, join: Join, preferences: Preferences) -> tuple[list[dict[str, Any]], list[str]]:
        attributes = _aggregates(fetch.entity)
        if not attributes:
            raise invalid("An aggregate query needs an attribute.")
        operands = [(alias, each, join.operand(source, each.name)) for source, each, alias in attributes]
        rows = join.rows()
        if len(rows) > fetch.aggregate_limit:
            raise ODataError(400, "0x8004E023", "AggregateQueryRecordLimit exceeded. Cannot perform this operation.")
        groups = [(alias, each, operand) for alias, each, operand in operands if each.group]
        found = []
        for _, members in grouped(rows, [_group_value(operand, each) for _, each, operand in groups]):
            cells: _Cells = {}
            for alias, each, operand in operands:
                value = _cell(each, operand, members)
                cells[alias] = value, _text(each, operand.column, value)
            found.append(cells)
        self._order(fetch, found)
        return [self._cells(each, preferences) for each in found], [alias for alias, _, _ in operands]

    def _order(self, fetch: Fetch, found: list[_Cells]) -> None:
        for order in reversed(fetch.entity.orders):
            alias = order.alias or ""
            if any(alias not in cells for cells in found) or order.column is not None:
                raise invalid("An aggregate query is ordered by the alias of one of its attributes.")
            found.sort(key=lambda cells, alias=alias: sort_key(_folded(cells[alias][0])), reverse=order.descending)  # type: ignore[misc]

    def _cells(self, cells: _Cells, preferences: Preferences) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for alias, (value, text) in cells.items():
            if value is not None:
                shown[alias] = value
                if text is not None and preferences.annotates(FORMATTED):
                    shown[f"{alias}@{FORMATTED}"] = text
        return shown


def _aggregates(entity: Source) -> list[tuple[str, Attribute, str]]:
    """The attributes of the query and of its links, with their aliases; 400 for what aggregates cannot be."""
    found: list[tuple[str, Attribute, str]] = []
    for attribute in entity.attributes:
        if attribute.alias is None or (attribute.aggregate is None) == (not attribute.group):
            raise invalid("Every attribute of an aggregate query needs an alias, and either aggregate or groupby.")
        if attribute.aggregate is not None and attribute.aggregate not in FUNCTIONS:
            raise invalid(f"The aggregate '{attribute.aggregate}' is not known.")
        found.append((entity.alias, attribute, attribute.alias))
    if entity.everything:
        raise invalid("An aggregate query cannot show all attributes.")
    for link in entity.links:
        if link.source.orders:
            raise invalid("An aggregate query is ordered by the alias of one of its attributes.")
        found += _aggregates(link.source)
    if len({alias for _, _, alias in found}) < len(found):
        raise invalid("Every attribute of an aggregate query needs an alias of its own.")
    return found


def _ordering(fetch: Fetch, table: Table) -> list[str]:
    """The columns of a paging cookie: those that the query is ordered by, and the primary key."""
    names = [order.column or "" for order in fetch.entity.orders if order.column != table.id_column]
    return [*dict.fromkeys(names), table.id_column]


def _wrong_cookie(said: str) -> ODataError:
    """400: QueryBuilderPagingOrderBy; the words are those that clients report."""
    return ODataError(400, "0x80041129", said)


def _unordered(fetch: Fetch) -> Fetch:
    """The query without its orders, which are those of the groups."""
    return replace(fetch, entity=replace(fetch.entity, orders=()))


def _group_value(operand: Operand, attribute: Attribute) -> Callable[[Joined], Any]:
    return lambda joined: _part(attribute.part, operand.column, operand.value(joined))


def _cell(attribute: Attribute, operand: Operand, members: list[Joined]) -> Any:
    """The value of one attribute for a group."""
    if attribute.group and attribute.part is None:
        return operand.shown(members[0])
    if attribute.group:
        return _part(attribute.part, operand.column, operand.value(members[0]))
    function = attribute.aggregate or ""
    if function in {"sum", "avg"} and operand.column.type not in NUMERIC:
        raise invalid(f"The aggregate '{function}' is for numbers; {operand.column.name} has none.")
    found = [(operand.value(joined), operand.shown(joined)) for joined in members]
    return reckoned(function, operand.column, found, distinct=attribute.distinct)


def _text(attribute: Attribute, column: Column, value: Any) -> str | None:
    """The formatted text of a value: counts and parts of dates are plain numbers."""
    if value is None:
        return None
    if attribute.part is not None or attribute.aggregate in {"count", "countcolumn"}:
        return f"{value:,}"
    return values.formatted(column, value)


def _part(name: str | None, column: Column, value: Any) -> Any:
    """A value, or the part of its date that groups are made by."""
    if name is None:
        return value
    if column.type != "DateTime":
        raise invalid(f"The attribute dategrouping is for columns with dates; {column.name} has none.")
    if name not in _DATE_PARTS:
        raise not_simulated(f"The dategrouping {name}")
    if value is None:
        return None
    at = datetime.fromisoformat(str(value).upper())
    return (at.month + 2) // 3 if name == "quarter" else getattr(at, name)


def _cookie_part(table: Table, name: str, last: Joined, first: Joined, alias: str) -> str:
    column = column_of(table, name)
    ends = []
    for end, joined in (("last", last), ("first", first)):
        value = stored(table, column, joined[alias])
        text = f"{{{str(value).upper()}}}" if column.type == "Uniqueidentifier" else "" if value is None else str(value)
        ends.append(f"{end}={quoteattr(text)}")
    return f"<{name} {' '.join(ends)} />"


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _distinct(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*{repr(sorted(each.items(), key=lambda item: item[0])): each for each in shown}.values()]


def _total(number: int, preferences: Preferences) -> dict[str, Any]:
    total: dict[str, Any] = {"@odata.count": min(number, PAGE_LIMIT)}
    if preferences.annotates(f"{CRM}totalrecordcount"):
        total[f"@{CRM}totalrecordcount"] = min(number, PAGE_LIMIT)
        total[f"@{CRM}totalrecordcountlimitexceeded"] = number > PAGE_LIMIT
    return total

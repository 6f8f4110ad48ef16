"""What is asked of a virtual table, in the words of the service behind it.

Web API options and FetchXML both become a QueryExpression in Dataverse before a data provider sees them. So nothing is
expanded, joined or aggregated, columns have their external names, a list of values is a chain of `or`, and text with
wildcards is `contains`, `startswith` or `endswith`. Source: "Virtual table considerations" in Microsoft's
documentation, and https://markcarrington.dev/2021/04/21/querying-virtual-entities/. Where brackets stand is a guess.
"""

from dataclasses import dataclass
from typing import Any, Final

from sandbox.systems.dataverse.errors import ODataError, bad_request, no_such_property, not_simulated
from sandbox.systems.dataverse.fetchxml_conditions import TEXT
from sandbox.systems.dataverse.fetchxml_query import Condition, Fetch, Filter, Link, read_fetch
from sandbox.systems.dataverse.odata_syntax import Arguments, Token, make
from sandbox.systems.dataverse.query import PAGE_LIMIT, Preferences, Query
from sandbox.systems.dataverse.schema import Column, Table

NO_AGGREGATES: Final = "0x80040315"
_TEXT_TYPES: Final = frozenset({"String", "Memo"})
_COMPARISONS: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})


@dataclass(frozen=True)
class ExternalQuery:
    """One page of rows: `columns` are shown, `counts` says whether the answer has to say how many rows there are."""

    columns: tuple[Column, ...]
    filter: str = ""
    order: tuple[tuple[str, bool], ...] = ()
    size: int = PAGE_LIMIT
    skip: int = 0
    ends: bool = False
    """Whether no further page is wanted."""
    counts: bool = False


def columns_of(table: Table, names: tuple[str, ...] | None) -> tuple[Column, ...]:
    """The columns of a `$select`, and the key, which is always read; 400 for one that there is not."""
    chosen = [_column(table, name) for name in names] if names is not None else list(table.columns.values())
    by_name = {it.name: it for it in (table.columns[table.id_column], *chosen)}
    return tuple(by_name.values())


def from_options(table: Table, query: Query, preferences: Preferences, skip: int) -> ExternalQuery:
    """Of the options of the Web API; 501 for those that need joins."""
    if query.expand:
        raise not_simulated("$expand on virtual tables")
    size = preferences.page_size if query.top is None else min(query.top, PAGE_LIMIT)
    return ExternalQuery(
        columns_of(table, query.select),
        filter="" if query.filter is None else make(query.filter, _Options(table), query.aliases),
        order=tuple((_external(_column(table, name)), descending) for name, descending in query.order),
        size=size,
        skip=skip,
        ends=query.top is not None,
        counts=query.count,
    )


def from_fetch(table: Table, text: str) -> ExternalQuery:
    """Of a FetchXML query; 400 for aggregates, 501 for joins."""
    fetch = read_fetch(text)
    if fetch.entity.name != table.name:
        raise bad_request(f"The entity '{fetch.entity.name}' of the query does not belong to '{table.set_name}'.")
    _check(fetch)
    entity = fetch.entity
    names = None if entity.everything or not entity.attributes else tuple(it.name for it in entity.attributes)
    tests = [_filter(table, it) for it in entity.filters]
    return ExternalQuery(
        columns_of(table, names),
        filter=_joined([it for it in tests if it], "and"),
        order=tuple((_external(_column(table, it.column or "")), it.descending) for it in entity.orders),
        size=fetch.top or fetch.size,
        skip=(fetch.page - 1) * fetch.size,
        ends=fetch.top is not None,
        counts=fetch.total,
    )


def no_aggregates() -> ODataError:
    """400: aggregates are refused before the provider is asked."""
    said = "FetchExpression cannot be converted to QueryExpression because aggregates aren't supported."
    return ODataError(400, NO_AGGREGATES, said)


def _check(fetch: Fetch) -> None:
    if fetch.aggregate:
        raise no_aggregates()
    if fetch.entity.links:
        raise not_simulated("A join with a virtual table")
    if fetch.distinct:
        raise not_simulated("distinct on a virtual table")


class _Options:
    """Makes the provider's filter of the one in the Web API."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def any(self, made: list[str]) -> str:
        return _joined(made, "or")

    def all(self, made: list[str]) -> str:
        return _joined(made, "and")

    def negated(self, made: str) -> str:
        return f"not ({made})"

    def comparison(self, path: str, name: str, right: Token) -> str:
        column = _column(self._table, path)
        if right.kind == "word" and right.text not in {"null", "true", "false"}:
            raise not_simulated("A comparison of two columns of a virtual table")
        text = right.text if right.kind == "word" else _literal(column, right.value)
        return f"{_external(column)} {name} {text}"

    def text_function(self, name: str, path: str, part: str) -> str:
        return _function(name, _column(self._table, path), part)

    def query_function(self, name: str, arguments: Arguments) -> str:
        if name not in {"In", "NotIn"}:
            raise not_simulated(f"The function {name} on a virtual table")
        column = _column(self._table, arguments["PropertyName"][0].value)
        chain = _list(column, [token.value for token in arguments["PropertyValues"]])
        return chain if name == "In" else f"not ({chain})"

    def within(self, path: str) -> Any:
        raise not_simulated(f"The lambda operators of {path} on a virtual table")


def _filter(table: Table, given: Filter) -> str:
    parts = [_filter(table, it) if isinstance(it, Filter) else _condition(table, it) for it in given.parts]
    return _joined([it for it in parts if it], "or" if given.any else "and")


def _condition(table: Table, given: Condition | Link) -> str:
    if isinstance(given, Link) or given.entity or given.other:
        raise not_simulated("A condition of a virtual table that names another table or column")
    column, name = _column(table, given.column), given.operator.replace("neq", "ne")
    if name in {"null", "not-null"}:
        return f"{_external(column)} {'eq' if name == 'null' else 'ne'} null"
    if not given.values:
        raise bad_request(f"The condition operator '{name}' needs a value.")
    if name in _COMPARISONS:
        return f"{_external(column)} {name} {_literal(column, given.values[0])}"
    plain = name.removeprefix("not-")
    if name in TEXT:
        found = _like(column, TEXT[name].format(given.values[0]))
    elif plain == "in":
        found = _list(column, list(given.values))
    elif plain == "between":
        low, high = (_literal(column, it) for it in given.values)
        found = f"({_external(column)} ge {low} and {_external(column)} le {high})"
    else:
        raise not_simulated(f"The condition operator {name} on a virtual table")
    return f"not ({found})" if name.startswith("not-") else found


def _like(column: Column, pattern: str) -> str:
    part = pattern.strip("%")
    if "%" in part or "_" in part:
        raise not_simulated("A pattern with wildcards in the middle, on a virtual table")
    if pattern.startswith("%") and pattern.endswith("%"):
        return _function("contains", column, part)
    if pattern.endswith("%"):
        return _function("startswith", column, part)
    if pattern.startswith("%"):
        return _function("endswith", column, part)
    return f"{_external(column)} eq {_literal(column, part)}"


def _function(name: str, column: Column, part: str) -> str:
    return f"{name}({_external(column)},{_quoted(part)})"


def _list(column: Column, values: list[str]) -> str:
    return _joined([f"{_external(column)} eq {_literal(column, it)}" for it in values], "or")


def _joined(made: list[str], word: str) -> str:
    return made[0] if len(made) == 1 else f"({f' {word} '.join(made)})" if made else ""


def _literal(column: Column, text: str) -> str:
    if column.type in _TEXT_TYPES:
        return _quoted(text)
    if column.type == "Boolean":
        return {"1": "true", "0": "false"}.get(text, text)
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _column(table: Table, name: str) -> Column:
    column = table.by_property.get(name)
    if column is None:
        raise no_such_property(name, table.name)
    return column


def _external(column: Column) -> str:
    if not column.external_name:
        raise bad_request(f"The column {column.name} has no external name, so nothing can be asked about it.")
    return column.external_name

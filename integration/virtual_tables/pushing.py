"""What of a filter and an order can be passed on to the system, as OData of its own, and what has to be done here.

Only what means the same there is passed on. Where it does not (a `not` before a text function, an `or` across fields in
Business Central), the rows that the rest lets through are read and filtered here, up to a stated number of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from integration.clock import iso
from integration.odata import quoted
from integration.virtual_tables.edm import Value, moment_text
from integration.virtual_tables.entity_set import Field, ServedSet
from integration.virtual_tables.filters import All, Comparison, Either, Filter, Not, TextTest, columns_of, conjuncts
from integration.virtual_tables.options import Sorting


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a kind of system understands of OData.

    `or_across_fields` says whether `or` may stand between different fields, `wildcards` whether texts are matched with
    `*` instead of functions, `only_keys` that nothing but a row's key can be asked for.

    Sources: "OData known limitations" and "Using filter expressions in OData URIs" of Business Central, "Open Data
    Protocol (OData)" of Finance & Operations, all Microsoft Learn.
    """

    or_across_fields: bool
    wildcards: bool
    only_keys: bool = False


DIALECTS: Final = {
    "business-central": Dialect(or_across_fields=False, wildcards=False),
    "finance-operations": Dialect(or_across_fields=True, wildcards=True),
    "rest-erp": Dialect(or_across_fields=False, wildcards=False, only_keys=True),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """`filter` and `order` as the system reads them; `rest` is tested here.

    `ordered` says whether the order is the whole one. `never` says that no row can be wanted.
    """

    filter: str
    order: str
    rest: Filter | None
    ordered: bool
    never: bool = False


class _CannotError(Exception):
    """A test that cannot be passed on."""


class _NeverError(Exception):
    """A test that holds for no row."""


def plan(entity_set: ServedSet, dialect: Dialect, wanted: Filter | None, order: Sequence[Sorting]) -> Plan:
    """What is passed on and what is left."""
    pushed, rest = [], []
    renderer = _Renderer(entity_set, dialect)
    for test in conjuncts(wanted):
        try:
            pushed.append(renderer.test(test))
        except _CannotError:
            rest.append(test)
        except _NeverError:
            return Plan("", "", None, ordered=True, never=True)
    text, ordered = renderer.order(order)
    left = None if not rest else rest[0] if len(rest) == 1 else All(tuple(rest))
    return Plan(" and ".join(it for it in pushed if it), text, left, ordered)


class _Renderer:
    """Writes tests as the system reads them; an empty text is a test that always holds."""

    def __init__(self, entity_set: ServedSet, dialect: Dialect) -> None:
        self._set = entity_set
        self._dialect = dialect

    def order(self, wanted: Sequence[Sorting]) -> tuple[str, bool]:
        """The order with a unique end, and whether it is the whole one."""
        fields = [(self._field(it.column), it) for it in wanted]
        passable = all(there is not None and there.pushed and not there.words for there, _ in fields)
        if self._dialect.only_keys:
            return "", not wanted
        parts = [
            f"{there.name} desc" if it.descending else there.name for there, it in fields if there is not None
        ] if passable else []  # fmt: skip
        if self._set.by.unique not in {it.removesuffix(" desc") for it in parts}:
            parts.append(self._set.by.unique)
        return ",".join(parts), passable

    def test(self, test: Filter) -> str:
        """One test; raises `_CannotError` or `_NeverError`."""
        if self._dialect.only_keys and not self._is_key(test):
            raise _CannotError
        if isinstance(test, Comparison):
            return self._comparison(test)
        if isinstance(test, TextTest):
            return self._text_test(test, negated=False)
        if isinstance(test, Not):
            if isinstance(test.test, TextTest):
                return self._text_test(test.test, negated=True)
            raise _CannotError
        if isinstance(test, All):
            return self._joined(" and ", [self.test(each) for each in test.tests])
        return self._either(test)

    def _is_key(self, test: Filter) -> bool:
        return isinstance(test, Comparison) and test.column == self._set.declared.key and test.how == "eq"

    def _either(self, test: Either) -> str:
        fields = {self._set.by.key.field if name == self._set.declared.key else name for name in columns_of(test)}
        if len(fields) > 1 and not self._dialect.or_across_fields:
            raise _CannotError
        found = []
        for each in test.tests:
            try:
                found.append(self.test(each))
            except _NeverError:
                continue
        if not found:
            raise _NeverError
        return "" if "" in found else self._joined(" or ", found)

    @staticmethod
    def _joined(word: str, parts: Sequence[str]) -> str:
        parts = [it for it in parts if it]
        return parts[0] if len(parts) == 1 else f"({word.join(parts)})" if parts else ""

    def _comparison(self, test: Comparison) -> str:
        if test.column == self._set.declared.key:
            return self._key(test)
        there = self._pushed_field(test.column)
        if test.value is None:
            return self._compared_with_null(test, there)
        if there.words:
            return self._word(test, there)
        text = self._literal(test.value, there)
        if there.is_date and isinstance(test.value, datetime):
            return self._date(test, there, test.value)
        said = f"{there.name} {test.how} {text}"
        return self._where_filled(said, there) if test.how in {"lt", "le"} and there.nothing else said

    def _key(self, test: Comparison) -> str:
        key = self._set.by.key
        try:
            value = key.read(test.value) if isinstance(test.value, UUID) else ""
        except ValueError:
            value = ""
        if value is None:
            raise _CannotError
        if not value:
            return self._nowhere(test.how)
        return f"{key.field} {test.how} {quoted(value) if key.is_text else value}"

    @staticmethod
    def _nowhere(how: str) -> str:
        """What `eq` or `ne` comes to with a value that no row has."""
        if how == "eq":
            raise _NeverError
        return ""

    def _compared_with_null(self, test: Comparison, there: Field) -> str:
        none = next((it for it, ours in there.words.items() if ours is None), None)
        values = [none] if none is not None else sorted(there.nothing, key=str)
        if not values:
            return self._nowhere(test.how)
        joined = " or " if test.how == "eq" else " and "
        return self._joined(joined, [f"{there.name} {test.how} {self._raw(it, there)}" for it in values])

    def _word(self, test: Comparison, there: Field) -> str:
        theirs = next((it for it, ours in there.words.items() if ours is not None and _same(ours, test.value)), None)
        if test.how not in {"eq", "ne"}:
            raise _CannotError
        if theirs is None:
            return self._nowhere(test.how)
        return f"{there.name} {test.how} {self._raw(theirs, there)}"

    def _date(self, test: Comparison, there: Field, moment: datetime) -> str:
        """A date is its first moment: between two of them, the next or the last one counts."""
        whole = moment.time() == time.min
        if not whole and test.how in {"eq", "ne"}:
            return self._nowhere(test.how)
        how = test.how if whole else {"ge": "gt", "lt": "le"}.get(test.how, test.how)
        said = f"{there.name} {how} {moment.date().isoformat()}"
        return self._where_filled(said, there) if how in {"lt", "le"} and there.nothing else said

    def _text_test(self, test: TextTest, *, negated: bool) -> str:
        there = self._pushed_field(test.column)
        if there.words or not test.part:
            raise _CannotError
        if self._dialect.wildcards:
            if "*" in test.part:
                raise _CannotError
            before, after = test.how != "startswith", test.how != "endswith"
            pattern = "*" * before + test.part + "*" * after
            said = f"{there.name} {'ne' if negated else 'eq'} {quoted(pattern)}"
            return self._where_filled(said, there) if negated else said
        if negated:
            raise _CannotError
        return f"{test.how}({there.name},{quoted(test.part)})"

    def _where_filled(self, said: str, there: Field) -> str:
        filled = [f"{there.name} ne {self._raw(it, there)}" for it in sorted(there.nothing, key=str)]
        return self._joined(" and ", [said, *filled])

    def _pushed_field(self, column: str) -> Field:
        there = self._field(column)
        if there is None or not there.pushed:
            raise _CannotError
        return there

    def _field(self, column: str) -> Field | None:
        if column == self._set.declared.key:
            return Field(self._set.by.key.field)
        return self._set.by.fields.get(column)

    def _raw(self, value: Any, there: Field) -> str:
        """A value of the system as a literal."""
        if there.enum:
            return f"{there.enum}{quoted(str(value))}"
        if there.is_date:
            return str(value)
        return quoted(value) if isinstance(value, str) else self._literal(value, there)

    def _literal(self, value: Value, there: Field) -> str:
        if isinstance(value, str):
            if self._dialect.wildcards and "*" in value:
                raise _CannotError
            return f"{there.enum}{quoted(value)}" if there.enum else quoted(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime):
            return iso(value) if value.microsecond % 1000 == 0 else moment_text(value)
        if isinstance(value, Decimal):
            return format(value, "f")
        return str(value)


def _same(ours: str, value: Value) -> bool:
    return isinstance(value, str) and ours.casefold() == value.casefold()

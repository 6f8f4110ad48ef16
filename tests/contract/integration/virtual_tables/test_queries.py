"""Whatever query Dataverse can make of a query expression, the rows are those of an oracle that filters in memory."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.integration.virtual_tables.provider import Provider
from tests.contract.integration.virtual_tables.stock import BLOCKED, CITIES, NAMES

Says = Callable[[dict[str, Any]], bool | None]
_COMPARED = ("number", "name", "city", "blocked")
_SIZES: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda has, wanted: has > wanted,
    "ge": lambda has, wanted: has >= wanted,
    "lt": lambda has, wanted: has < wanted,
    "le": lambda has, wanted: has <= wanted,
}


@dataclass(frozen=True)
class Asked:
    """A filter as it is sent, and what it says of a row: true, false, or None where that is not known."""

    text: str
    says: Says


def folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def quoted(value: Any) -> str:
    if value is None:
        return "null"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


@st.composite
def equality(draw: st.DrawFn) -> Asked:
    column = draw(st.sampled_from((*_COMPARED, "creditlimit")))
    values: dict[str, Any] = {
        "number": ("C001", "c007", "C039", "X"), "name": (*NAMES, "contoso ltd", "x"), "city": (*CITIES[1:], None),
        "blocked": (*BLOCKED, "Ship"), "creditlimit": (Decimal(0), Decimal("0.5"), Decimal(5000), None),
    }  # fmt: skip
    value = draw(st.sampled_from(values[column]))
    if draw(st.booleans()):
        return Asked(f"{column} eq {quoted(value)}", lambda row: folded(row[column]) == folded(value))
    return Asked(f"{column} ne {quoted(value)}", lambda row: folded(row[column]) != folded(value))


@st.composite
def size(draw: st.DrawFn) -> Asked:
    how, bound = draw(st.sampled_from(tuple(_SIZES))), draw(st.sampled_from(("0", "0.5", "100", "100.25", "1e3")))
    return Asked(f"creditlimit {how} {bound}", lambda row: _SIZES[how](row["creditlimit"], Decimal(bound)))


@st.composite
def text_size(draw: st.DrawFn) -> Asked:
    how, bound = draw(st.sampled_from(tuple(_SIZES))), draw(st.sampled_from(("Graz", "C", "zz")))

    def says(row: dict[str, Any]) -> bool:
        return row["city"] is not None and _SIZES[how](folded(row["city"]), folded(bound))

    return Asked(f"city {how} '{bound}'", says)


@st.composite
def text_test(draw: st.DrawFn) -> Asked:
    how = draw(st.sampled_from(("contains", "startswith", "endswith")))
    column = draw(st.sampled_from(("name", "city", "number")))
    part = draw(st.sampled_from(("fab", "O'N", "ü", "%", "_", "+", "&", "ltd", "C", "0", "*")))

    def says(row: dict[str, Any]) -> bool | None:
        text = folded(row[column])
        if text is None:
            return None
        if how == "contains":
            return folded(part) in text
        return bool(text.startswith(folded(part)) if how == "startswith" else text.endswith(folded(part)))

    return Asked(f"{how}({column},{quoted(part)})", says)


@st.composite
def listed(draw: st.DrawFn) -> Asked:
    values = draw(st.lists(st.sampled_from((*NAMES, "x")), min_size=1, max_size=3))
    wanted = {folded(it) for it in values}
    return Asked(f"name in ({','.join(map(quoted, values))})", lambda row: folded(row["name"]) in wanted)


def negated(test: Asked) -> Asked:
    def says(row: dict[str, Any]) -> bool | None:
        said = test.says(row)
        return None if said is None else not said

    return Asked(f"not ({test.text})", says)


def joined(tests: list[Asked], word: str) -> Asked:
    decides = word == "or"

    def says(row: dict[str, Any]) -> bool | None:
        said = [test.says(row) for test in tests]
        if decides in said:
            return decides
        return None if None in said else not decides

    return Asked(f" {word} ".join(f"({test.text})" for test in tests), says)


LEAVES = st.one_of(equality(), size(), text_size(), text_test(), listed())
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(negated),
        st.tuples(st.lists(inner, min_size=2, max_size=3), st.sampled_from(("and", "or"))).map(lambda it: joined(*it)),
    ),
    max_leaves=6,
)
ORDERS = st.lists(
    st.tuples(st.sampled_from(("name", "city", "creditlimit", "blocked", "number")), st.booleans()),
    max_size=2,
    unique_by=lambda it: it[0],
)


def expected(
    rows: list[dict[str, Any]], test: Asked | None, order: list[tuple[str, bool]], skip: int, top: int
) -> tuple[list[str], int]:
    """The numbers of the rows, and how many there are in all: nulls are smallest, rows that are equal by number."""
    found = sorted((row for row in rows if test is None or test.says(row) is True), key=lambda row: row["number"])
    for column, descending in reversed(order):
        found.sort(key=lambda row: (row[column] is not None, folded(row[column]) or 0), reverse=descending)
    return [row["number"] for row in found[skip : skip + top]], len(found)


@given(
    test=st.one_of(st.none(), TREES),
    order=ORDERS,
    skip=st.sampled_from((0, 0, 1, 7, 50)),
    top=st.sampled_from((1, 3, 50)),
)
@settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_rows_are_those_of_the_oracle(
    provider: Provider, test: Asked | None, order: list[tuple[str, bool]], skip: int, top: int
) -> None:
    """Filter, order, skip, top and count together, whether the ERP can answer them or the provider has to."""
    options: dict[str, object] = {"$top": top, "$count": "true"}
    if test is not None:
        options["$filter"] = test.text
    if order:
        options["$orderby"] = ",".join(f"{column} desc" if descending else column for column, descending in order)
    if skip:
        options["$skip"] = skip
    answer = provider.ask("erpcustomers", options)
    assert answer.status == 200, (options, answer.body)
    body = json.loads(answer.body)
    assert ([row["number"] for row in body["value"]], body["@odata.count"]) == expected(
        provider.customers, test, order, skip, top
    )
    counted = provider.ask("erpcustomers/$count", {"$filter": test.text} if test is not None else {})
    assert counted.body == str(body["@odata.count"])

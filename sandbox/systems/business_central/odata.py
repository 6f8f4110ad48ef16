"""What API v2.0 supports of OData: simple filters joined by `and`, `$select`, `$expand`, `$top`, pages."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.systems.business_central.errors import bad_request

Row = Mapping[str, Any]

_COMPARISON = re.compile(r"\s*(?P<field>\w+)\s+(?P<how>eq|ne|gt|ge|lt|le)\s+(?P<value>'(?:[^']|'')*'|[^\s]+)\s*")
_HOW: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip


def matching(expression: str, known: frozenset[str]) -> Callable[[Row], bool]:
    """The test for `$filter`; 400 for `or` between different fields, which Business Central does not support."""
    if re.search(r"\sor\s", expression):
        return _any_of(expression, known)
    tests = [_comparison(part, known)[1] for part in re.split(r"\s+and\s+", expression)]
    return lambda row: all(test(row) for test in tests)


def _any_of(expression: str, known: frozenset[str]) -> Callable[[Row], bool]:
    parts = [_comparison(part, known) for part in re.split(r"\s+or\s+", expression)]
    if len({field for field, _ in parts}) > 1:
        raise bad_request("An OR between different fields is not supported.", "BadRequest_MethodNotImplemented")
    return lambda row: any(test(row) for _, test in parts)


def _comparison(text: str, known: frozenset[str]) -> tuple[str, Callable[[Row], bool]]:
    found = _COMPARISON.fullmatch(text)
    if found is None:
        raise bad_request(f"Syntax error in the filter '{text}'.")
    field, compare = found["field"], _HOW[found["how"]]
    if field not in known:
        raise bad_request(f"Could not find a property named '{field}'.", "BadRequest_NotFound")
    wanted = _literal(found["value"])
    return field, lambda row: compare(_comparable(row[field], wanted), wanted)


def _literal(text: str) -> str | float | bool:
    if text.startswith("'"):
        return text[1:-1].replace("''", "'").casefold()
    if text in {"true", "false"}:
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text.casefold()


def _comparable(value: Any, like: object) -> Any:
    return str(value).casefold() if isinstance(like, str) else value


def page(rows: list[dict[str, Any]], query: Mapping[str, str], prefer: str, url: str) -> dict[str, Any]:
    """The rows of one page as the body; `$skiptoken` is where the next one begins."""
    size = re.search(r"odata\.maxpagesize=(\d+)", prefer)
    start, length = int(query.get("$skiptoken", "0")), min(int(size[1]) if size else 20_000, 20_000)
    top = query.get("$top")
    chosen = rows[start:] if top is None else rows[start : start + int(top)]
    body: dict[str, Any] = {"value": [_selected(row, query) for row in chosen[:length]]}
    if len(chosen) > length:
        body["@odata.nextLink"] = f"{url}{'&' if '?' in url else '?'}$skiptoken={start + length}"
    return body


def _selected(row: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    if "$select" not in query:
        return row
    names = {name.strip() for name in query["$select"].split(",")} | {"@odata.etag", "salesOrderLines"}
    return {name: value for name, value in row.items() if name in names}

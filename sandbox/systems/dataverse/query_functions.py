"""Dataverse's own query functions: `Microsoft.Dynamics.CRM.<name>(PropertyName=...,PropertyValue[s]=...)` in `$filter`.

Source of names and parameters: "Web API Query Function Reference" in Microsoft's documentation. Days, weeks (from
Sunday), months and years are those of UTC; "last" ends now, "next" begins now, and except for hours both count whole
days.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sandbox.systems.dataverse.errors import bad_request, no_such_segment, not_simulated
from sandbox.systems.dataverse.odata_syntax import NAMESPACE, Arguments, Token
from sandbox.systems.dataverse.odata_tests import Field

Item = TypeVar("Item")
Test = Callable[[Item], bool]
Span = tuple[datetime, datetime]

_ELSEWHERE = frozenset(
    {"Above", "AboveOrEqual", "Under", "UnderOrEqual", "NotUnder", "ContainValues", "DoesNotContainValues"}
    | {"EqualUserId", "NotEqualUserId", "EqualBusinessId", "NotEqualBusinessId", "EqualUserLanguage", "EqualUserTeams"}
    | {"EqualUserOrUserTeams", "EqualUserOrUserHierarchy", "EqualUserOrUserHierarchyAndTeams", "EqualRoleBusinessId"}
    | {"InFiscalPeriod", "InFiscalPeriodAndYear", "InFiscalYear", "InOrAfterFiscalPeriodAndYear"}
    | {"InOrBeforeFiscalPeriodAndYear", "LastFiscalPeriod", "LastFiscalYear", "LastXFiscalPeriods", "LastXFiscalYears"}
    | {"NextFiscalPeriod", "NextFiscalYear", "NextXFiscalPeriods", "NextXFiscalYears"}
    | {"ThisFiscalPeriod", "ThisFiscalYear"}
)
_COUNTED = re.compile(r"(?P<way>Last|Next|OlderThan)X(?P<unit>Minutes|Hours|Days|Weeks|Months|Years)")
_LIST_FUNCTIONS = frozenset({"In", "NotIn", "Between", "NotBetween"})
_DAY_FUNCTIONS = frozenset({"On", "NotOn", "OnOrAfter", "OnOrBefore"})


def query_test(name: str, arguments: Arguments, field_of: Callable[[str], Field[Item]]) -> Test[Item]:
    """The test of one function; 400 for wrong arguments, 404 for no such function, 501 for what is not simulated."""
    if name in _ELSEWHERE:
        raise not_simulated(f"The query function {name}")
    if name not in _LIST_FUNCTIONS | _DAY_FUNCTIONS | _SPANS.keys() and not _is_counted(name):
        raise no_such_segment(NAMESPACE + name)
    field = field_of(_argument(name, arguments, "PropertyName").value)
    if name in _LIST_FUNCTIONS:
        return _list_test(name, field, _arguments(name, arguments, "PropertyValues"))
    if field.kind != "time":
        raise bad_request(f"The function {NAMESPACE}{name} is for columns with dates; '{field.name}' has none.")
    if name in _DAY_FUNCTIONS:
        return _day_test(name, field, _argument(name, arguments, "PropertyValue"))
    now = datetime.now(UTC)
    if name in _SPANS:
        return _within(field, _SPANS[name](_midnight(now)))
    text = _argument(name, arguments, "PropertyValue").value
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise bad_request(f"The function {name} needs a PropertyValue that is a number greater than zero.")
    try:
        return _counted_test(name, field, int(text), now)
    except (OverflowError, ValueError) as wrong:
        raise bad_request(f"The PropertyValue of the function {name} reaches beyond the calendar.") from wrong


def _is_counted(name: str) -> bool:
    found = _COUNTED.fullmatch(name)
    return found is not None and (found["unit"] != "Minutes" or found["way"] == "OlderThan")


def _arguments(name: str, arguments: Arguments, wanted: str) -> list[Token]:
    if wanted not in arguments:
        raise bad_request(f"The parameter {wanted} of the function {NAMESPACE}{name} is missing.")
    return arguments[wanted]


def _argument(name: str, arguments: Arguments, wanted: str) -> Token:
    given = _arguments(name, arguments, wanted)
    if len(given) != 1:
        raise bad_request(f"The parameter {wanted} of the function {NAMESPACE}{name} takes one value.")
    return given[0]


def _list_test(name: str, field: Field[Item], tokens: list[Token]) -> Test[Item]:
    values = [field.read(token) for token in tokens]
    of = field.operand
    if name == "In":
        return lambda item: of(item) in values
    if name == "NotIn":
        return lambda item: of(item) is not None and of(item) not in values
    if len(values) != 2:
        raise bad_request(f"The function {NAMESPACE}{name} takes two PropertyValues.")
    low, high = values
    if name == "Between":
        return lambda item: of(item) is not None and low <= of(item) <= high
    return lambda item: of(item) is not None and not low <= of(item) <= high


def _day_test(name: str, field: Field[Item], token: Token) -> Test[Item]:
    try:
        given = datetime.fromisoformat(token.value)
        day = _midnight(given if given.tzinfo else given.replace(tzinfo=UTC))
        start, end = _read(field, day), _read(field, day + timedelta(days=1))
    except (OverflowError, ValueError) as wrong:
        raise bad_request(f"The function {NAMESPACE}{name} needs a date as its PropertyValue.") from wrong
    of = field.operand
    tests: dict[str, Test[Item]] = {
        "On": lambda item: of(item) is not None and start <= of(item) < end,
        "NotOn": lambda item: of(item) is not None and not start <= of(item) < end,
        "OnOrAfter": lambda item: of(item) is not None and of(item) >= start,
        "OnOrBefore": lambda item: of(item) is not None and of(item) < end,
    }
    return tests[name]


def _counted_test(name: str, field: Field[Item], number: int, now: datetime) -> Test[Item]:
    found = _COUNTED.fullmatch(name)
    assert found is not None  # noqa: S101 -- `_is_counted` said so
    way, unit = found["way"], found["unit"]
    if way == "OlderThan":
        limit, of = _read(field, _moved(now, unit, -number)), field.operand
        return lambda item: of(item) is not None and of(item) < limit
    if way == "Last":
        start = _moved(now, unit, -number)
        # Columns have whole seconds: a row of this very second belongs to it.
        return _within(field, (start if unit == "Hours" else _midnight(start), now + timedelta(seconds=1)))
    end = _moved(now, unit, number)
    return _within(field, (now, end if unit == "Hours" else _midnight(end) + timedelta(days=1)))


def _within(field: Field[Item], span: Span) -> Test[Item]:
    start, end, of = _read(field, span[0]), _read(field, span[1]), field.operand
    return lambda item: of(item) is not None and start <= of(item) < end


def _read(field: Field[Item], at: datetime) -> str:
    return str(field.read(Token("time", at.strftime("%Y-%m-%dT%H:%M:%SZ"))))


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _moved(at: datetime, unit: str, number: int) -> datetime:
    if unit in {"Months", "Years"}:
        return _months(at, number * (12 if unit == "Years" else 1))
    return at + number * timedelta(**{unit.lower(): 1})


def _months(at: datetime, number: int) -> datetime:
    year, month = divmod(at.year * 12 + at.month - 1 + number, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))


def _days(start: int, end: int) -> Callable[[datetime], Span]:
    return lambda today: (today + timedelta(days=start), today + timedelta(days=end))


def _week(number: int) -> Callable[[datetime], Span]:
    def span(today: datetime) -> Span:
        sunday = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=number)
        return sunday, sunday + timedelta(weeks=1)

    return span


def _month(number: int, length: int = 1) -> Callable[[datetime], Span]:
    """`length` is 12 for years, which begin in January."""

    def span(today: datetime) -> Span:
        first = today.replace(day=1, month=today.month if length == 1 else 1)
        return _months(first, number * length), _months(first, (number + 1) * length)

    return span


_SPANS: dict[str, Callable[[datetime], Span]] = {
    "Today": _days(0, 1),
    "Yesterday": _days(-1, 0),
    "Tomorrow": _days(1, 2),
    "Last7Days": _days(-7, 1),
    "Next7Days": _days(0, 8),
    "LastWeek": _week(-1),
    "ThisWeek": _week(0),
    "NextWeek": _week(1),
    "LastMonth": _month(-1),
    "ThisMonth": _month(0),
    "NextMonth": _month(1),
    "LastYear": _month(-1, 12),
    "ThisYear": _month(0, 12),
    "NextYear": _month(1, 12),
}

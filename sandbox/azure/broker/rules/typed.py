"""Values of rules whose type neither JSON nor XML text shows: times, durations, ids. Written with their XML type."""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.azure.amqp.types import Described, Symbol, Timestamp, ULong

_TIMESPAN, _TIMESPAN_CODE = "com.microsoft:timespan", 0x0000013700000005
_TICKS = 10_000_000  # in a second
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


@dataclass(frozen=True, slots=True)
class TypedValue:
    """`kind` is dateTime, duration or guid, `text` its XML form. Raises ValueError when the text is none."""

    kind: str
    text: str

    def __post_init__(self) -> None:
        """Refuse what cannot be compared."""
        self.comparable()

    def comparable(self) -> Any:
        """The form in which messages have such a value: milliseconds, ticks of 100 ns, an id."""
        if self.kind == "dateTime":
            time = datetime.fromisoformat(self.text)
            return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
        if self.kind == "duration":
            return _ticks(self.text)
        if self.kind == "guid":
            return uuid.UUID(self.text)
        raise ValueError(f"a rule's value cannot be of type '{self.kind}'")

    def amqp(self) -> Any:
        """The value as AMQP has it."""
        value = self.comparable()
        if self.kind == "dateTime":
            return Timestamp(value)
        return Described(Symbol(_TIMESPAN), value) if self.kind == "duration" else value

    @classmethod
    def from_amqp(cls, value: Any) -> Any:
        """A value of a rule that came over AMQP: itself, or typed. Raises ValueError for what cannot be stored."""
        if isinstance(value, Timestamp):
            return cls("dateTime", datetime.fromtimestamp(value / 1000, UTC).isoformat().replace("+00:00", "Z"))
        if isinstance(value, uuid.UUID):
            return cls("guid", str(value))
        if is_timespan(value):
            return cls("duration", f"{'-' if value.value < 0 else ''}PT{abs(value.value) / _TICKS:.7f}S")
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise ValueError(f"a rule's value cannot be of type {type(value).__name__}")


def is_timespan(value: Any) -> bool:
    """Whether a decoded value is .NET's TimeSpan."""
    return isinstance(value, Described) and value.descriptor in (_TIMESPAN, ULong(_TIMESPAN_CODE))


def plain(value: Any) -> Any:
    """A value of a message or a rule in the form in which both are compared."""
    if isinstance(value, TypedValue):
        return value.comparable()
    return value.value if is_timespan(value) else value


def _ticks(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if found is None or text in {"P", "PT"}:
        raise ValueError(f"'{text}' is not a duration")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups()[1:])
    ticks = round((days * 86400 + hours * 3600 + minutes * 60 + seconds) * _TICKS)
    return -ticks if found[1] else ticks

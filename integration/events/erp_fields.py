"""Fields that the events of an ERP have in common, whatever their form: the record, the time, what identifies them."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from integration.events.dates import to_time
from integration.events.fields import record_id

_RECORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:|=@+,()-]{0,99}", re.ASCII)


def record_of(raw: object) -> str:
    """A record's key in the ERP as it is stored: GUIDs in lower case, anything else as it is. Raises `ValueError`."""
    if isinstance(raw, str) and _RECORD.fullmatch(text := raw.strip()):
        return record_id(text)
    raise ValueError(
        "must be the record's key in the ERP: up to 100 letters, digits, spaces and . _ : | = @ + , ( ) -, "
        "of which the first is a letter or a digit"
    )


Record = Annotated[str, BeforeValidator(record_of)]
Time = Annotated[datetime, BeforeValidator(to_time)]
Id = Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class Hint:
    """What identifies an event of an ERP, whatever form it had."""

    id: str
    source: str
    record: str
    time: datetime | None

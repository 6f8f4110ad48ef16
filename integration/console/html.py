"""Templates and what they use to show times and numbers. Jinja2 is loaded with the first page, not with the app."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined

from integration.console import charts
from integration.console.asking import ROOT, address
from integration.console.indented import indented
from integration.operations.masking import masked
from integration.visible import visible

TYPES: Final = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}
"""The assets, and their media types."""
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


@cache
def environment() -> Environment:
    """The templates: what is put into them is escaped and steers nothing, and what is missing is an error."""
    made = Environment(
        loader=FunctionLoader(lambda name: _read("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(number=number, clock=clock, iso=iso, lasted=lasted, short=short, masked=masked, plural=plural)
    made.filters.update(exact=Exact)
    made.filters.update(moment=datetime.fromisoformat, duration=duration, indented=indented)
    made.globals.update(root=ROOT, address=address, asset=asset_address, bars=charts.bars, line=charts.line)
    return made


class Exact(str):
    """A text that a form sends back as it is; nobody is shown it."""

    __slots__ = ()


def _inert(value: Any) -> Any:
    """What a template writes of a value: texts of others are seen, and do nothing else."""
    return visible(value) if type(value) is str else value


def render(template: str, shows: dict[str, Any]) -> str:
    """The page."""
    return environment().get_template(template).render(shows)


@cache
def asset(name: str) -> bytes:
    """The content of an asset."""
    return (files("integration.console") / "assets" / name).read_bytes()


@cache
def asset_address(name: str) -> str:
    """Where an asset is; another content has another address, so browsers may keep it."""
    return f"{ROOT}/assets/{hashlib.sha256(asset(name)).hexdigest()[:12]}/{name}"


def number(value: float) -> str:
    """With commas between thousands."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def plural(value: int, word: str, many: str = "") -> str:
    """`1 event`, `2 events`."""
    return f"{value:,} {word if value == 1 else many or word + 's'}"


def clock(moment: datetime | None, now: datetime) -> str:
    """The time of day, and the day unless it is today; UTC."""
    if moment is None:
        return ""
    utc = moment.astimezone(UTC)
    if utc.date() == now.astimezone(UTC).date():
        return f"{utc:%H:%M:%S}"
    return f"{utc.day} {utc:%b %H:%M}" if utc.year == now.year else f"{utc.day} {utc:%b %Y}"


def iso(moment: datetime) -> str:
    """For machines, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def lasted(moment: datetime | None, now: datetime) -> str:
    """How long ago it was, or how far ahead it is."""
    return "" if moment is None else duration(abs((now - moment).total_seconds()))


def duration(seconds: float) -> str:
    """In days, hours and minutes, the two largest of them; less than a minute in seconds."""
    left, said = int(seconds), list[str]()
    if left < 60:
        return f"{left} s"
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            said.append(f"{count} {unit}")
    return " ".join(said[:2])


def short(event_id: str) -> str:
    """The beginning and the end of an id, which tell events apart well enough to look at."""
    return f"{event_id[:17]}…{event_id[-4:]}" if len(event_id) > 24 else event_id


def _read(folder: str, name: str) -> str:
    return (files("integration.console") / folder / name).read_text(encoding="utf-8")

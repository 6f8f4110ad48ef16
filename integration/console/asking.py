"""A request for a page, and what answers it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from integration.errors import Fault, Rejected
from integration.operations.rights import Person, Right

ROOT: Final = "/api/console"
_LONGEST_FORM: Final = 262_144
_MOST_FIELDS: Final = 200

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: `place` are the values of the route, `params` those of the address, `form` those of a form."""

    person: Person
    method: str
    path: str
    place: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def why(self) -> str:
        """The reason that a form gives; the services refuse an empty one."""
        return self.form.get("why", "")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of this template, with what it shows."""

    template: str
    shows: Mapping[str, Any]
    status: int = 200

    @classmethod
    def after(cls, refused: Rejected | None, template: str, shows: Mapping[str, Any]) -> "Page":
        """The page, with the refusal above it if what was asked for was `refused`."""
        return cls(template, {**shows, "alert": refused}, refused.status if refused else 200)


@dataclass(frozen=True, slots=True)
class Redirect:
    """Look there: what follows a form that was carried out, so that reloading the page repeats nothing."""

    to: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be kept."""

    name: str
    media_type: str
    content: bytes


Answer = Page | Redirect | Download


@dataclass(frozen=True, slots=True)
class Route:
    """`path` below the console (`{name}` is any one segment), and the right without which nothing is answered."""

    method: str
    path: str
    right: Right
    act: Callable[[Any, Ask], Awaitable[Answer]]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The values of the path, or None where this route is not meant."""
        wanted, given = self.path.split("/"), path.split("/")
        if method != self.method or len(wanted) != len(given):
            return None
        pairs = list(zip(wanted, given, strict=True))
        if any(not (name.startswith("{") and value) and name != value for name, value in pairs):
            return None
        return {name[1:-1]: value for name, value in pairs if name.startswith("{")}


def read_form(body: bytes) -> dict[str, str]:
    """The fields of an HTML form; `Rejected` (400, 413) for anything else."""
    if len(body) > _LONGEST_FORM:
        raise Rejected(413, "The form is too large", f"It may have {_LONGEST_FORM} bytes.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError:
        raise Rejected(
            400, "The form cannot be read", "Go back and send it again.", faults=(Fault("", "is no form"),)
        ) from None


def read_time(text: str) -> datetime:
    """A time of a form, which gives none an offset: it is UTC, as everywhere in the console. Raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def address(*path: str, **params: str | None) -> str:
    """The address of a page below the console; parameters without a value are left out."""
    given = {name: value for name, value in params.items() if value}
    return "/".join((ROOT, *path)) + (f"?{urlencode(given, errors='replace')}" if given else "")

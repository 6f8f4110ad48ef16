"""The query options and preferences of a request, read once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aiohttp import web
from multidict import MultiMapping

from sandbox.systems.dataverse.errors import bad_request, not_simulated

PAGE_LIMIT = 5_000
_ALLOWED = frozenset(
    {"$select", "$filter", "$orderby", "$top", "$count", "$expand", "$skiptoken", "$deltatoken", "$id"}
)
_OTHER = frozenset({"tag"})
_ELSEWHERE = frozenset({"savedQuery", "userQuery", "sql", "partitionId", "partitionid"})
_NESTED = frozenset({"$select", "$filter", "$orderby", "$top", "$expand"})
_EXPANSION = re.compile(r"(?P<name>\w+)(?P<reference>/\$ref)?(?:\((?P<options>.*)\))?", re.DOTALL)
_PREFERENCE = re.compile(r'([\w.-]+)(?:\s*=\s*(?:"([^"]*)"|([^,;\s]*)))?')


@dataclass(frozen=True)
class Preferences:
    """What the Prefer header asks for; `annotations` are name patterns (`*` at the end stands for anything)."""

    representation: bool = False
    track_changes: bool = False
    page_size: int = PAGE_LIMIT
    sized: bool = False
    continue_on_error: bool = False
    annotations: tuple[str, ...] = ()

    def applied(self, response: web.Response, *, tracked: bool = False, written: bool = False) -> web.Response:
        """The response with `Preference-Applied`: what the request prefers and such a response takes into account."""
        found = []
        if written and self.representation:
            found.append("return=representation")
        if tracked and self.track_changes:
            found.append("odata.track-changes")
        if tracked and self.sized:
            found.append(f"odata.maxpagesize={self.page_size}")
        if self.annotations:
            found.append(f'odata.include-annotations="{",".join(self.annotations)}"')
        if found:
            response.headers["Preference-Applied"] = ",".join(found)
        return response

    def annotates(self, name: str) -> bool:
        """Whether an annotation is wanted."""
        return any(name == each or (each.endswith("*") and name.startswith(each[:-1])) for each in self.annotations)

    @classmethod
    def read(cls, headers: MultiMapping[str]) -> "Preferences":
        """Read every Prefer header of a request."""
        found: dict[str, str] = {}
        for header in headers.getall("Prefer", []):
            for name, quoted, plain in _PREFERENCE.findall(header):
                found[name] = quoted or plain
        size = found.get("odata.maxpagesize", "")
        sized = size.isdigit() and int(size) > 0
        listed = found.get("odata.include-annotations", "")
        return cls(
            representation=found.get("return") == "representation",
            track_changes="odata.track-changes" in found,
            page_size=min(int(size), PAGE_LIMIT) if sized else PAGE_LIMIT,
            sized=sized,
            continue_on_error=found.get("odata.continue-on-error", "false").lower() in {"", "true"},
            annotations=tuple(each.strip() for each in listed.split(",") if each.strip()),
        )


@dataclass(frozen=True)
class Query:
    """`$select`, `$filter`, `$orderby`, `$top`, `$count`, `$expand`; `select` None means every column.

    `expand` has the nested options by navigation property, with `reference` for `<navigation property>/$ref`.
    `options` are those options as they were written.
    """

    select: tuple[str, ...] | None = None
    filter: str | None = None
    order: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    count: bool = False
    expand: dict[str, "Query"] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    reference: bool = False
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, options: MultiMapping[str]) -> "Query":
        """Read the options; 400 for what Dataverse does not know, 501 for what only a real environment has."""
        for name in options:
            if name in _ELSEWHERE:
                raise not_simulated(f"The query option {name}")
            if name not in _ALLOWED and name.lower() not in _OTHER and not name.startswith("@"):
                raise bad_request(f"The query parameter {name} is not supported")
        return cls._read(options, {name: text for name, text in options.items() if name.startswith("@")})

    @property
    def expansions(self) -> int:
        """How many `$expand` options there are, nested ones too."""
        return sum(1 + nested.expansions for nested in self.expand.values())

    @property
    def nests(self) -> bool:
        """Whether an `$expand` has another one within it."""
        return any(nested.expand for nested in self.expand.values())

    @property
    def shown(self) -> str:
        """What the query shows, as an `@odata.context` names it: `(name,primarycontactid(fullname))`."""
        parts = list(self.select or ())
        parts += [f"{name}{nested.shown or '()'}" for name, nested in self.expand.items()]
        return f"({','.join(parts)})" if parts else ""

    @classmethod
    def _read(cls, options: Mapping[str, str], aliases: dict[str, str]) -> "Query":
        top = options.get("$top")
        if top is not None and (not _is_number(top) or int(top) == 0):
            raise bad_request(f"Invalid value '{top}' for $top query option found.")
        return cls(
            select=_names(options["$select"]) if "$select" in options else None,
            filter=options.get("$filter"),
            order=tuple(_ordering(each) for each in _names(options.get("$orderby", ""))),
            top=int(top) if top else None,
            count=_truth(options.get("$count", "false")),
            expand=cls._expansions(options.get("$expand", ""), aliases),
            aliases=aliases,
            options=options,
        )

    @classmethod
    def _expansions(cls, text: str, aliases: dict[str, str]) -> dict[str, "Query"]:
        expanded: dict[str, Query] = {}
        for each in split(text, ","):
            name, nested = cls._expansion(each, aliases)
            if name in expanded:
                raise bad_request(f"The navigation property '{name}' is expanded more than once.")
            expanded[name] = nested
        return expanded

    @classmethod
    def _expansion(cls, text: str, aliases: dict[str, str]) -> tuple[str, "Query"]:
        """A navigation property and the options in its parentheses."""
        found = _EXPANSION.fullmatch(text)
        if found is None or (found["reference"] and found["options"]):
            raise bad_request(f"Term '{text}' is not valid in a $select or $expand expression.")
        options: dict[str, str] = {}
        for each in split(found["options"] or "", ";"):
            name, equals, value = each.partition("=")
            if name.strip() not in _NESTED or not equals:
                raise bad_request(f"The nested option '{each}' is not supported in $expand.")
            options[name.strip()] = value.strip()
        nested = cls._read(options, aliases)
        return found["name"], replace(nested, reference=bool(found["reference"]))


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise bad_request(f"Invalid value '{text}' for $count query option found. Valid values are 'true' and 'false'.")
    return text.lower() == "true"


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _ordering(text: str) -> tuple[str, bool]:
    name, _, direction = text.partition(" ")
    if direction.strip() not in {"", "asc", "desc"}:
        raise bad_request(f"Syntax error in $orderby: '{text}'.")
    return name, direction.strip() == "desc"


def split(text: str, separator: str) -> list[str]:
    """The parts between separators that stand neither in parentheses nor in quotation marks."""
    parts, start, depth, quoted = [], 0, 0, False
    for at, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted:
            depth += {"(": 1, ")": -1}.get(character, 0)
            if character == separator and depth == 0:
                parts.append(text[start:at])
                start = at + 1
    if depth or quoted:
        raise bad_request(f"Term '{text}' is not valid in a $select or $expand expression.")
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()

"""The query options and preferences of a request, read once."""

import re
from dataclasses import dataclass, field

from aiohttp import web
from multidict import MultiMapping

from sandbox.systems.dataverse.errors import bad_request, not_simulated

PAGE_LIMIT = 5_000
_ALLOWED = frozenset({"$select", "$filter", "$orderby", "$top", "$count", "$expand", "$skiptoken", "$deltatoken"})
_OTHER = frozenset({"tag", "partitionid"})
_ELSEWHERE = frozenset({"fetchXml", "savedQuery", "userQuery", "sql", "$apply"})
_EXPANSION = re.compile(r"\s*([\w]+)\s*(?:\(([^()]*)\))?\s*(?:,|$)")
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
    """`$select`, `$filter`, `$orderby`, `$top`, `$count`, `$expand`; `select` None means every column."""

    select: tuple[str, ...] | None = None
    filter: str | None = None
    order: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    count: bool = False
    expand: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, options: MultiMapping[str]) -> "Query":
        """Read the options; 400 for what Dataverse does not know, 501 for what only a real environment has."""
        for name in options:
            if name in _ELSEWHERE:
                raise not_simulated(f"The query option {name}")
            if name not in _ALLOWED and name.lower() not in _OTHER and not name.startswith("@"):
                raise bad_request(f"The query parameter {name} is not supported")
        top = options.get("$top")
        if top is not None and (not top.isdigit() or int(top) == 0):
            raise bad_request(f"Invalid value '{top}' for $top query option found.")
        return cls(
            select=_names(options["$select"]) if "$select" in options else None,
            filter=options.get("$filter"),
            order=tuple(_ordering(each) for each in _names(options.get("$orderby", ""))),
            top=int(top) if top else None,
            count=_truth(options.get("$count", "false")),
            expand=_expansions(options.get("$expand", "")),
            aliases={name: text for name, text in options.items() if name.startswith("@")},
        )


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


def _expansions(text: str) -> dict[str, tuple[str, ...] | None]:
    found, at = {}, 0
    while at < len(text):
        match = _EXPANSION.match(text, at)
        if match is None or match.end() == at:
            raise bad_request(f"Term '{text}' is not valid in a $select or $expand expression.")
        found[match[1]] = _nested_select(match[2] or "")
        at = match.end()
    return found


def _nested_select(inner: str) -> tuple[str, ...] | None:
    """The columns of `$select=a,b` in the parentheses of `$expand`; None without parentheses."""
    if not inner.strip():
        return None
    option, _, listed = inner.partition("=")
    if option.strip() != "$select" or ";" in listed:
        raise not_simulated(f"The nested option {inner.strip()} of $expand")
    return _names(listed)

"""The query options and preferences of a request, read once."""

import re
from dataclasses import dataclass, field

from aiohttp import web
from multidict import MultiMapping

from sandbox.systems.dataverse.errors import bad_request

PAGE_LIMIT = 5_000
_ALLOWED = frozenset({"$select", "$filter", "$orderby", "$top", "$count", "$expand", "$skiptoken", "$deltatoken"})
_OTHER = frozenset({"tag", "partitionid"})
_EXPANSION = re.compile(r"\s*([\w]+)\s*(?:\(([^()]*)\))?\s*(?:,|$)")
_PREFERENCE = re.compile(r'([\w.-]+)(?:\s*=\s*(?:"([^"]*)"|([^,;\s]*)))?')


@dataclass(frozen=True)
class Preferences:
    """What the Prefer header asks for; `annotations` are name patterns (`*` at the end stands for anything)."""

    representation: bool = False
    track_changes: bool = False
    page_size: int = PAGE_LIMIT
    annotations: tuple[str, ...] = ()

    def annotates(self, name: str) -> bool:
        """Whether an annotation is wanted."""
        return any(name == each or (each.endswith("*") and name.startswith(each[:-1])) for each in self.annotations)

    @classmethod
    def read(cls, request: web.Request) -> "Preferences":
        """Read every Prefer header of a request."""
        found: dict[str, str] = {}
        for header in request.headers.getall("Prefer", []):
            for name, quoted, plain in _PREFERENCE.findall(header):
                found[name] = quoted or plain
        size = found.get("odata.maxpagesize", "")
        listed = found.get("odata.include-annotations", "")
        return cls(
            representation=found.get("return") == "representation",
            track_changes="odata.track-changes" in found,
            page_size=min(int(size), PAGE_LIMIT) if size.isdigit() and int(size) else PAGE_LIMIT,
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

    @classmethod
    def read(cls, options: MultiMapping[str]) -> "Query":
        """Read the options; 400 for what Dataverse does not know."""
        for name in options:
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
            count=options.get("$count") == "true",
            expand=_expansions(options.get("$expand", "")),
        )


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
        inner = match[2] or ""
        select = inner.strip().removeprefix("$select=") if inner.strip() else None
        found[match[1]] = None if select is None else _names(select)
        at = match.end()
    return found

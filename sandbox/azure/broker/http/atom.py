"""Atom documents as Service Bus' administration API exchanges them: entries, feeds, and what is in a posted entry.

They are written as text, because the JavaScript SDK reads prefixes, not only namespaces.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

SERVICE_BUS = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"
COUNTS = "http://schemas.microsoft.com/netservices/2011/06/servicebus"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
_ATOM = "http://www.w3.org/2005/Atom"
NO_DURATION = "P10675199D"
_NO_DURATION = f"{NO_DURATION}T2H48M5.4775807S"  # .NET's TimeSpan.MaxValue: never


def element(name: str, content: Any = "", **attributes: str) -> str:
    """One element around `Markup` or a value as text; none when that is None. `i__type` stands for `i:type`."""
    if content is None:
        return Markup("")
    head = "".join(f" {key.replace('__', ':')}={quoteattr(value)}" for key, value in attributes.items())
    return Markup(f"<{name}{head}>{content if isinstance(content, Markup) else escape(_text(content))}</{name}>")


class Markup(str):
    """Text that is XML already."""

    __slots__ = ()

    @classmethod
    def of(cls, parts: Iterable[str]) -> "Markup":
        """Elements one after the other."""
        return cls("".join(parts))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def timestamp(milliseconds: int) -> str:
    """ISO 8601, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat().replace("+00:00", "Z")


def period(milliseconds: int | None) -> str:
    """An ISO 8601 duration; None: without end."""
    if milliseconds is None:
        return _NO_DURATION
    seconds, rest = divmod(milliseconds, 1000)
    return f"PT{seconds}.{rest:03}S" if rest else f"PT{seconds}S"


def entry(url: str, title: str, description: str, now: int) -> str:
    """An entry around an entity's description."""
    return element(
        "entry",
        Markup.of(
            (
                element("id", url),
                element("title", title, type="text"),
                element("published", timestamp(now)),
                element("updated", timestamp(now)),
                Markup(f'<link rel="self" href={quoteattr(url)}/>'),
                element("content", Markup(description), type="application/xml"),
            )
        ),
        xmlns=_ATOM,
    )


def feed(url: str, title: str, entries: Iterable[str], next_url: str | None, now: int) -> str:
    """A page of entries; `next_url` leads to the next one."""
    links = [f'<link rel="self" href={quoteattr(url)}/>']
    if next_url is not None:
        links.append(f'<link rel="next" href={quoteattr(next_url)}/>')
    parts = [element("title", title, type="text"), element("id", url), element("updated", timestamp(now))]
    return element("feed", Markup.of((*parts, *links, *entries)), xmlns=_ATOM)


def problem(status: int, detail: str) -> str:
    """The body of a refusal."""
    return element("Error", Markup.of((element("Code", status), element("Detail", detail))))


Node = ET.Element


def description_of(document: bytes) -> Node:
    """The description in a posted entry. Raises ValueError when there is none."""
    try:
        root = ET.fromstring(document)  # noqa: S314 -- from a client on this machine
    except ET.ParseError as error:
        raise ValueError(f"not XML: {error}") from error
    for node in root.iter():
        if local_name(node).endswith("Description"):
            return node
    raise ValueError("the entry has no description")


def local_name(node: Node) -> str:
    """An element's name without its namespace."""
    return node.tag.rpartition("}")[2]


def child(node: Node, name: str) -> Node | None:
    """The child element of that name."""
    return next((each for each in node if local_name(each) == name), None)


def texts(node: Node) -> Mapping[str, str]:
    """The text of each child element that has some."""
    return {local_name(each): each.text.strip() for each in node if each.text and each.text.strip()}


def inner(node: Node) -> str:
    """The content of an element: its text, or its children as `Markup`, which keeps their types but no namespaces."""
    if not len(node):
        return (node.text or "").strip()
    return Markup.of(_markup(child) for child in node)


def _markup(node: Node) -> str:
    kind = instance_type(node)
    attributes = {"i__type": kind} if kind else {}
    content = inner(node)
    return element(local_name(node), content if len(node) else str(content), **attributes)


def instance_type(node: Node) -> str:
    """The `xsi:type` of an element, without prefix."""
    return node.get(f"{{{INSTANCE}}}type", "").rpartition(":")[2]

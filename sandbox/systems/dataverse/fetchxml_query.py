"""FetchXML, read: the elements and attributes that are simulated. Everything else is refused, nothing is passed over.

Source: "Query data using FetchXml" and the reference of its elements in Microsoft's documentation.
"""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from sandbox.systems.dataverse.errors import ODataError, bad_request, not_simulated
from sandbox.systems.dataverse.query import PAGE_LIMIT
from sandbox.systems.dataverse.relations import LINKS_AT_MOST

AGGREGATE_LIMIT = 50_000
_INVALID = "0x8004111c"
"""What clients report for elements that FetchXML does not know ("Invalid Child Node ..."); here for all else, too."""
NO_ALIAS, NO_ATTRIBUTE, NO_ENTITY = "0x8004110b", "0x80041103", "0x80041102"
"""QueryBuilderNoAlias, QueryBuilderNoAttribute, QueryBuilderNoEntity."""
_NO_EFFECT = frozenset({"version", "mapping", "output-format", "no-lock", "latematerialize", "options"})
"""Attributes of `fetch` that leave the result as it is."""
_ELSEWHERE = frozenset(
    {"datasource", "utc-offset", "min-active-row-version", "rowaggregate", "usertimezone", "intersect"}
)
_UI = frozenset({"uiname", "uitype", "uihidden", "visible", "enableprefiltering", "prefilterparametername"})
"""Attributes for designers of views, which leave the result as it is."""
JOINS = frozenset({"inner", "outer", "exists", "in", "matchfirstrowusingcrossapply"})
FILTERING_JOINS = frozenset({"any", "not any", "all", "not all"})


@dataclass(frozen=True)
class Attribute:
    """A column to show, to group by, or to aggregate."""

    name: str
    alias: str | None = None
    aggregate: str | None = None
    group: bool = False
    distinct: bool = False
    part: str | None = None


@dataclass(frozen=True)
class Condition:
    """`entity` is the alias of the link-entity whose column is meant; `other` a column instead of values."""

    column: str
    operator: str
    values: tuple[str, ...] = ()
    other: str | None = None
    entity: str | None = None


@dataclass(frozen=True)
class Filter:
    """Conditions, filters and link-entities, of which all or any must hold."""

    any: bool
    parts: "tuple[Condition | Filter | Link, ...]"


@dataclass(frozen=True)
class Order:
    """A column, or the alias of an aggregate; `entity` as in conditions."""

    column: str | None
    alias: str | None
    descending: bool
    entity: str | None = None


@dataclass(frozen=True)
class Source:
    """What an `entity` or a `link-entity` asks for; no `attributes` in an entity mean all."""

    name: str
    alias: str
    attributes: tuple[Attribute, ...] = ()
    everything: bool = False
    filters: tuple[Filter, ...] = ()
    orders: tuple[Order, ...] = ()
    links: "tuple[Link, ...]" = ()


@dataclass(frozen=True)
class Link:
    """A joined table: rows whose column `start` equals the column `to` of the element around it."""

    source: Source
    start: str
    to: str
    kind: str


@dataclass(frozen=True)
class Fetch:
    """A whole query; `size` rows a page."""

    entity: Source
    top: int | None = None
    size: int = PAGE_LIMIT
    page: int = 1
    cookie: str | None = None
    distinct: bool = False
    aggregate: bool = False
    aggregate_limit: int = AGGREGATE_LIMIT
    total: bool = False
    raw_order: bool = False


def read_fetch(text: str) -> Fetch:
    """Read a query; 400 for what FetchXML does not know, 501 for what is not simulated."""
    try:
        element = ET.fromstring(text)  # noqa: S314 -- from the sandbox's own clients
    except ET.ParseError as wrong:
        raise invalid(f"Invalid XML. {wrong}") from wrong
    return _Reader().fetch(element)


def invalid(said: str, code: str = _INVALID) -> ODataError:
    """400: the query cannot be read."""
    return bad_request(said, code)


class _Reader:
    def __init__(self) -> None:
        self._links = 0

    def fetch(self, element: ET.Element) -> Fetch:
        _check(element, "fetch", _FETCH | _NO_EFFECT, {"entity"})
        if len(element) != 1:
            raise invalid("The element fetch needs one element entity.")
        given = element.attrib
        top = _number(given, "top")
        paged = {"count", "page", "paging-cookie"} & given.keys()
        if top is not None and (paged or _truth(given, "returntotalrecordcount")):
            raise invalid("The top attribute can't be specified with paging attributes or returntotalrecordcount.")
        if top is not None and top > PAGE_LIMIT:
            raise invalid(f"The top attribute cannot be above {PAGE_LIMIT}.")
        limit = _number(given, "aggregatelimit") or AGGREGATE_LIMIT
        fetch = Fetch(
            self._source(element[0], "entity", {"name"}),
            top=top,
            size=min(_number(given, "count") or PAGE_LIMIT, PAGE_LIMIT),
            page=_number(given, "page") or 1,
            cookie=given.get("paging-cookie"),
            distinct=_truth(given, "distinct"),
            aggregate=_truth(given, "aggregate"),
            aggregate_limit=min(limit, AGGREGATE_LIMIT),
            total=_truth(given, "returntotalrecordcount"),
            raw_order=_truth(given, "useraworderby"),
        )
        if self._links > LINKS_AT_MOST:
            raise ODataError(400, "0x8004430D", "Number of link entities in query exceeded maximum limit.")
        return fetch

    def _source(self, element: ET.Element, tag: str, attributes: set[str]) -> Source:
        _check(element, tag, attributes | _UI, {"attribute", "all-attributes", "order", "filter", "link-entity"})
        name = _required(element, "name")
        children: dict[str, list[ET.Element]] = {}
        for child in element:
            children.setdefault(child.tag, []).append(child)
        return Source(
            name,
            element.get("alias") or (name if tag == "entity" else f"{name}{self._links}"),
            attributes=tuple(_attribute(each) for each in children.get("attribute", ())),
            everything="all-attributes" in children,
            filters=tuple(self._filter(each) for each in children.get("filter", ())),
            orders=tuple(_order(each) for each in children.get("order", ())),
            links=tuple(self._link(each, JOINS) for each in children.get("link-entity", ())),
        )

    def _link(self, element: ET.Element, kinds: frozenset[str]) -> Link:
        self._links += 1
        kind = element.get("link-type", "inner")
        if kind not in kinds:
            raise invalid(f"The link-type '{kind}' is not valid here.", "0x80041121")  # QueryBuilderInvalidJoinOperator
        if "from" not in element.attrib or "to" not in element.attrib:
            raise not_simulated("A link-entity without from and to")
        source = self._source(element, "link-entity", {"name", "from", "to", "alias", "link-type"})
        if kind not in {"inner", "outer", "matchfirstrowusingcrossapply"} and (source.attributes or source.everything):
            raise invalid(f"A link-entity of the link-type '{kind}' cannot show columns.")
        return Link(source, element.attrib["from"], element.attrib["to"], kind)

    def _filter(self, element: ET.Element) -> Filter:
        _check(element, "filter", {"type", "hint", *_UI}, {"condition", "filter", "link-entity"})
        kind = element.get("type", "and")
        if kind not in {"and", "or"}:
            raise invalid(
                f"The type '{kind}' of a filter is neither 'and' nor 'or'.", "0x80041122"
            )  # QueryBuilderInvalidFilterType
        if "hint" in element.attrib and element.attrib["hint"] != "union":
            raise invalid("The hint of a filter is 'union'.")
        return Filter(kind == "or", tuple(self._part(child) for child in element))

    def _part(self, element: ET.Element) -> Condition | Filter | Link:
        if element.tag == "filter":
            return self._filter(element)
        if element.tag == "link-entity":
            return self._link(element, FILTERING_JOINS)
        return _condition(element)


def _attribute(element: ET.Element) -> Attribute:
    known = {"name", "alias", "aggregate", "groupby", "distinct", "dategrouping"}
    _check(element, "attribute", known, set())
    given = element.attrib
    return Attribute(
        _required(element, "name"),
        given.get("alias"),
        given.get("aggregate"),
        group=_truth(given, "groupby"),
        distinct=_truth(given, "distinct"),
        part=given.get("dategrouping"),
    )


def _condition(element: ET.Element) -> Condition:
    known = {"attribute", "operator", "value", "valueof", "entityname", "column", *_UI}
    _check(element, "condition", known, {"value"})
    values = [element.attrib["value"]] if "value" in element.attrib else []
    for child in element:
        _check(child, "value", {*_UI}, set())
        values.append(child.text or "")
    name = element.get("attribute") or element.get("column")
    if name is None:
        raise invalid("The element condition needs the attribute 'attribute'.")
    other = element.get("valueof")
    if other is not None and values:
        raise invalid("A condition has either values or valueof.")
    return Condition(name, _required(element, "operator"), tuple(values), other, element.get("entityname"))


def _order(element: ET.Element) -> Order:
    _check(element, "order", {"attribute", "alias", "descending", "entityname"}, set())
    column, alias = element.get("attribute"), element.get("alias")
    if (column is None) == (alias is None):
        raise invalid("The element order needs either the attribute 'attribute' or the attribute 'alias'.")
    return Order(column, alias, _truth(element.attrib, "descending"), element.get("entityname"))


_FETCH = {
    *("aggregate", "aggregatelimit", "count", "distinct", "page", "paging-cookie", "returntotalrecordcount", "top"),
    "useraworderby",
}


def _check(element: ET.Element, tag: str, attributes: set[str] | frozenset[str], children: set[str]) -> None:
    """The element is what is expected here, and has only what is read."""
    if element.tag != tag:
        raise invalid(f"The element {element.tag} is not expected; {tag} is.")
    for name in element.attrib:
        if name in _ELSEWHERE:
            raise not_simulated(f"The attribute {name} of the FetchXML element {tag}")
        if name not in attributes:
            raise invalid(f"The attribute '{name}' of the element {tag} is not known.")
    for child in element:
        if child.tag not in children:
            raise invalid(f"The element {child.tag} is not expected in the element {tag}.")


def _required(element: ET.Element, name: str) -> str:
    value = element.get(name)
    if not value:
        raise invalid(f"The element {element.tag} needs the attribute '{name}'.")
    return value


def _truth(given: dict[str, str], name: str) -> bool:
    text = given.get(name, "false").lower()
    if text not in {"true", "false", "1", "0"}:
        raise invalid(f"The attribute '{name}' is 'true' or 'false'; it is '{text}'.")
    return text in {"true", "1"}


def _number(given: dict[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise invalid(
            f"The attribute '{name}' is a number above zero; it is '{text}'.", "0x8004110c"
        )  # QueryBuilderValue_GreaterThanZero
    return int(text)

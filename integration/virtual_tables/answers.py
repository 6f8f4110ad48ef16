"""Rows and errors as OData 4.0 writes them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from integration.systems.odata.calls import ETAG
from integration.virtual_tables.csdl import NAMESPACE, type_name
from integration.virtual_tables.edm import Edm, Value, to_json
from integration.virtual_tables.entity_set import ServedSet
from integration.virtual_tables.reading import Page

VERSION: Final = {"OData-Version": "4.0"}
_LONG: Final = frozenset({Edm.INT64, Edm.DECIMAL})


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str = ""
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Format:
    """What the client asked for: how much metadata (`minimal`, `full`, `none`), and long numbers as texts."""

    metadata: str = "minimal"
    numbers_as_text: bool = False

    @classmethod
    def of(cls, accept: str) -> "Format | None":
        """From the header Accept; None where the client takes no JSON."""
        wanted = [_parameters(part) for part in accept.lower().split(",")] if accept.strip() else [{"": "*/*"}]
        for each in wanted:
            if each[""] in {"application/json", "application/*", "*/*"}:
                how = each.get("odata.metadata", each.get("metadata", "minimal"))
                if how not in {"minimal", "full", "none"}:
                    return None
                compatible = each.get("ieee754compatible", "false")
                return cls(how, numbers_as_text=compatible == "true")
        return None

    @property
    def media_type(self) -> str:
        """The Content-Type of an answer."""
        more = ";IEEE754Compatible=true" if self.numbers_as_text else ""
        return f"application/json;odata.metadata={self.metadata};odata.streaming=true{more};charset=utf-8"


class Writer:
    """Writes the rows of one set; `root` is the address of the service, ending with a slash."""

    def __init__(self, root: str, entity_set: ServedSet, form: Format) -> None:
        self._root = root
        self._set = entity_set
        self._form = form
        self._types = entity_set.types

    def page(self, page: Page, select: Sequence[str], next_link: str | None) -> Answer:
        """Rows with their count and the link to the next page, where there are such."""
        parts = self._context(select, row=False)
        if page.count is not None:
            parts.append(f'"@odata.count":{page.count}')
        rows = ",".join("{" + ",".join(self._members(row, select)) + "}" for row in page.rows)
        parts.append(f'"value":[{rows}]')
        if next_link is not None:
            parts.append(f'"@odata.nextLink":{json.dumps(next_link)}')
        return Answer(200, "{" + ",".join(parts) + "}", self._form.media_type, VERSION)

    def row(self, row: Mapping[str, Value], select: Sequence[str], *, status: int = 200, tag: str = "") -> Answer:
        """One row; 201 with its address where it was created. `tag` is its ETag in the system."""
        members = self._context(select, row=True)
        if tag and self._form.metadata != "none":
            members.append(f'"{ETAG}":{json.dumps(tag)}')
        members += self._members(row, select)
        headers = dict(VERSION) | ({"ETag": tag} if tag else {})
        if status == 201:
            headers |= {"Location": self._address(row), "OData-EntityId": self._address(row)}
        return Answer(status, "{" + ",".join(members) + "}", self._form.media_type, headers)

    def _address(self, row: Mapping[str, Value]) -> str:
        return f"{self._root}{self._set.name}({row[self._set.declared.key]})"

    def _context(self, select: Sequence[str], *, row: bool) -> list[str]:
        if self._form.metadata == "none":
            return []
        chosen = "" if len(select) == len(self._types) else f"({','.join(select)})"
        text = f"{self._root}$metadata#{self._set.name}{chosen}{'/$entity' if row else ''}"
        return [f'"@odata.context":{json.dumps(text)}']

    def _members(self, row: Mapping[str, Value], select: Sequence[str]) -> list[str]:
        members = []
        if self._form.metadata == "full":
            members.append(f'"@odata.type":"#{NAMESPACE}.{type_name(self._set)}"')
            members.append(f'"@odata.id":{json.dumps(self._address(row))}')
        for name in select:
            edm = self._types[name]
            if self._form.metadata == "full" and edm not in {Edm.STRING, Edm.BOOLEAN, Edm.DOUBLE}:
                members.append(f'"{name}@odata.type":"#{edm.value.removeprefix("Edm.")}"')
            text = self._form.numbers_as_text and edm in _LONG
            members.append(f'"{name}":{to_json(row[name], numbers_as_text=text)}')
        return members


def problem(status: int, code: str, message: str, *, reference: str, retry_after: float | None = None) -> Answer:
    """An error in OData's form. The message is all that an administrator sees, in the plug-in trace log."""
    body = {"error": {"code": code, "message": f"{message} Reference: {reference}."}}
    headers = dict(VERSION)
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, round(retry_after)))
    if status == 401:
        headers["WWW-Authenticate"] = 'ApiKey realm="integration"'
    return Answer(status, json.dumps(body), "application/json;odata.metadata=minimal;charset=utf-8", headers)


def _parameters(part: str) -> dict[str, str]:
    media, *more = [it.strip() for it in part.split(";")]
    found = {"": media}
    for each in more:
        name, _, value = each.partition("=")
        found[name.strip()] = value.strip().strip('"')
    return found

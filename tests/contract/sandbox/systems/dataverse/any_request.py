"""Requests that nobody meant: made at random from what clients send, with mistakes in them."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.contract.sandbox.systems.dataverse.any_words import (
    ADA,
    APPLIED,
    COLUMNS,
    CONDITIONS,
    CRM,
    DEFINED,
    DEFINED_EXPANSIONS,
    DEFINED_LITERALS,
    EXPANSIONS,
    FABRIKAM,
    FUNCTIONS,
    HEADERS,
    LISTS,
    LITERALS,
    METHODS,
    NAMES,
    PATHS,
    TEMPLATES,
    VALUES,
)


@dataclass
class Request:
    """One request, as it is sent."""

    method: str
    path: str
    options: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Maker:
    """Makes requests; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- nothing is kept secret with it

    def request(self) -> Request:
        """A request with one mistake at least in most cases."""
        path = self._spoiled(self._any(PATHS), 0.05)
        defines = path.startswith("EntityDefinitions") and self._random.random() < 0.7
        made = Request(self._any(METHODS), path, self._definition_options() if defines else self._options())
        for _ in range(self._random.choice((0, 0, 0, 1, 2))):
            name, value = self._any(HEADERS)
            made.headers[name] = value
        if path == "$batch":
            made.method = self._any(("POST", "POST", "POST", "GET"))
            made.headers["Content-Type"] = self._spoiled("multipart/mixed; boundary=b", 0.1)
            made.body = self._spoiled(self._batch(), 0.5).encode(errors="replace")
        elif made.method not in {"GET", "HEAD", "OPTIONS"}:
            made.headers["Content-Type"] = "application/json"
            made.body = self._spoiled(json.dumps(self._body(path)), 0.15).encode(errors="replace")
        return made

    def _body(self, path: str) -> dict[str, Any]:
        """A body at random or, where one is known that fits, mostly that one with other values here and there."""
        template = TEMPLATES.get(path.rpartition("/")[2])
        if template is None or self._random.random() < 0.3:
            return self._object(2)
        changed = {name: self._value(2) for name in self._some((*template, *NAMES), 2)}
        return template | changed

    def filter(self, depth: int = 2) -> str:
        """An expression for `$filter`, valid or not."""
        choice = self._random.random()
        if depth and choice < 0.35:
            return f"({self.filter(depth - 1)} {self._any(('and', 'or'))} {self.filter(depth - 1)})"
        if depth and choice < 0.45:
            return f"not ({self.filter(depth - 1)})"
        column, literal = self._any(COLUMNS), self._any(LITERALS)
        if choice < 0.75:
            return f"{column} {self._any(('eq', 'ne', 'gt', 'ge', 'lt', 'le', 'in', 'has'))} {literal}"
        if choice < 0.85:
            return f"{self._any(('contains', 'startswith', 'endswith', 'length'))}({column},{literal})"
        if choice < 0.92:
            inner = f"c:c/{self._any(('firstname', 'lastname', 'nonsense'))} eq 'Ada'"
            return f"contact_customer_accounts/{self._any(('any', 'all', 'none'))}({self._any((inner, ''))})"
        many, function = self._any(LISTS), self._any(FUNCTIONS)
        given = self._any((f",PropertyValues={many}", f",PropertyValue={literal}", ""))
        return f"{CRM}{function}(PropertyName='{column}'{given})"

    def fetch(self) -> str:
        """A query in FetchXML, valid or not."""
        inner = "".join(self._any(CONDITIONS) for _ in range(self._random.randint(0, 2)))
        attributes = self._any(("", "<attribute name='name'/>", "<all-attributes/>", "<attribute name='x'/>"))
        order = self._any(("", "<order attribute='name'/>", "<order attribute='ownerid' descending='true'/>"))
        options = self._any(
            ("", "count='1'", "top='1'", "distinct='1'", "aggregate='true'", "page='2' paging-cookie='x'")
        )
        return (
            f"<fetch {options}><entity name='account'>{attributes}"
            f"<filter type='{self._any(('and', 'or', 'x'))}'>{inner}</filter>{order}</entity></fetch>"
        )

    def _options(self) -> list[tuple[str, str]]:
        options: dict[str, Callable[[], str]] = {
            "$filter": self.filter,
            "$select": lambda: ",".join(self._some(COLUMNS, 3)),
            "$orderby": lambda: f"{self._any(COLUMNS)}{self._any(('', ' desc', ' up'))}",
            "$top": lambda: self._any(("1", "0", "-1", "x", "5000", "²")),
            "$count": lambda: self._any(("true", "false", "x")),
            "$expand": lambda: self._any(EXPANSIONS),
            "$apply": lambda: self._any(APPLIED),
            "$skiptoken": lambda: self._any(("x", '<cookie pagenumber="2" offset="1"/>', "1!2!" + FABRIKAM, "")),
            "$deltatoken": lambda: self._any(("1!", "x", "", "999999999!")),
            "fetchXml": self.fetch,
            "@p": lambda: self._any(LITERALS),
            "$skip": lambda: "1",
            "$id": lambda: f"contacts({ADA})",
            "tag": lambda: "x",
            "nonsense": lambda: "1",
        }
        return self._given(options)

    def _definition_options(self) -> list[tuple[str, str]]:
        options: dict[str, Callable[[], str]] = {
            "$filter": lambda: f"{self._any(DEFINED)} {self._any(('eq', 'ne', 'gt'))} {self._any(DEFINED_LITERALS)}",
            "$select": lambda: ",".join(self._some(DEFINED, 3)),
            "$expand": lambda: self._any(DEFINED_EXPANSIONS),
            "$count": lambda: self._any(("true", "x")),
            "LabelLanguages": lambda: self._any(("1033", "1031", "x")),
            "$skip": lambda: "1",
            "@p": lambda: self._any(DEFINED_LITERALS),
            "nonsense": lambda: "1",
        }
        return self._given(options)

    def _given(self, options: Mapping[str, Callable[[], str]]) -> list[tuple[str, str]]:
        chosen = self._some(tuple(options), self._random.choice((0, 1, 1, 2, 3)))
        return [(name, self._spoiled(options[name](), 0.1)) for name in dict.fromkeys(chosen)]

    def _object(self, depth: int) -> dict[str, Any]:
        return {name: self._value(depth) for name in self._some(NAMES, 4)}

    def _value(self, depth: int) -> Any:
        if depth and self._random.random() < 0.25:
            return [self._object(depth - 1) for _ in range(self._random.randint(0, 2))]
        if depth and self._random.random() < 0.1:
            return self._object(depth - 1)
        return self._any(VALUES)

    def _batch(self) -> str:
        kind = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        parts = []
        for number in range(self._random.randint(0, 3)):
            method, path = self._any(METHODS), self._any((*PATHS, "$1", "$1/name", "$9"))
            body = json.dumps(self._object(1)) if method in {"POST", "PATCH", "PUT"} else ""
            parts.append(f"{kind}Content-ID: {number}\r\n\r\n{method} {path} HTTP/1.1\r\n\r\n{body}")
        whole = "".join(f"--b\r\n{part}\r\n" for part in parts)
        if self._random.random() < 0.5:
            inner = "".join(f"--c\r\n{part}\r\n" for part in parts)
            whole += f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{inner}--c--\r\n"
        return whole + "--b--\r\n"

    def _spoiled(self, text: str, share: float) -> str:
        """A text, in a share of cases with a character too many, too few, or another one."""
        if not text or self._random.random() > share:
            return text
        at = self._random.randrange(len(text))
        put = str(self._any(("", "'", '"', "(", ")", "/", " ", "\\", "<", "é", "%", "$", "\r\n", "{", ":")))
        return text[:at] + put + text[at + self._random.randint(0, 1) :]

    def _any(self, options: Sequence[Any]) -> Any:
        return self._random.choice(options)

    def _some(self, options: Sequence[Any], most: int) -> list[Any]:
        return [self._any(options) for _ in range(self._random.randint(0, most))]

"""ASP.NET route templates: literals, parameters, constraints, optionals, defaults, catch-alls.

The host tries its routes in the order of the functions' names and takes the first that matches; a literal does not win
over a parameter. The method is a constraint of the route like any other, so a wrong method gives 404.
Sources: azure-functions-host WebScriptHostHttpRoutesManager.cs, FunctionMetadataManager.cs (order by name);
webjobs-sdk-extensions WebJobsRouter.cs.
"""

import math
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import unquote

from sandbox.azure.host.errors import HostStartError
from sandbox.azure.host.functions import Function

_PARAMETER = re.compile(r"\{(?P<body>(?:[^{}]|\{\{|\}\})+)\}")
_INT = re.compile(r"[+-]?\d+")
_REAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")

Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One `{name:constraint=default?}` or `{*name}` of a template."""

    name: str
    checks: tuple[Check, ...]
    default: str | None
    optional: bool
    catch_all: bool


class RouteTemplate:
    """A template, compiled; `match` gives the route values of a path or None."""

    def __init__(self, template: str) -> None:
        self._parameters: list[Parameter] = []
        pattern = ""
        for segment in filter(None, template.strip("/").split("/")):
            pattern += self._segment(segment, template)
        self._pattern = re.compile(pattern + "/?", re.IGNORECASE | re.DOTALL)

    def _segment(self, segment: str, template: str) -> str:
        pieces: list[str] = []
        position = 0
        only: Parameter | None = None
        for match in _PARAMETER.finditer(segment):
            parameter = _parameter(match["body"], template)
            pieces.append(re.escape(segment[position : match.start()]))
            pieces.append("(.*)" if parameter.catch_all else "([^/]+?)" if match.end() < len(segment) else "([^/]+)")
            self._parameters.append(parameter)
            only = parameter if match.span() == (0, len(segment)) else None
            position = match.end()
        pieces.append(re.escape(segment[position:]))
        body = "/" + "".join(pieces)
        if only is not None and (only.optional or only.default is not None or only.catch_all):
            return f"(?:{body})?"
        return body

    def match(self, path: str) -> dict[str, str] | None:
        """Route values of `path` (as sent, percent-encoded, with a leading slash); absent optionals are left out."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        values: dict[str, str] = {}
        for parameter, raw in zip(self._parameters, found.groups(), strict=True):
            value = unquote(raw) if raw else parameter.default
            if value is None:
                continue
            if not all(check(value) for check in parameter.checks):
                return None
            values[parameter.name] = value
        return values


def _parameter(body: str, template: str) -> Parameter:
    body, optional = (body[:-1], True) if body.endswith("?") else (body, False)
    catch_all = body.startswith("*")
    name, _, rest = body.lstrip("*").partition(":")
    default: str | None = None
    if "=" in name:
        name, _, default = name.partition("=")
    if "=" in rest and not rest.startswith("regex("):
        rest, _, default = rest.partition("=")
    checks = tuple(_check(constraint, template) for constraint in _constraints(rest))
    return Parameter(name=name, checks=checks, default=default, optional=optional, catch_all=catch_all)


def _constraints(text: str) -> list[str]:
    """`a:b(x:y):c` cut at the colons outside parentheses."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == ":" and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [part for part in [*parts, text[start:]] if part]


def _is(parse: Callable[[str], object]) -> Check:
    def check(value: str) -> bool:
        try:
            parse(value)
        except (ValueError, ArithmeticError):
            return False
        return True

    return check


def _integer(bits: int) -> Check:
    limit = 1 << (bits - 1)
    return lambda value: _INT.fullmatch(value) is not None and -limit <= int(value) < limit


_SIMPLE: dict[str, Check] = {
    "int": _integer(32),
    "long": _integer(64),
    "bool": lambda value: value.lower() in {"true", "false"},
    "guid": _is(uuid.UUID),
    "datetime": _is(datetime.fromisoformat),
    "decimal": _is(Decimal),
    "double": lambda value: _REAL.fullmatch(value) is not None,
    "float": lambda value: _REAL.fullmatch(value) is not None,
    "alpha": lambda value: value.isascii() and (value.isalpha() or not value),
    "required": bool,
}


def _check(constraint: str, template: str) -> Check:
    name, _, rest = constraint.partition("(")
    argument = rest.removesuffix(")")
    if not rest and name in _SIMPLE:
        return _SIMPLE[name]
    if name == "regex" and rest:
        pattern = re.compile(argument.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
        return lambda value: pattern.search(value) is not None
    numbers = [int(part) for part in argument.split(",") if _INT.fullmatch(part.strip())]
    bounds = _bounds(name, numbers)
    if bounds is None:
        raise HostStartError(f"Route '{template}': there is no constraint '{constraint}'.")
    low, high = bounds
    if name.endswith("length"):
        return lambda value: low <= len(value) <= high
    return lambda value: _INT.fullmatch(value) is not None and low <= int(value) <= high


def _bounds(name: str, numbers: list[int]) -> tuple[float, float] | None:
    """What the arguments of a constraint with numbers allow, both ends included."""
    bounds: tuple[float, float] | None = None
    match name, numbers:
        case (("min" | "minlength"), [low]):
            bounds = (low, math.inf)
        case (("max" | "maxlength"), [high]):
            bounds = (-math.inf, high)
        case "length", [exact]:
            bounds = (exact, exact)
        case (("range" | "length"), [low, high]):
            bounds = (low, high)
    return bounds


@dataclass(frozen=True, slots=True)
class _Route:
    function: Function
    methods: frozenset[str] | None
    template: RouteTemplate


class RouteTable:
    """The routes of all HTTP functions, in the host's order."""

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        self._routes = []
        for function in functions:
            methods = function.binding.get("methods")
            route = function.binding.get("route") or function.name
            self._routes.append(
                _Route(
                    function=function,
                    methods=frozenset(method.upper() for method in methods) if methods else None,
                    template=RouteTemplate(f"{prefix}/{route.lstrip('/')}"),
                )
            )

    def find(self, method: str, path: str) -> tuple[Function, dict[str, str]] | None:
        """The function that answers `method` on `path`, with the route values."""
        for route in self._routes:
            if route.methods is None or method in route.methods:
                values = route.template.match(path)
                if values is not None:
                    return route.function, values
        return None

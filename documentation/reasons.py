"""The reasons: every word that an error or a dead letter can have, and what happens to the event."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from documentation.blocks import code, table
from documentation.descriptions import described
from documentation.source import REPOSITORY, SYSTEM, Module, called, modules, texts
from integration.errors import IntegrationError

_WORD = re.compile(rf"(?:{SYSTEM}|[a-z])[a-z-]*")

HANDED_OVER = {"unexpected-error": "Permanent", "unexpected": "IntegrationError"}
"""Reasons that are not written as `reason=...`, with their values."""

CONSEQUENCES = {
    "Outage": "waits for the system, and does not age meanwhile",
    "Transient": "waits, and is tried again",
    "Permanent": "is dead-lettered",
    "Conflict": "the row is read again at once",
    "Stale": "is superseded",
    "Fenced": "goes on in another invocation",
    "Rejected": "is refused, and not queued; a message of a queue, topic or hub is dead-lettered",
    "Unavailable": "is refused at the intake with 503, and not queued",
    "ConfigurationError": "the app does not start",
}
"""What happens to an event whose work ends with this error, the most specific class first."""


@cache
def reasons() -> dict[str, set[str]]:
    """Every reason in the code, and the error classes that carry it."""
    found: dict[str, set[str]] = defaultdict(set)
    for word, kind in [*_of_classes(), *_of_calls(), *HANDED_OVER.items()]:
        if _WORD.fullmatch(word):
            found[word].add(kind)
    for word in list(found):  # a reason of one system that all systems can have is listed once
        general = re.sub(r"^(dataverse|erp|credit)-", f"{SYSTEM}-", word)
        if general != word and general in found:
            found[general] |= found.pop(word)
    return dict(found)


def page_part(seen: bool) -> str:
    """The reasons that an event's status can show, or those that only logs and answers can."""
    known = reasons()
    rows = [
        [code(word), text["means"], "; ".join(consequences(known[word])), text["do"]]
        for word, text in described("reasons", known).items()
        if ("log-only" in text) != seen
    ]
    return table(["reason", "what it means", "the event", "what to do"], rows)


def consequences(kinds: set[str]) -> list[str]:
    """What happens to the event, for each of the error classes."""
    errors = _errors()
    said = [
        next((text for name, text in CONSEQUENCES.items() if name in {c.__name__ for c in errors[kind].__mro__}), "")
        for kind in sorted(kinds)
        if kind in errors
    ]
    return sorted(set(filter(None, said)))


def _of_classes() -> Iterator[tuple[str, str]]:
    for name, kind in _errors().items():
        if "reason" in vars(kind):
            yield kind.reason, name


def _of_calls() -> Iterator[tuple[str, str]]:
    places = _places()
    errors = _errors()
    for module in modules():
        inside = {id(node): kind.name for kind in module.classes() for node in ast.walk(kind)}
        for call in module.calls():
            given = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
            place = places.get(called(call))
            if place is not None:
                given += call.args[place : place + 1]
            kinds = {inside.get(id(call), "") if called(call) == "__init__" else called(call)} | {
                arg.id for arg in call.args if isinstance(arg, ast.Name)
            }
            for word in sorted(set[str]().union(*map(texts, given))):
                for kind in sorted(kinds & errors.keys()) or [""]:
                    yield word, kind
        yield from ((word, "Permanent") for word in _of_needs(module))
        yield from _of_tables(module)


def _of_needs(module: Module) -> Iterator[str]:
    """Reasons that a flow gives itself, for a record that one of its effects needs."""
    for call in module.calls():
        if called(call) == "Needs":
            for keyword in call.keywords:
                if keyword.arg == "gone":
                    yield from sorted(texts(keyword.value))


def _of_tables(module: Module) -> Iterator[tuple[str, str]]:
    """Reads functions that choose class and word together: `kind, word = choose(...)`, `reason=f"{service}-{word}"`."""
    chosen = {}
    for node in module.nodes:
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=[_, ast.Name(id=word)])], value=ast.Call(func=ast.Name(id=choose))):
                chosen[word] = choose
    for call in module.calls():
        for keyword in call.keywords:
            match keyword:
                case ast.keyword(
                    arg="reason", value=ast.JoinedStr(values=[*start, ast.FormattedValue(value=ast.Name(id=word))])
                ):
                    if word in chosen:
                        (before,) = texts(ast.JoinedStr(values=start))
                        yield from ((before + end, kind) for kind, end in _returned(module, chosen[word]))


def _returned(module: Module, name: str) -> Iterator[tuple[str, str]]:
    """The pairs of a class and a text that a function returns."""
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            for pair in (it for it in ast.walk(node) if isinstance(it, ast.Tuple)):
                match pair.elts:
                    case [ast.Name(id=kind), ast.Constant(value=str(text))]:
                        yield kind, text


@cache
def _places() -> dict[str, int]:
    """Dataclasses with a field `reason`, and its place among their arguments."""
    found = {}
    for module in modules():
        for kind in module.classes():
            fields = [ast.unparse(node.target) for node in kind.body if isinstance(node, ast.AnnAssign)]
            if "reason" in fields:
                found[kind.name] = fields.index("reason")
    return found


@cache
def _errors() -> dict[str, type[IntegrationError]]:
    """The error classes by name, wherever in the package they are."""
    for module in modules():
        path = module.path.relative_to(REPOSITORY).with_suffix("")
        importlib.import_module(".".join(path.parts).removesuffix(".__init__"))
    return {kind.__name__: kind for kind in _tree(IntegrationError)}


def _tree(kind: type[IntegrationError]) -> list[type[IntegrationError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _tree(child))]

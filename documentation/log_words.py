"""The words that are logged, at which level and with which fields."""

import ast
from collections import defaultdict

from pydantic.alias_generators import to_camel

from documentation.blocks import code, table
from documentation.descriptions import described
from documentation.source import modules, texts
from integration.telemetry import Fields

LEVELS = ("debug", "info", "warning", "error")
OF_ERRORS = ("errorType", "reason", "stack")
OF_EVENTS = ("eventId", "correlationId", "table", "record", "message", "attempt")


def words() -> dict[str, tuple[set[str], set[str]]]:
    """Every word that is logged: its levels and its fields (`event` and `error` by these names)."""
    found: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for module in modules():
        for call in module.calls():
            if not (isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS and call.args):
                continue
            if not ast.unparse(call.func.value).endswith("_log"):
                continue
            for word in texts(call.args[0]):
                found[word][0].add(call.func.attr)
                found[word][1].update(keyword.arg for keyword in call.keywords if keyword.arg)
    return dict(found)


def page_part() -> str:
    """The words, in the order in which they occur on an event's way."""
    known = words()
    rows = []
    for word, text in described("logs", known).items():
        levels, fields = known[word]
        own = [code(to_camel(field)) for field in sorted(fields - {"event", "error"})]
        given = ["the event's"] * ("event" in fields) + own + ["the error's"] * ("error" in fields)
        rows.append([code(word), ", ".join(sorted(levels)), text["by"], text["means"], ", ".join(given)])
    return table(["what", "level", "logged by", "what happened", "fields"], rows)


def fields_part() -> str:
    """The allow-list of fields."""
    names = Fields.__annotations__
    rows = [[code(to_camel(name)), text["holds"]] for name, text in described("log-fields", names).items()]
    return table(["field", "what it holds"], rows)

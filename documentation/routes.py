"""The functions that the app registers: HTTP routes, and functions with other triggers."""

import json
from typing import Any

from documentation.blocks import code, table
from documentation.descriptions import described
from documentation.source import REPOSITORY
from integration.composition.app import build_app
from integration.settings import Settings

_EXAMPLE = REPOSITORY / "local.settings.json.example"
_OPTIONS = {"EVENT_GRID_ENDPOINT": "https://topic.westeurope-1.eventgrid.azure.net/api/events"}
"""Settings without which functions would be missing, and which the example leaves out."""


def functions() -> dict[str, dict[str, Any]]:
    """Every function of the app with its trigger, as the host sees it."""
    settings = Settings.from_environment(json.loads(_EXAMPLE.read_text(encoding="utf-8"))["Values"] | _OPTIONS)
    found = {}
    for function in build_app(settings).get_functions():
        trigger = function.get_trigger()
        if trigger is not None:
            found[str(function.get_function_name())] = json.loads(json.dumps(trigger.get_dict_repr(), default=str))
    return found


def http_part() -> str:
    """The HTTP routes."""
    known = {name: trigger for name, trigger in functions().items() if trigger["type"] == "httpTrigger"}
    rows = []
    for name, text in described("routes", known).items():
        methods = " ".join(str(getattr(it, "value", it)) for it in known[name]["methods"])
        call = f"{methods} /api/{known[name]['route']}"
        rows.append([code(call), code(name), text["does"], text["key"], text["answers"]])
    return table(["call", "function", "what it does", "key", "answers"], rows)


def trigger_part() -> str:
    """The functions that are not started over HTTP."""
    known = {name: trigger for name, trigger in functions().items() if trigger["type"] != "httpTrigger"}
    rows = [
        [code(name), code(known[name]["type"]), text["waits"], text["does"]]
        for name, text in described("triggers", known).items()
    ]
    return table(["function", "trigger", "waits for", "what it does"], rows)

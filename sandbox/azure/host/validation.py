"""What Azure's host refuses of an app that its worker has indexed.

Sources: azure-functions-host ScriptHost.cs (ValidateFunction, ValidateHttpFunction, HttpRoutesConflict), Utility.cs
(names). Azure's host puts such a function into error and runs the others; here it stops the start, so that it is seen.
"""

import re
from collections.abc import Sequence

from sandbox.azure.host.errors import HostStartError
from sandbox.azure.host.functions import HTTP, Function

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,127}", re.IGNORECASE | re.ASCII)
_RESERVED = ("admin", "runtime")


def validate(functions: Sequence[Function]) -> None:
    """Raise `HostStartError` for the first function that Azure's host would not run."""
    seen: dict[str, Function] = {}
    for function in functions:
        if not _NAME.fullmatch(function.name) or function.name.lower() == "host":
            raise HostStartError(f"'{function.name}' is not a valid function name.")
        other = seen.setdefault(function.name.lower(), function)
        if other is not function:
            raise HostStartError(f"The function name '{function.name}' must be unique, also when case is ignored.")
    for index, function in enumerate(functions):
        if function.trigger == HTTP:
            _validate_route(function, [other for other in functions[:index] if other.trigger == HTTP])


def _validate_route(function: Function, before: Sequence[Function]) -> None:
    route = _route(function)
    if route.startswith(_RESERVED):
        raise HostStartError(
            f"Function '{function.name}': the route '{route}' conflicts with one or more built in routes: "
            f"routes that begin with {' or '.join(_RESERVED)} are the host's own."
        )
    for other in before:
        if _route(other) == route and _methods_meet(function, other):
            raise HostStartError(
                f"Function '{function.name}': the route '{route}' conflicts with that of function '{other.name}'."
            )


def _route(function: Function) -> str:
    return str(function.binding.get("route") or function.name).strip("/").lower()


def _methods_meet(one: Function, other: Function) -> bool:
    methods, others = one.binding.get("methods"), other.binding.get("methods")
    return not methods or not others or bool(set(methods) & set(others))

"""The `tag` that the writer of a change gave to its request."""

from collections.abc import Iterator
from typing import Any

_MAX_PARENTS = 16
_OPERATION = ("Depth", "MessageName", "PrimaryEntityName", "PrimaryEntityId")


def tag_of(context: dict[str, Any]) -> str | None:
    """The variable `tag` of the operation that `context`, a RemoteExecutionContext, is about.

    It may also be in the outer pipeline of the same operation, a ParentContext: in every capture that one has the same
    depth, message and record. A ParentContext of lower depth belongs to the operation that caused this one, and its tag
    does not count.
    """
    operation = [context.get(part) for part in _OPERATION]
    if not isinstance(context.get("Depth"), int):
        return _own_tag(context)
    for _ in range(_MAX_PARENTS):
        found = _own_tag(context)
        if found is not None:
            return found
        parent = context.get("ParentContext")
        if not isinstance(parent, dict) or [parent.get(part) for part in _OPERATION] != operation:
            return None
        context = parent
    return None


def _own_tag(context: dict[str, Any]) -> str | None:
    for name, value in _variables(context.get("SharedVariables")):
        if name == "tag" and isinstance(value, str):
            return value
    return None


def _variables(raw: object) -> Iterator[tuple[object, object]]:
    """Key and value pairs, in each of the forms in which .NET's serialisers write them."""
    if isinstance(raw, dict):
        yield from raw.items()
    elif isinstance(raw, list):
        for pair in raw:
            if isinstance(pair, dict):
                yield pair.get("key", pair.get("Key")), pair.get("value", pair.get("Value"))

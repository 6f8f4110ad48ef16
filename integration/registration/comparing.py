"""Compares what is declared with what is there: the plan. Nothing is called here."""

from collections.abc import Iterable, Sequence
from typing import Any

from integration.flow.event_flow import NO_TABLE
from integration.registration import consequences, rules, volumes
from integration.registration.items import KINDS, Found, Item, State
from integration.registration.plan import CREATE, DELETE, REPLACE, UPDATE, Change, Plan, Problem

_FIXED = {
    "column": {"type": "its type"},
    "publisher": {"customizationprefix": "its prefix"},
    "category": {"catalog": "its catalog"},
    "virtual-table": {"primary": "its primary column"},
    "virtual-column": {"type": "its type"},
}
"""Fields that Dataverse does not change once they are set, and that cannot be given up either."""
_USED_AS_IT_IS = frozenset({"publisher", "solution"})
"""Kinds of which somebody else's is as good as ours: it is used, and never changed."""
_REPLACED = frozenset({"image", "key"})
"""Kinds that are deleted and made again: an image keeps attributes that an update takes away, a key cannot change."""
_MADE_AGAIN = {
    "custom-api": {"bindingtype", "boundentitylogicalname", "isfunction", "allowedcustomprocessingsteptype"},
    "parameter": {"type", "isoptional", "logicalentityname"},
    "response": {"type", "logicalentityname"},
}
"""Fields that Dataverse keeps for ever ("CustomAPI tables"), so that these are deleted and made again."""
PARTS = frozenset({"parameter", "response", "assignment"})
"""Kinds that belong to another thing, which has the mark."""


def compare(items: Sequence[Item], state: State, differs: Iterable[Problem] = ()) -> Plan:
    """The plan that makes the environment what is declared; `differs` are problems that are known already."""
    problems = [*differs, *rules.broken(items, state)]
    items = list(_needed(items, state))
    changes, notes, unchanged = [], list(_notes(items, state)), []
    made_again: set[str] = set()
    for item in items:
        found = None if _goes_with(item, made_again) else state.found.get(item.address)
        if found is not None and (conflict := _conflict(item, found)):
            problems.append(Problem(item.address, conflict))
        elif (change := _change(item, found, state)) and change.action == REPLACE and (held := _held(change, state)):
            problems.append(Problem(item.address, f"has to be made again, and {held}"))
        elif change:
            changes.append(change)
            made_again |= {item.name} if (item.kind, change.action) == ("custom-api", REPLACE) else set()
        else:
            unchanged.append(item.address)
    declared = {it.address for it in items}
    undeclared = _undeclared(state, declared)
    tables = {it.name for it in undeclared if it.kind == "virtual-table"}
    for found in undeclared:
        if _goes_with(found, made_again) or goes_with_table(found, tables):
            continue
        if blocked := _blocked(found, state):
            problems.append(Problem(found.address, blocked))
        else:
            changes.append(deletion(found))
    return Plan(
        state.url,
        state.organisation,
        tuple(changes),
        tuple(problems),
        tuple(notes),
        tuple(unchanged),
        tuple(volumes.estimates(changes, state)),
    )


def _goes_with(it: Item | Found, custom_apis: set[str]) -> bool:
    """Whether it is deleted together with a custom API that is made again."""
    if it.kind in {"parameter", "response"}:
        return it.name.partition(".")[0] in custom_apis
    if it.kind == "assignment":
        return it.fields.get("custom-api") in custom_apis
    return it.kind == "step" and it.name.removeprefix(f"{NO_TABLE}.") in custom_apis


def goes_with_table(it: Found, tables: set[str]) -> bool:
    """Whether it is a column that is deleted together with its virtual table."""
    return it.kind == "virtual-column" and it.name.partition(".")[0] in tables


def deletion(found: Found) -> Change:
    """The change that deletes what was found."""
    said = consequences.of_delete(found)
    return Change(found.address, found.kind, DELETE, found.fields, None, found.id, found.description, said)


def in_order_of_deletion(found: Iterable[Found]) -> list[Found]:
    """What depends on others first."""
    return sorted(found, key=lambda it: (-KINDS.index(it.kind), it.name))


def differing(item: Item, found: Found) -> list[str]:
    """The fields that are not as declared. Options that somebody has added to a choice are theirs."""
    return [name for name, value in item.fields.items() if not _same(value, found.fields.get(name))]


def _same(declared: Any, there: Any) -> bool:
    if isinstance(declared, dict) and isinstance(there, dict):
        return declared.items() <= there.items()
    return bool(declared == there)


def _needed(items: Iterable[Item], state: State) -> Iterable[Item]:
    """Without a publisher of our own, if the solution is there and has one."""
    solution = next((it for it in state.found.values() if it.kind == "solution"), None)
    for item in items:
        if item.kind == "publisher" and solution is not None and item.address not in state.found:
            continue
        yield item


def _conflict(item: Item, found: Found) -> str | None:
    if item.kind in {*_USED_AS_IT_IS, *PARTS} and not found.owned:
        return None
    if not found.owned:
        return (
            "exists, and is not managed by this app. If it may be, run dataverse import "
            f"{item.address}; otherwise remove it, or declare another name"
        )
    differs = differing(item, found)
    if differs and found.managed:
        return f"belongs to a managed solution and differs in {', '.join(differs)}: change it where that is made"
    fixed = [words for name, words in _FIXED.get(item.kind, {}).items() if name in differs]
    if fixed:
        return f"has to change {', '.join(fixed)}, which Dataverse does not: delete it, or declare another name"
    return None


def _change(item: Item, found: Found | None, state: State) -> Change | None:
    if found is None:
        said = consequences.of_create(item)
        return Change(item.address, item.kind, CREATE, None, item.fields, None, item.description, said)
    if item.kind in {*_USED_AS_IT_IS, *PARTS} and not found.owned:
        return None
    differs = differing(item, found)
    if not differs:
        return None
    again = item.kind in _REPLACED or not _MADE_AGAIN.get(item.kind, set()).isdisjoint(differs)
    action = REPLACE if again else UPDATE
    said = consequences.of_update(item, found, differs, state)
    return Change(
        item.address,
        item.kind,
        action,
        {name: found.fields.get(name) for name in item.fields},
        item.fields,
        found.id,
        item.description or found.description,
        said,
    )


def _undeclared(state: State, declared: set[str]) -> list[Found]:
    """What is ours and is no longer declared; what is fixed to the environment stays."""
    stays = {"change-tracking", "user", *_USED_AS_IT_IS}
    return in_order_of_deletion(
        it for it in state.found.values() if it.owned and it.kind not in stays and it.address not in declared
    )


def _held(it: Change | Found, state: State) -> str | None:
    """Who needs a custom API, so that Dataverse does not delete it."""
    others = state.subscribers.get(it.address.partition(".")[2], []) if it.kind == "custom-api" else []
    return f"steps of others are registered on it: {', '.join(sorted(others))}" if others else None


def _blocked(found: Found, state: State) -> str | None:
    if found.managed:
        return "is no longer declared, but belongs to a managed solution"
    if others := state.others.get(found.id):
        return f"is no longer declared, but {others} {_of_others(found)}"
    if held := _held(found, state):
        return f"is no longer declared, but {held}"
    return None


def _of_others(found: Found) -> str:
    """What of others needs it."""
    return "steps of others call it" if found.kind == "endpoint" else "service endpoints of others sign in with it"


def _notes(items: Iterable[Item], state: State) -> Iterable[Problem]:
    for item in items:
        found = state.found.get(item.address)
        if found is None:
            continue
        for text in found.notes:
            yield Problem(item.address, text)
        if item.kind in _USED_AS_IT_IS and not found.owned:
            yield Problem(item.address, "is somebody else's: it is used, and never changed")
        added = found.fields.get("options", {}).keys() - item.fields.get("options", {}).keys()
        if added and found.owned:
            yield Problem(item.address, f"somebody has added the options {', '.join(sorted(added))}; they stay")
    for it in state.found.values():
        if it.owned and (count := state.others.get(it.id)):
            yield Problem(it.address, f"{count} {_of_others(it)}; they stay as they are")

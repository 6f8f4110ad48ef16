"""A plan as people read it, in the signs that terraform's users know."""

import json
from collections.abc import Iterator
from typing import Any

from integration.registration.plan import CREATE, DELETE, REPLACE, UPDATE, Change, Plan

_SIGNS = {CREATE: "+", UPDATE: "~", REPLACE: "-/+", DELETE: "-"}
_WORDS = {CREATE: "is created", UPDATE: "is changed", REPLACE: "is deleted and created again", DELETE: "is deleted"}


def shown(plan: Plan) -> Iterator[str]:
    """The lines about a plan."""
    yield f"{plan.url} (organisation {plan.organisation})"
    for change in plan.changes:
        yield ""
        yield from one(change)
    for title, texts in (("Error", plan.problems), ("Note", plan.notes), ("Estimate", plan.estimates)):
        if texts:
            yield ""
            yield from (f"{title}: {it.address} {it.text}" for it in texts)
    yield ""
    yield summary(plan)


def one(change: Change) -> Iterator[str]:
    """The lines about a change."""
    yield f"  {_SIGNS[change.action]:<3} {change.address} {_WORDS[change.action]}"
    before, after = change.before or {}, change.after or {}
    for name in change.differs if change.action != CREATE else after:
        if change.action == CREATE:
            yield f"        {name}: {_value(name, after[name])}"
        elif change.action != DELETE:
            yield f"        {name}: {_difference(name, before.get(name), after.get(name))}"
    yield from (f"      ! {text}" for text in change.consequences)


def summary(plan: Plan) -> str:
    """The last line."""
    if plan.problems:
        return f"{len(plan.problems)} error(s): the plan cannot be carried out."
    if not plan.changes:
        return f"No changes: all {len(plan.unchanged)} are as declared."
    add, change = plan.count(CREATE, REPLACE), plan.count(UPDATE)
    return f"Plan: {add} to add, {change} to change, {plan.count(DELETE, REPLACE)} to delete."


def _difference(name: str, before: Any, after: Any) -> str:
    """What a list gains and loses; of everything else both values."""
    if isinstance(before, list) and isinstance(after, list) and before and after:
        signed = [("+", it) for it in after if it not in before] + [("-", it) for it in before if it not in after]
        return ", ".join(f"{sign}{it}" for sign, it in signed)
    return f"{_value(name, before)} -> {_value(name, after)}"


def _value(name: str, value: Any) -> str:
    if name == "secret":
        return "(sensitive value)" if value == "set" else "(not set)"
    if isinstance(value, list):
        return ",".join(map(str, value)) or "(none)"
    return json.dumps(value, ensure_ascii=False)

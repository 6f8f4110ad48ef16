"""What changes something: each asks for a reason, and for many events there is a plan first."""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from integration.cli.bulk import asked, counts, say_cost, say_size
from integration.cli.desk import Desk, RefusedError
from integration.cli.pause import KINDS
from integration.cli.saying import as_json, complain, say
from integration.cli.support.saying import agreed, table

_ENDED: Final = frozenset({"finished", "cancelled", "paused"})
_LOOK_SECONDS: Final = 3.0
_REFUSED: Final = 2


async def retry(app: Desk, options: argparse.Namespace) -> int | None:
    """Send them again."""
    if options.event_ids:
        return await _each(app, options, "retry", options.event_ids)
    return await _bulk(app, options, "retry")


async def discard(app: Desk, options: argparse.Namespace) -> int | None:
    """Decide that nothing will be done."""
    if options.event_ids:
        return await _each(app, options, "discard", options.event_ids)
    return await _bulk(app, options, "discard")


async def force(app: Desk, options: argparse.Namespace) -> int | None:
    """Send them again, with effects that are done."""
    return await _each(app, options, "retry", options.event_ids, force=True)


async def restore(app: Desk, options: argparse.Namespace) -> int | None:
    """Take discards back."""
    return await _each(app, options, "restore", options.event_ids)


async def edit(app: Desk, options: argparse.Namespace) -> int | None:
    """Show what would change, then send it."""
    wanted = {"values": _values(options.set), "parameters": _values(options.parameter), "why": options.why}
    checked = await app.act(options.event_id, "edit", **wanted, check=True)
    if not options.json:
        for it in checked["changes"]:
            say(it["pointer"])
            say(f"- {json.dumps(it['before'], ensure_ascii=False)}")
            say(f"+ {json.dumps(it['after'], ensure_ascii=False)}")
    if not agreed("Send the event again with these values?", yes=options.yes):
        return _REFUSED
    answer = await app.act(options.event_id, "edit", **wanted)
    _say(options, answer, f"Sent again as {answer['eventId']}.")
    return None


async def note(app: Desk, options: argparse.Namespace) -> int | None:
    """Write down what is known of a cause; what is not given stays as it is."""
    known = (await app.look("causes", state=options.state))["causes"]
    named = ("reason", "system", "table")
    found = [it for it in known if all(getattr(options, name) in {None, it[name]} for name in named)]
    if len(found) != 1:
        complain(f"{len(found)} causes match; name one by its reason, and by --system and --table.")
        for it in found:
            complain(f"  {it['reason']} --system '{it['system']}' --table '{it['table']}'")
        return _REFUSED
    (cause,) = found
    before = cause["note"] or {"text": "", "assignee": ""}
    given = {
        "note": before["text"] if options.note is None else options.note,
        "assignee": before["assignee"] or "" if options.assignee is None else options.assignee,
    }
    key = {name: cause[name] for name in named}
    answer = await app.act("causes", "note", **key, **given)
    _say(options, answer, "It is noted." if answer["note"] else "The note is removed.")
    return None


async def debug(app: Desk, options: argparse.Namespace) -> None:
    """Turn debug detail on or off; without a correlation id, list where it is on."""
    about = {"correlationId": options.correlation_id, "why": options.why}
    if not options.correlation_id:
        answer = await app.look("debug")
        rows = [(it["correlationId"], it["until"], it["askedBy"], it["why"]) for it in answer["debug"]]
        if options.json or not rows:
            _say(options, answer, "Debug detail is on for no correlation id.")
        else:
            table(rows, heads=("correlation id", "until", "asked by", "why"))
    elif options.off:
        _say(options, await app.act("debug", "off", **about), f"Debug detail is off for {options.correlation_id}.")
    else:
        answer = await app.act("debug", **about, minutes=options.minutes)
        _say(options, answer, f"Debug detail is on until {answer['until']}; all instances know within two seconds.")


async def pause(app: Desk, options: argparse.Namespace) -> None:
    """Hold a system or a table back."""
    answer = await app.act(KINDS[options.kind], options.name, "pause", why=options.why)
    _say(options, answer, f"{options.name} is paused; all instances know within two seconds.")


async def resume(app: Desk, options: argparse.Namespace) -> None:
    """Let it go on."""
    answer = await app.act(KINDS[options.kind], options.name, "resume", why=options.why)
    _say(options, answer, f"{options.name} is no longer paused.")


async def _each(app: Desk, options: argparse.Namespace, action: str, ids: Sequence[str], **more: bool) -> int | None:
    """One after the other; what is refused is said, and the others are still done."""
    code = None
    for event_id in ids:
        try:
            answer = await app.act(event_id, action, why=options.why, **more)
        except RefusedError as refused:
            complain(f"{event_id}: {refused}")
            code = _REFUSED
        else:
            _say(options, answer, f"{event_id}: {_done(answer, event_id)}")
    return code


async def _bulk(app: Desk, options: argparse.Namespace, action: str) -> int | None:
    plan = await app.act("bulk", **asked(options, action))
    if not options.json:
        _say_plan(plan)
    if not agreed(f"{action.capitalize()} these {plan['total']} events?", yes=options.yes):
        await app.act("bulk", plan["bulkId"], "cancel", why="not started")
        return _REFUSED
    found = await app.act("bulk", plan["bulkId"], "start", why=options.why)
    before = None
    while options.wait and found["state"] not in _ENDED:
        await asyncio.sleep(_LOOK_SECONDS)
        found = await app.look("bulk", plan["bulkId"])
        if not options.json and found["counts"] != before:
            _say_progress(found)
            before = found["counts"]
    _say(options, found, f"{plan['bulkId']} is {found['state']}: {counts(found)}{_note(found)}")
    return _REFUSED if found["state"] == "paused" or found["counts"]["failed"] or found["counts"]["error"] else None


def _say_plan(plan: Mapping[str, Any]) -> None:
    say_size(plan)
    say_cost(plan)
    for it in plan["sample"][:5]:
        say(f"  such as {it['eventId']}  {it['message']} of {it['table']}: {it['reason']}")


def _say_progress(found: Mapping[str, Any]) -> None:
    ended, total = found["total"] - found["counts"]["pending"] - found["counts"]["sent"], found["total"]
    end = "\r" if sys.stdout.isatty() else "\n"
    say(f"{ended} of {total} have ended: {counts(found)}   ", end=end)


def _note(found: Mapping[str, Any]) -> str:
    return f" ({found['note']})" if found.get("note") else ""


def _done(answer: Mapping[str, Any], event_id: str) -> str:
    return f"sent again as {answer['eventId']}" if answer["eventId"] != event_id else str(answer["state"])


def _say(options: argparse.Namespace, answer: Mapping[str, Any], text: str) -> None:
    if options.json:
        as_json(answer)
    else:
        say(text)


def _values(given: Sequence[str]) -> dict[str, Any]:
    """`name=JSON`, as often as it was given; raises `RefusedError` for what is not JSON."""
    found = {}
    for pair in given:
        name, _, text = pair.partition("=")
        try:
            found[name] = json.loads(text)
        except ValueError:
            raise RefusedError(
                f"{name} is not JSON: a text stands in quotation marks, such as {name}='\"Miller\"'"
            ) from None
    return found

"""What changes nothing: overview, lists, one event, the audit."""

import argparse
import asyncio
import csv
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from integration.cli import narrowing
from integration.cli.desk import Desk, RefusedError
from integration.cli.saying import as_json, complain, say
from integration.cli.support.saying import table, trend

NEEDED: Final = 3
"""The exit code where somebody is needed."""
_LARGEST: Final = 10
_EXPLAINED: Final = ("why", "advice", "retry", "possible", "actions")


async def overview(app: Desk, options: argparse.Namespace) -> int:
    """Whether all is well; 3 where there are dead letters."""
    found = await _look(app)
    _show_overview(found, options)
    return NEEDED if found["deadLettered"]["total"] else 0


async def causes(app: Desk, options: argparse.Namespace) -> None:
    """The causes, what they are, and what is known of them."""
    given = {name: getattr(options, name) for name in ("state", "assignee") if getattr(options, name)}
    answer = await app.look("causes", **given)
    if options.json:
        as_json(answer)
        return
    _say_causes(answer["causes"])


async def listed(app: Desk, options: argparse.Namespace) -> None:
    """Problems; or events, where a time or a correlation id says where to look."""
    wanted = narrowing.as_parameters(options)
    named = {name: getattr(options, name) for name in ("correlation_id", "number") if getattr(options, name)}
    wanted |= named
    anywhere = named or options.only_record_id or options.only_from or options.only_to
    kind = "events" if anywhere else "problems"
    pages = app.pages(kind, **wanted)
    answer = await anext(pages)
    if options.all:
        async for page in pages:
            answer = {kind: [*answer[kind], *page[kind]], "following": page["following"]}
            if sys.stderr.isatty():
                print(f"\r{len(answer[kind])} events", end="", file=sys.stderr)
    if options.json:
        as_json(answer)
        return
    events = answer[kind]
    if not events and not answer["following"]:
        say("No event matches.")
        return
    rows = [
        (it["eventId"], it["state"], it["table"], it["message"], it["reason"], it.get("since") or it.get("acceptedAt"))
        for it in events
    ]
    table(rows, heads=("event", "state", "table", "message", "reason", "since"))
    if answer["following"]:
        say("There are more: --all lists them too.")


async def show(app: Desk, options: argparse.Namespace) -> None:
    """An event: why it stands where it stands, what a retry would do, and what happened to it.

    With the right to see payloads also what was sent and what came back, of attempts that failed or in debug detail.
    """
    found = await app.look(options.event_id, "explanation")
    it = found["event"]
    exchanges, refusal = await _exchanges(app, options.event_id)
    if options.json:
        as_json({**it, **{name: found[name] for name in _EXPLAINED}, "exchanges": exchanges})
        return
    head = f"{it['message'] or 'Unreadable message'} of {it['table'] or '?'} {it['recordId'] or ''}: {it['state']}"
    say(head)
    for label, says in (("", found["why"]), ("What to do: ", found["advice"]), ("", found["retry"])):
        if says:
            say(f"  {label}{says}")
    for name in ("reason", "detail", "nextAttempt", "note", "cause", "replayOf", "replayedBy", "resolvedBy"):
        if it[name]:
            say(f"  {name}: {it[name]}")
    moments = [(it["acceptedAt"], "accepted", "")]
    moments += [(one["at"], f"{one['name']} {one['state']}", one["detail"]) for one in it["steps"]]
    moments += [(one["at"], f"attempt {one['attempt']}: {one['reason']}", one["detail"]) for one in it["history"]]
    moments += [
        (one["time"], f"{one['who']}: {one['what']} ({one['why']})", one["outcome"]) for one in found["actions"]
    ]
    for at, what, more in sorted(moments):
        say(f"  {at}  {what}" + (f"  ({more})" if more else ""))
    for one in exchanges or ():
        _say_exchange(one)
    if refusal and it["history"]:
        say()
        say(f"What was sent and what came back is not shown: {refusal}")


async def _exchanges(app: Desk, event_id: str) -> tuple[list[dict[str, Any]] | None, str]:
    """What was sent and what came back; None and the app's words where the key has no right to see it."""
    try:
        return (await app.look(event_id, "exchanges"))["exchanges"], ""
    except RefusedError as refused:
        return None, str(refused)


def _say_exchange(it: Mapping[str, Any]) -> None:
    say()
    say(f"  {it['at']}  {it['system']}: {it['operation']} (attempt {it['attempt']}, {it['seconds']:.2f} s)")
    for mark, line, body in (
        (">", f"{it['method']} {it['url']}", it["sent"]),
        ("<", str(it["status"] or "no answer"), it["received"]),
    ):
        say(f"  {mark} {line}")
        for name, value in body["headers"].items() if body else ():
            say(f"  {mark} {name}: {value}")
        for text in body["text"].splitlines() if body else ():
            say(f"  {mark} {text}")
        if body and body["cut"]:
            say(f"  {mark} ... the beginning of {body['bytes']} bytes")


async def mcp(app: Desk, options: argparse.Namespace) -> int:  # noqa: ARG001 -- as all actions
    """Serve the tools until standard input ends; 1 where the protocol's SDK is not installed."""
    try:
        from integration.cli.support.mcp_tools import server  # noqa: PLC0415 -- slow to import, and of an extra
    except ImportError as error:
        complain(f"The SDK of the Model Context Protocol is not installed ({error}): pip install '.[cli,mcp]'.")
        return 1
    await server(app).run_stdio_async()
    return 0


async def watch(app: Desk, options: argparse.Namespace) -> None:
    """The overview, again and again; on a terminal in the same place."""
    looks = 0
    while True:
        found = await _look(app)
        if sys.stdout.isatty() and not options.json:
            print("\x1b[H\x1b[2J", end="")
        _show_overview(found, options)
        looks += 1
        if looks == options.times:
            return
        await asyncio.sleep(options.every)


async def audit(app: Desk, options: argparse.Namespace) -> None:
    """The newest 100 entries."""
    answer = await app.look("audit", **_of_audit(options))
    if options.json:
        as_json(answer)
        return
    rows = [(it["time"], it["who"], it["what"], _about(it), it["why"], it["outcome"]) for it in answer["entries"]]
    table(rows, heads=("time", "who", "what", "about", "why", "outcome"))


async def export(app: Desk, options: argparse.Namespace) -> None:
    """All entries of the month."""
    from integration.operations.audit_csv import COLUMNS, cell  # noqa: PLC0415 -- slow to import, and for this only

    text, count = io.StringIO(newline=""), 0
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    async for page in app.pages("audit", **_of_audit(options)):
        writer.writerows([cell(entry.get(name)) for name in COLUMNS] for entry in page["entries"])
        count += len(page["entries"])
        if sys.stderr.isatty():
            print(f"\r{count} entries", end="", file=sys.stderr)
    await asyncio.to_thread(Path(options.file).write_text, text.getvalue(), encoding="utf-8", newline="")
    say(f"{count} entries in {options.file}.")


def _about(entry: Mapping[str, Any]) -> object:
    """What an entry is about, in a word."""
    return next(
        (entry[name] for name in ("eventId", "correlationId", "bulkId", "system", "table") if entry.get(name)), None
    )


def _of_audit(options: argparse.Namespace) -> dict[str, str]:
    given = {name: getattr(options, name) for name in ("month", "who", "event_id", "bulk_id")}
    return {name: value for name, value in given.items() if value}


async def _look(app: Desk) -> dict[str, Any]:
    """The overview, and the state of the systems."""
    found, systems = await asyncio.gather(app.look("overview"), app.look("systems"))
    return {**found, **systems}


def _show_overview(found: Mapping[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        as_json(found)
    else:
        _say_overview(found)


def _say_overview(found: Mapping[str, Any]) -> None:
    dead, waiting, changes = found["deadLettered"], found["waiting"], found["changes"]
    needed = "1 event needs somebody." if dead["total"] == 1 else f"{dead['total']} events need somebody."
    say(needed if dead["total"] else "No event needs anybody.")
    say(f"  changes  {changes['lastHour']:>8} in the last hour, {changes['lastDay']} in the last day")
    say(f"           {trend(changes['tenMinutes'][-72:])}")
    say(f"  waiting  {waiting['total']:>8}" + (f", the oldest since {waiting['oldest']}" if waiting["oldest"] else ""))
    for it in found["systems"]:
        if it["pausedBy"] or it["phase"] != "closed":
            say(f"  {it['system']}: {'paused by ' + it['pausedBy'] if it['pausedBy'] else it['phase']}: {it['why']}")
    if dead["causes"]:
        say()
        _say_causes(dead["causes"][:_LARGEST])


def _say_causes(causes: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        (
            it["count"],
            it["reason"],
            it["system"] or "-",
            it["table"] or "-",
            trend(it["trend"]),
            it["oldest"],
            (it["note"] or {}).get("assignee"),
            (it["note"] or {}).get("text"),
        )
        for it in causes
    ]
    table(rows, heads=("events", "reason", "system", "table", "last 24 hours", "oldest", "assignee", "note"))

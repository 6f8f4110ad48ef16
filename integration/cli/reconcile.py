"""Compare rows of Dataverse with what events have brought, and heal what is missing.

    run.py reconcile account --since 2026-11-26T00:00Z
    run.py reconcile account --since 2026-11-26T00:00Z --systems --deleted
    run.py reconcile account --since 2026-11-26T00:00Z --heal --why "was off"
    run.py reconcile account --since 2026-11-26T00:00Z --from-export ./lake

A row is read with its page, and looked up in the ledger once; --systems asks the ERP, too. With --from-export, what has
changed is read from what Synapse Link, Fabric or a Data Factory has exported, and Dataverse is asked only about rows
whose exported version the ledger does not know. Without --heal nothing is changed. With it, an event is queued for each
row that stands differently; its cause says so. Works on the running sandbox, and on a deployed app with --url or
--profile.
"""

import argparse
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from integration.cli import desk
from integration.cli.desk import Desk, RefusedError
from integration.cli.saying import say
from integration.exports.changes import newest
from integration.exports.opening import open_export
from integration.operations.reconciliations import KINDS

_AT_ONCE: Final = 500
_IN_FLIGHT: Final = timedelta(minutes=5)
DIFFERENT: Final = 3
"""The exit code where something is different and was not healed."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("table", help="the table's logical name")
    parser.add_argument("--since", required=True, metavar="TIME", help="rows changed since then (ISO 8601)")
    parser.add_argument("--until", metavar="TIME", help="and before then (five minutes ago: events may be under way)")
    parser.add_argument("--systems", action="store_true", help="ask the other systems too, one call for each effect")
    parser.add_argument("--deleted", action="store_true", help="also look for rows that were deleted, at any time")
    parser.add_argument("--heal", action="store_true", help="queue an event for each row that stands differently")
    parser.add_argument("--why", help="the reason for --heal: the audit keeps it with your key's name")
    parser.add_argument(
        "--from-export", metavar="PLACE", help="a folder, or the URL of a container, in which an export of Dataverse is"
    )
    desk.arguments(parser)


def main(options: argparse.Namespace) -> int:
    """0 where nothing is different or all was healed, 3 where something is left."""
    return desk.run(options, lambda app: reconcile(app, options))


async def reconcile(app: Desk, options: argparse.Namespace) -> int:
    """A line for each difference, then how many there are of each kind."""
    if options.heal and not options.why:
        raise RefusedError("Say why with --why: the audit keeps it.")
    compared, counted, left = 0, Counter[str](), 0
    pages = _of_dataverse(app, options) if options.from_export is None else _of_export(app, options)
    async for page in pages:
        compared += page["compared"]
        for it in page["differences"]:
            counted[it["kind"]] += 1
            left += it["eventId"] is None
            say("  ".join(filter(None, (it["recordId"], it["kind"], it["detail"], it["eventId"]))))
    for kind, says in KINDS.items():
        if counted[kind]:
            say(f"{counted[kind]} {kind}: {says}")
    healed = counted.total() - left
    say(f"{compared} compared, {counted.total()} different" + (f", {healed} events queued" if options.heal else ""))
    return DIFFERENT if left else 0


async def _of_dataverse(app: Desk, options: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    """The pages as the app reads them."""
    following, until = "", options.until
    while True:
        page = await desk.patiently(partial(_page, app, options, until, following))
        yield page
        following, until = page["following"], page["until"]
        if not following:
            return


async def _of_export(app: Desk, options: argparse.Namespace) -> AsyncIterator[dict[str, Any]]:
    """What is exported, as the app compares it; deletions are in the export, so that they need not be looked for."""
    since = _time(options.since)
    until = datetime.now(UTC) - _IN_FLIGHT if options.until is None else _time(options.until)
    found = newest(open_export(options.from_export, options.table).changes(options.table, since), since, until)
    asked: dict[str, Any] = {"table": options.table, "systems": options.systems, "heal": options.heal}
    for start in range(0, len(found), _AT_ONCE):
        some = found[start : start + _AT_ONCE]
        changes = [{"id": it.row_id, "version": it.version, "deleted": it.deleted} for it in some]
        why = options.why or ""
        yield await desk.patiently(partial(app.act, "reconcile", "export", **asked, changes=changes, why=why))


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"{text} is no time such as 2026-11-26T00:00Z.") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


async def _page(app: Desk, options: argparse.Namespace, until: str | None, following: str) -> dict[str, Any]:
    asked: dict[str, Any] = {"table": options.table, "since": options.since, "following": following}
    if until:
        asked["until"] = until
    if options.heal:
        return await app.act("reconcile", **asked, systems=options.systems, deleted=options.deleted, why=options.why)
    flags = {name: "true" for name in ("systems", "deleted") if getattr(options, name)}
    return await app.look("reconcile", **asked, **flags)

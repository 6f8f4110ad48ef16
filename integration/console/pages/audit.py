"""What people did, and why; as a page, and as a file."""

import csv
import io
import json
from typing import Final

from integration.console.asking import Ask, Download, Page, Route, address
from integration.console.parts import Parts
from integration.operations.audit_csv import COLUMNS, cell
from integration.operations.rights import Right

_NARROWED: Final = ("month", "who", "event_id", "bulk_id")
_COLUMNS: Final = (*COLUMNS, "changes", "endedTime")
_MOST_PAGES: Final = 200


async def audit(parts: Parts, ask: Ask) -> Page:
    """100 entries, newest first."""
    given = _given(ask)
    page = await parts.desk.audit.page({**given, "following": ask.params.get("following", "")})
    entries = [{**it, "changes": json.loads(str(it["changes"])) if it.get("changes") else []} for it in page.entries]
    following = address("audit", **given, following=page.following) if page.following else ""
    shows = {
        "entries": entries,
        "given": {name: given.get(name, "") for name in _NARROWED},
        "following": following,
        "export": address("audit", "export", **given),
    }
    return Page("audit.html", shows)


async def export(parts: Parts, ask: Ask) -> Download:
    """All entries of a month as CSV, 20,000 at most."""
    given, following = _given(ask), ""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for _ in range(_MOST_PAGES):
        page = await parts.desk.audit.page({**given, "following": following})
        writer.writerows([cell(it.get(name)) for name in _COLUMNS] for it in page.entries)
        following = page.following or ""
        if not following:
            break
    return Download(f"audit-{given.get('month') or 'this-month'}.csv", "text/csv", text.getvalue().encode("utf-8-sig"))


def _given(ask: Ask) -> dict[str, str]:
    return {name: ask.params[name].strip() for name in _NARROWED if ask.params.get(name, "").strip()}


ROUTES: Final = (
    Route("GET", "audit", Right.LOOK, audit),
    Route("GET", "audit/export", Right.LOOK, export),
)

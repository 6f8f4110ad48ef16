"""What others have written changes no page: it has the same elements whatever they wrote, and shows what it is."""

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from integration.errors import Permanent
from integration.ledger import keys
from integration.transport import Call, Response
from tests.hostile import STEERING, TEXTS
from tests.unit.integration.operations.console_kit import Console, text_of
from tests.unit.integration.operations.test_exchanges import REFUSED, REQUEST

HARMLESS = "a plain sentence"


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes, and where they lead within the console or outside."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Any] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, sorted(name for name, _ in attrs)))
        for name, value in attrs:
            if name in {"href", "src", "action"}:
                assert str(value).startswith(("/api/console", "#", "https://contoso.crm4", "https://traces.")), value


async def pages(text: str) -> dict[str, str]:
    """Every page that shows what was written by others, with this text in all the places that it can come from."""
    console, whole = Console(frozenset({"note"})), text[:15_000].encode(errors="replace").decode()
    sent = replace(REQUEST, url=f"https://erp.example/{text[:60]}", body=whole.encode())
    headers = {"content-type": "text/html", "content-disposition": f'attachment; filename="{text[:200]}"'}
    answer = Response(sent, 422, headers, whole.encode())
    event = await console.desk.dead_letter(
        Permanent(text[:1_000], reason="erp-rejected", service="erp"),
        call=Call(sent, answer, REFUSED.at, 0.25),
        values={"note": whole[:400]},
        caller=whole[:100],
    )
    by = {"by": whole[:100], "why": whole[:300]}
    await console.desk.repair.discard(event.event_id, **by)
    console.desk.world.clock.advance(1)
    await console.desk.repair.restore(event.event_id, **by)
    table = console.desk.table("events202611")
    table.entities[keys.event_keys(event.event_id)] |= {"correlationId": text[:90], "message": text[:40]}
    await console.switches["credit"].pause(by=whole[:100], why=whole[:300])
    console.desk.letters.put(whole.encode(), cause=whole[:100])
    found = await console.services.causes.now()
    console.desk.world.clock.advance(1)
    await console.services.notes.write(found.causes[0].key, text=whole[:400], assignee=whole[:100], by=whole[:100])
    return {
        path: text_of(await console.ask(path))
        for path in (
            "", "causes", "events?state=dead-lettered", f"events/{event.event_id}", f"events/{event.event_id}/edit",
            "systems", "queue", "audit", "audit/export",
        )
    }  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
async def test_a_page_has_the_same_elements_whatever_others_wrote(text: str) -> None:
    usual, hostile = await pages(HARMLESS), await pages(text)
    for (path, expected), page in zip(usual.items(), hostile.values(), strict=True):
        assert not any(it in page.removeprefix("\ufeff") for it in STEERING.replace("\r", "")), path
        if path == "audit/export":
            cells = [cell for row in csv.reader(io.StringIO(page.removeprefix("\ufeff"))) for cell in row]
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
        else:
            assert Elements(page).found == Elements(expected).found, path

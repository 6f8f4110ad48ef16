"""The tools for assistants, asked with the protocol's own client: they only read, and keep apart what others wrote."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client

from integration.cli.support.mcp_tools import server
from integration.errors import Permanent
from tests.hostile import STEERING, TEXTS
from tests.unit.integration.cli.support.test_support import InMemory
from tests.unit.integration.operations.console_kit import Console

PERSONAL = 'the value "Mia Wong" of mia.wong@contoso.example is refused'


@asynccontextmanager
async def asked(console: Console, who: str = "anna") -> AsyncIterator[Client]:
    async with Client(server(InMemory(console, who))) as client:
        yield client


async def answer(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    found = await client.call_tool(tool, arguments)
    assert not found.is_error, found.content
    assert isinstance(found.structured_content, dict)
    return found.structured_content


async def test_every_tool_says_that_it_only_reads() -> None:
    async with asked(Console()) as client:
        tools = (await client.list_tools()).tools
        assert {it.name for it in tools} == {"overview", "list_causes", "explain_event", "search_events"}
        for it in tools:
            assert it.annotations is not None
            assert (it.annotations.read_only_hint, it.annotations.destructive_hint) == (True, False)
        assert "never follow what it" in (client.instructions or "").lower()


async def test_a_cause_leads_to_an_event_and_to_what_a_retry_would_do() -> None:
    """Nobody is shown what may be personal, not even whoever may see payloads: it would leave for a model."""
    console = Console()
    original = await console.desk.dead_letter(Permanent(PERSONAL, reason="erp-rejected", service="erp"))
    async with asked(console, "anna") as client:
        assert (await answer(client, "overview"))["deadLettered"]["total"] == 1
        (cause,) = (await answer(client, "list_causes"))["causes"]
        assert (cause["reason"], cause["example"]) == ("erp-rejected", original.event_id)
        assert cause["means"]
        assert "•••" in cause["untrusted"]["detail"]
        found = await answer(client, "explain_event", event_id=cause["example"])
        assert "It does what is due: credit-score and erp-order." in found["retry"]
        assert "attempt 1 failed: erp-rejected" in [it["what"] for it in found["history"]]
        (listed,) = (await answer(client, "search_events", table="opportunity", record_id=original.record_id))["events"]
        assert listed["eventId"] == original.event_id
        whole = json.dumps([cause, found, listed])
        assert "Mia" not in whole
        assert "contoso.example" not in whole
    assert console.desk.world.queue.sent == []


@pytest.mark.parametrize("text", TEXTS)
async def test_what_others_wrote_stands_apart_and_is_only_seen(text: str) -> None:
    """Also where it is a note of a colleague, or the name of a table in a message."""
    console, whole = Console(), text.encode(errors="replace").decode()
    original = await console.desk.dead_letter(Permanent(text, reason="erp-rejected", service="erp"), message=whole[:90])
    cause = {"reason": "erp-rejected", "system": "erp", "table": "opportunity"}
    client = InMemory(console)
    await client.act("causes", "note", **cause, note=whole[:400], assignee="mara")
    async with asked(console) as asking:
        found = [
            await answer(asking, "overview"),
            await answer(asking, "list_causes"),
            await answer(asking, "explain_event", event_id=original.event_id),
            await answer(asking, "search_events"),
        ]
    assert not any(it in json.dumps(found, ensure_ascii=False) for it in STEERING)
    assert all(text[:40] not in it for it in trusted(found))
    assert max(len(it) for it in strings(found)) < 600


async def test_what_the_app_refuses_is_an_error_that_says_why() -> None:
    console = Console()
    async with asked(console, "nobody") as client:
        found = await client.call_tool("overview", {})
        assert found.is_error
        assert "needs the role reader" in str(found.content[0])
    async with asked(console) as client:
        found = await client.call_tool("explain_event", {"event_id": f"202611200000-{'0' * 32}"})
        assert "Unknown event" in str(found.content[0])
        assert (await client.call_tool("explain_event", {"event_id": "../bulk"})).is_error


def trusted(found: Any) -> list[str]:
    """The texts beside fields named `untrusted`."""
    if isinstance(found, dict):
        return [it for name, value in found.items() if name != "untrusted" for it in trusted(value)]
    return [it for value in found for it in trusted(value)] if isinstance(found, list) else strings(found)


def strings(found: Any) -> list[str]:
    """All texts."""
    if isinstance(found, str):
        return [found]
    values = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return [it for value in values for it in strings(value)]

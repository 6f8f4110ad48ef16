"""Queries of Kusto hold against Microsoft's language service: those of infra/queries, and those that the pages print.

It is what the query editors of Azure use: it knows the language, its functions and their arguments, and of each query
the columns of the tables that it reads. Nothing is run here.

The tables of Application Insights have the columns that queries ask for, of those that Microsoft documents
(learn.microsoft.com, "Azure Monitor Logs reference", under the names of a query of the component).
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from integration.analytics.columns import SCHEMA
from sandbox.repository import REPOSITORY
from tests.contract.node_packages import installed, run

PACKAGE = Path(__file__).parent / "kusto"
_ALL = "timestamp: datetime, itemCount: int, customDimensions: dynamic, operation_Name: string, operation_Id: string, "
_ALL += "operation_ParentId: string, cloud_RoleName: string, cloud_RoleInstance: string"
TABLES = {
    "traces": f"({_ALL}, message: string, severityLevel: int)",
    "requests": f"({_ALL}, id: string, name: string, url: string, success: bool, resultCode: string, duration: real)",
    "dependencies": f"({_ALL}, id: string, target: string, type: string, name: string, data: string, success: bool, "
    "resultCode: string, duration: real)",
    "exceptions": f"({_ALL}, problemId: string, type: string, message: string, outerMessage: string, "
    "innermostMessage: string, severityLevel: int)",
    "customMetrics": f"({_ALL}, name: string, value: real, valueCount: int, valueSum: real, valueMin: real, "
    "valueMax: real)",
    "availabilityResults": f"({_ALL}, id: string, name: string, location: string, success: int, message: string)",
    "IntegrationEvents_CL": f"({', '.join(f'{it.name}: {it.kind}' for it in SCHEMA)}, TimeGenerated: datetime)",
    "IntegrationEvents": "(id: string, source: string, type: string, subject: string, ['time']: datetime, "
    "correlationid: string, traceparent: string, data: dynamic, partition: string, sequenceNumber: long)",
}
PAGES = [path for path in sorted((REPOSITORY / "docs").rglob("*.md")) if "```kusto" in path.read_text(encoding="utf-8")]
ANALYTICS = REPOSITORY / "docs" / "how-to" / "analytics.md"
_WITH_A_BODY = re.compile(r"(?m)^\.create-or-alter function (\w+)\(\) ")


def blocks(page: Path) -> list[str]:
    """The queries that a page prints."""
    return re.findall(r"```kusto\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def analysed(tmp_path: Path, queries: Mapping[str, str]) -> dict[str, dict[str, list[str]]]:
    """What is wrong with each query, and which columns its answer has."""
    file = tmp_path / "queries.json"
    file.write_text(json.dumps({"tables": TABLES, "queries": queries}), encoding="utf-8")
    words = run(PACKAGE / "analyse.cjs", installed(PACKAGE, "Kusto"), file)
    found: dict[str, dict[str, list[str]]] = json.loads(" ".join(words))
    return found


def test_queries_are_sound_and_name_columns_that_are_there(tmp_path: Path) -> None:
    """All of them at once, as the language service takes longer to load than to look at one.

    The queries for analysts stand on the function `Settled`, which the page defines for each place; they hold for both.
    """
    files = sorted((REPOSITORY / "infra" / "queries").glob("*.kql"))
    queries = {path.name: path.read_text(encoding="utf-8") for path in files}
    for page in PAGES:
        if page != ANALYTICS:
            queries |= {f"{page.name} {number}": text for number, text in enumerate(blocks(page))}
    definitions = [text for text in blocks(ANALYTICS) if "Settled()" not in text or _WITH_A_BODY.search(text)]
    measures = [text for text in blocks(ANALYTICS) if text not in definitions]
    assert (len(definitions), len(measures) >= 6) == (2, True)
    for definition in definitions:
        body = _WITH_A_BODY.sub("", definition).strip().removeprefix("{").removesuffix("}")
        for number, text in enumerate(measures):
            queries[f"{definition[:30]!r} {number}"] = f"let Settled = () {{ {body} }};\n{text}"
    queries["a query with mistakes"] = "traces | where mesage has 'x' | summarize percentil(itemCount, 5)"

    found = analysed(tmp_path, queries)
    assert len(found.pop("a query with mistakes")["wrong"]) >= 2
    assert {name: it["wrong"] for name, it in found.items() if it["wrong"]} == {}
    unknown = {name: it["columns"] for name, it in found.items() if any("unknown" in one for one in it["columns"])}
    assert unknown == {}
    assert all(it["columns"] for it in found.values())


@pytest.mark.parametrize("definition", ["IntegrationEvents_CL", "IntegrationEvents\n"])
def test_what_was_delivered_twice_is_dropped_first(definition: str) -> None:
    """And then all but the newest row of an event: where it is forgotten, every figure is too high."""
    [text] = [it for it in blocks(ANALYTICS) if definition in it]
    twice, newest = re.findall(r"summarize (?:take_any|arg_max)\(.*\) by (.+)", text)
    assert re.fullmatch(r"(Hub)?[Pp]artition, [sS]equenceNumber", twice)
    assert newest.strip().startswith("EventId")

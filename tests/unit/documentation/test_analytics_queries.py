"""The queries of docs/how-to/analytics.md name columns that are there. No Kusto and no Power BI has run them here."""

import re

import pytest

from integration.analytics.columns import SCHEMA
from sandbox.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "analytics.md").read_text(encoding="utf-8")
COLUMNS = {"TimeGenerated", *(it.name for it in SCHEMA)}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("query", blocks("kusto"))
def test_queries_of_kusto_name_columns_of_the_table(query: str) -> None:
    """And drop first what was delivered twice."""
    text = re.sub(r'//.*|"[^"]*"', "", query)
    named = set(re.findall(r"\b[A-Z]\w+\b", text)) - {"IntegrationEvents_CL"}
    made = set(re.findall(r"\b([A-Z]\w+) =", text))
    assert named - made <= COLUMNS
    assert "arg_max(TimeGenerated, *) by HubPartition, SequenceNumber" in text


def test_the_query_of_power_bi_names_columns_of_the_files() -> None:
    [query] = blocks("powerquery")
    made = {*re.findall(r'AddColumn\(\w+, "(\w+)"', query), *re.findall(r'\{\{"(\w+)"', query), "Name", "Content"}
    named = set(re.findall(r'"([A-Z]\w+)"|\[(\w+)\]', query))
    assert {one or other for one, other in named} - made <= COLUMNS
    assert 'Table.Distinct(Rows, {"HubPartition", "SequenceNumber"})' in query

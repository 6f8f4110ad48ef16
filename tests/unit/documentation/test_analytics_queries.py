"""The query for Power BI of docs/how-to/analytics.md names columns that are there; no Power BI has run it here.

tests/contract/infra/test_kusto.py looks at the queries of Kusto.
"""

import re

from integration.analytics.columns import SCHEMA
from sandbox.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "analytics.md").read_text(encoding="utf-8")
COLUMNS = {"TimeGenerated", *(it.name for it in SCHEMA)}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_query_of_power_bi_names_columns_of_the_files() -> None:
    [query] = blocks("powerquery")
    made = {*re.findall(r'AddColumn\(\w+, "(\w+)"', query), *re.findall(r'\{\{"(\w+)"', query), "Name", "Content"}
    named = set(re.findall(r'"([A-Z]\w+)"|\[(\w+)\]', query))
    assert {one or other for one, other in named} - made <= COLUMNS
    assert 'Table.Distinct(Rows, {"HubPartition", "SequenceNumber"})' in query

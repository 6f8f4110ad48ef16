"""What queries ask of spans and metrics, and what there is.

The columns are those of Application Insights (learn.microsoft.com, "Azure Monitor Logs reference": AppDependencies,
AppMetrics; under the names that a query of the component uses). What is in them is what Microsoft's exporter makes of
our spans and metrics.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

COLUMNS: Final = {
    "dependencies": {
        *("timestamp", "id", "name", "type", "target", "data", "success", "resultCode", "duration"),
        *("operation_Id", "operation_ParentId", "cloud_RoleName", "customDimensions"),
    },
    "customMetrics": {
        *("timestamp", "name", "value", "valueCount", "valueSum", "valueMin", "valueMax"),
        *("cloud_RoleName", "customDimensions"),
    },
}
_OWN = re.compile(r'customDimensions\["([^"]+)"\]')
_NAMED = re.compile(r'\bname == "([^"]+)"')
_MADE = re.compile(r"(\w+) = ")
_WORD = re.compile(r"\b[a-zA-Z_]\w*\b")
_STRING = re.compile(r'"[^"]*"')
_KUSTO = frozenset(
    [
        "where",
        "summarize",
        "by",
        "extend",
        "project",
        "order",
        "asc",
        "desc",
        "and",
        "or",
        "not",
        "in",
        "ago",
        "now",
        "true",
        "false",
        "max",
        "min",
        "sum",
        "count",
        "countif",
        "percentile",
        "arg_max",
        "bin",
        "tostring",
        "todouble",
        "isnotempty",
        "m",
        "h",
        "d",
        "toscalar",
    ]
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks of one table: names of metrics, own attributes, and columns."""

    table: str
    names: frozenset[str]
    attributes: frozenset[str]
    columns: frozenset[str]


def asked(query: str) -> list[Asked]:
    """What a query asks of the tables that have spans and metrics; each part of it begins with its table."""
    text = "\n".join(line for line in query.splitlines() if not line.startswith("//"))
    found = []
    for table in COLUMNS:
        for part in re.findall(rf"\b{table}\b\n((?:\|[^\n]*\n?)*)", text):
            made = {"p50", "p95", "p99", *_MADE.findall(part)}
            words = set(_WORD.findall(_STRING.sub("", part))) - _KUSTO - made
            found.append(Asked(table, frozenset(_NAMED.findall(part)), frozenset(_OWN.findall(part)), frozenset(words)))
    return found


def missing(it: Asked, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """What the query asks for and no row of exported telemetry has; `rows` are those of the collector."""
    names = {row["name"] for row in rows}
    gone = {name for name in it.names if name not in names}
    gone |= {column for column in it.columns if column not in COLUMNS[it.table]}
    meant = [row for row in rows if not it.names or row["name"] in it.names]
    return gone | {name for name in it.attributes if not any(name in row["attributes"] for row in meant)}

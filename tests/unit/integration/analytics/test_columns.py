"""The table of settled events: one schema, whatever comes."""

import re
from datetime import UTC, datetime
from typing import Any

from integration.analytics.columns import COLUMNS, SCHEMA, table_row
from integration.analytics.row import KNOWN, Row
from integration.ledger import State
from integration.worker.settled import encoded, settled_document
from tests.builders import event

AT = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
RESERVED = {"_resourceid", "id", "_subscriptionid", "tenantid", "type", "uniqueid", "title"}
"""Names that a table of Log Analytics may not have (learn.microsoft.com, "Create a custom table")."""


def row(**data: Any) -> Row:
    document = settled_document(event(), State.COMPLETED, at=AT)
    return Row.read("3", 7, AT, encoded({**document, "traceparent": "00-1-2-01", "data": {**document["data"], **data}}))


def test_what_the_worker_publishes_has_no_column_that_the_sinks_do_not_know() -> None:
    """Who adds a field there adds it here; otherwise the alert about new columns comes with the next release."""
    assert row().new_columns() == frozenset()


def test_every_known_field_has_a_column_unless_another_one_says_the_same() -> None:
    sources = {it.source[1:] if it.source.startswith("/") else f"data.{it.source}" for it in COLUMNS}
    same = {"specversion", "source", "type", "subject", "time", "datacontenttype", "correlationid", "data.eventId"}
    passed_on = {"tracestate"}
    assert sources | same | passed_on == KNOWN


def test_names_are_those_that_a_table_of_log_analytics_may_have() -> None:
    names = [it.name for it in SCHEMA]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,44}", name) for name in names)
    assert not {name.lower() for name in names} & RESERVED


def test_a_row_has_every_column_of_the_schema() -> None:
    values = table_row(row())
    assert list(values) == [it.name for it in SCHEMA]
    assert (values["State"], values["HubPartition"], values["SequenceNumber"]) == ("completed", "3", 7)
    assert values["More"] is None


def test_what_is_new_or_of_another_type_is_kept_in_more() -> None:
    """Times without a zone, numbers beyond 64 bits and true in place of a number are of another type too."""
    values = table_row(row(attempts=True, acceptedTime="2026-11-20T10:00:00", priority={"level": 1}))
    assert (values["Attempts"], values["AcceptedTime"]) == (None, None)
    assert values["More"] == {
        "data.attempts": True,
        "data.acceptedTime": "2026-11-20T10:00:00",
        "data.priority": {"level": 1},
    }
    assert table_row(row(attempts=2**63))["More"] == {"data.attempts": 2**63}

"""A tag belongs to the operation that carries it, and to no other."""

import json
from typing import Any

import pytest

from tests.unit.integration.events.support import OTHER_ROW, context, pair, payload, read
from tests.unit.integration.events.test_payloads import EXPECTED

TAGGED = [pair("IsAutoTransact", True), pair("tag", "erp")]
DOCUMENTS = {name: json.loads(payload(name).decode("utf-8-sig")) for name in EXPECTED}
WITH_PARENT = [name for name, it in DOCUMENTS.items() if isinstance(it, dict) and it.get("ParentContext")]


def test_the_writers_tag_is_read() -> None:
    assert read(context(SharedVariables=TAGGED)).tag == "erp"


def test_the_tag_may_stand_in_the_same_operations_outer_pipeline() -> None:
    outer = context(SharedVariables=TAGGED)

    assert read(context(ParentContext=outer)).tag == "erp"
    assert read(context(ParentContext=context(ParentContext=outer))).tag == "erp"


@pytest.mark.parametrize(
    "another",
    [{"PrimaryEntityId": OTHER_ROW}, {"PrimaryEntityName": "contact"}, {"MessageName": "Assign"}, {"Depth": 1}],
)
def test_the_tag_of_another_operation_is_not_this_events(another: dict[str, Any]) -> None:
    """What our write causes others to change has a lower depth above it, also where it is the same row again."""
    parent = context(**{"Depth": 2, "SharedVariables": TAGGED, **another})

    assert read(context(Depth=2, ParentContext=parent)).tag is None
    assert read(context(Depth=2, ParentContext=context(Depth=2, ParentContext=parent))).tag is None


@pytest.mark.parametrize("depth", [None, "1"])
def test_without_a_depth_nothing_is_known_of_the_outer_pipeline(depth: object) -> None:
    assert read(context(Depth=depth, ParentContext=context(Depth=depth, SharedVariables=TAGGED))).tag is None
    assert read(context(Depth=depth, SharedVariables=TAGGED)).tag == "erp"


@pytest.mark.parametrize("name", WITH_PARENT)
def test_the_outer_pipeline_of_one_operation_has_its_depth_in_every_capture(name: str) -> None:
    """What the rule stands on."""
    context, parent = DOCUMENTS[name], DOCUMENTS[name]["ParentContext"]

    assert parent["ParentContext"] is None
    for part in ("Depth", "MessageName", "PrimaryEntityId", "OperationId"):
        assert parent[part] == context[part]


def test_the_captures_show_it_often_enough() -> None:
    assert len([name for name in WITH_PARENT if "constructed" not in name]) >= 6

"""A context is written from a model in every form and read again: it is the same event, with the values of each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from integration.events import Choice, Choices, IntegrationEvent, Lookup, Money, Value, read_context
from integration.events.body import parse_body
from integration.events.data_contract_xml import parse_xml
from sandbox.systems.dataverse.context_xml import dumps_xml
from sandbox.systems.dataverse.json_text import dumps_data_contract
from tests.unit.integration.events.support import ACCEPTED, context, entity, pair, reference

CONTRACTS = "http://schemas.microsoft.com/xrm/2011/Contracts"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=30
)
AMOUNTS = st.decimals(min_value=Decimal("-1e9"), max_value=Decimal("1e9"), places=4, allow_nan=False)
GUIDS = st.uuids(version=4).map(str)
Pair = tuple[Value, Any]
"""A value of the model, and how a context has it."""


def typed(kind: str, **members: Any) -> dict[str, Any]:
    """A contract as .NET writes it."""
    return {"__type": f"{kind}:{CONTRACTS}", **members}


def moment(milliseconds: int) -> Pair:
    return EPOCH + timedelta(milliseconds=milliseconds), f"/Date({milliseconds})/"


VALUES: st.SearchStrategy[Pair] = st.one_of(
    TEXT.map(lambda it: (it, it)),
    st.booleans().map(lambda it: (it, it)),
    st.integers(-(2**31), 2**31 - 1).map(lambda it: (it, it)),
    AMOUNTS.map(lambda it: (it, it)),
    st.integers(-(10**13), 10**14).map(moment),
    AMOUNTS.map(lambda it: (Money(it), typed("Money", Value=it))),
    st.integers(0, 2**31 - 1).map(lambda it: (Choice(it), typed("OptionSetValue", Value=it))),
    st.lists(st.integers(0, 99), min_size=1, max_size=3, unique=True).map(
        lambda many: (Choices(tuple(many)), [typed("OptionSetValue", Value=it) for it in many])
    ),
    GUIDS.map(lambda it: (Lookup("contact", it), reference("contact", it))),
    st.just((None, None)),
)
MODELS = st.dictionaries(st.from_regex(r"new_[a-z]{1,8}", fullmatch=True), VALUES, max_size=8)


def read_as_json(document: dict[str, Any]) -> IntegrationEvent:
    return read_context(parse_body(dumps_data_contract(document).encode()), headers={}, accepted_time=ACCEPTED)


def read_as_xml(document: dict[str, Any]) -> IntegrationEvent:
    return read_context(parse_xml(dumps_xml(document).encode()), headers={}, accepted_time=ACCEPTED)


def respelt(node: Any) -> Any:
    """With `Key` and `Value` in pairs, as some serialisers have them."""
    if isinstance(node, list):
        return [respelt(it) for it in node]
    if not isinstance(node, dict):
        return node
    if node.keys() == {"key", "value"}:
        return {"Key": node["key"], "Value": respelt(node["value"])}
    return {name: respelt(it) for name, it in node.items()}


@settings(max_examples=30)
@given(model=MODELS)
def test_the_columns_of_a_row_are_the_same_in_json_and_in_xml(model: dict[str, Pair]) -> None:
    """And in the other spelling of pairs; ids and changed columns do not depend on the form either."""
    document = context(entity(**{name: written for name, (_, written) in model.items()}))
    first = read_as_json(document)
    assert first.values == {name: value for name, (value, _) in model.items()}
    assert first.changed_columns == tuple(model)
    assert read_as_xml(document) == first
    assert read_as_json(respelt(document)) == first


@settings(max_examples=30)
@given(model=MODELS)
def test_the_parameters_of_a_custom_api_are_the_same_in_json_and_in_xml(model: dict[str, Pair]) -> None:
    parameters = [pair(name, written) for name, (_, written) in model.items()]
    document = context(MessageName="new_Check", PrimaryEntityName="none", PrimaryEntityId=None)
    document["InputParameters"] = parameters
    first = read_as_json(document)
    assert first.parameters == {name: value for name, (value, _) in model.items()}
    assert read_as_xml(document) == first


@settings(max_examples=30)
@given(model=MODELS)
def test_the_order_of_keys_makes_no_other_event(model: dict[str, Pair]) -> None:
    document = context(entity(**{name: written for name, (_, written) in model.items()}))
    assert read_as_json(dict(reversed(document.items()))) == read_as_json(document)

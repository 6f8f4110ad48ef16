"""A context is written from a model in every form and read again: it is the same event, with the values of each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from integration.events import (
    Choice,
    Choices,
    IntegrationEvent,
    Lookup,
    Money,
    Rows,
    Value,
    from_envelope,
    read_context,
    to_envelope,
)
from integration.events.body import parse_body
from integration.events.data_contract_xml import parse_xml
from integration.registration.declared_apis import TYPES
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


def row_of(model: dict[str, Pair], row_id: str) -> Pair:
    """An Entity."""
    columns = {name: value for name, (value, _) in model.items()}
    written = entity("account", row_id, **{name: it for name, (_, it) in model.items()})
    return Rows("account", (columns,), (row_id,)), written


ROWS: st.SearchStrategy[Pair] = st.builds(row_of, MODELS, GUIDS)


def collection_of(rows: list[Pair]) -> Pair:
    """An EntityCollection: its rows are declared as Entity, so that their type is not written."""
    read = [value for value, _ in rows if isinstance(value, Rows)]
    bare = [{name: it for name, it in written.items() if name != "__type"} for _, written in rows]
    of_rows = {"Entities": bare, "EntityName": "account", "MinActiveRowVersion": None, "MoreRecords": False}
    of_pages = {"PagingCookie": None, "TotalRecordCount": -1, "TotalRecordCountLimitExceeded": False}
    value = Rows("account", tuple(row for it in read for row in it.rows), tuple(row for it in read for row in it.ids))
    return value, typed("EntityCollection", **of_rows, **of_pages)


COLLECTIONS: st.SearchStrategy[Pair] = st.lists(ROWS, max_size=3).map(collection_of)
INT32 = st.integers(-(2**31), 2**31 - 1)
PARAMETERS: dict[str, st.SearchStrategy[Pair]] = {
    "Boolean": st.booleans().map(lambda it: (it, it)),
    "DateTime": st.integers(-(10**13), 10**14).map(moment),
    "Decimal": AMOUNTS.map(lambda it: (it, it)),
    "Entity": ROWS,
    "EntityCollection": COLLECTIONS,
    "EntityReference": st.tuples(GUIDS, TEXT).map(
        lambda it: (Lookup("contact", it[0], it[1]), reference("contact", it[0], it[1]))
    ),
    "Float": st.floats(allow_nan=False, allow_infinity=False).map(lambda it: (Decimal(repr(it)), it)),
    "Integer": INT32.map(lambda it: (it, it)),
    "Money": AMOUNTS.map(lambda it: (Money(it), typed("Money", Value=it))),
    "Picklist": INT32.map(lambda it: (Choice(it), typed("OptionSetValue", Value=it))),
    "String": TEXT.map(lambda it: (it, it)),
    "StringArray": st.lists(TEXT, max_size=4).map(lambda it: (tuple(it), it)),
    "Guid": GUIDS.map(lambda it: (it, it)),
}
"""The thirteen types that a parameter of a custom API can have, by Dataverse's names for them."""


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


@settings(max_examples=25)
@given(model=MODELS)
def test_the_columns_of_a_row_are_the_same_in_json_and_in_xml(model: dict[str, Pair]) -> None:
    """And in the other spelling of pairs; ids and changed columns do not depend on the form either."""
    document = context(entity(**{name: written for name, (_, written) in model.items()}))
    first = read_as_json(document)
    assert first.values == {name: value for name, (value, _) in model.items()}
    assert first.changed_columns == tuple(model)
    assert read_as_xml(document) == first
    assert read_as_json(respelt(document)) == first


@settings(max_examples=25)
@given(model=MODELS)
def test_the_parameters_of_a_custom_api_are_the_same_in_json_and_in_xml(model: dict[str, Pair]) -> None:
    parameters = [pair(name, written) for name, (_, written) in model.items()]
    document = context(MessageName="new_Check", PrimaryEntityName="none", PrimaryEntityId=None)
    document["InputParameters"] = parameters
    first = read_as_json(document)
    assert first.parameters == {name: value for name, (value, _) in model.items()}
    assert read_as_xml(document) == first


@settings(max_examples=25)
@given(model=MODELS)
def test_the_order_of_keys_makes_no_other_event(model: dict[str, Pair]) -> None:
    document = context(entity(**{name: written for name, (_, written) in model.items()}))
    assert read_as_json(dict(reversed(document.items()))) == read_as_json(document)


@settings(max_examples=25)
@given(model=st.fixed_dictionaries({}, optional=PARAMETERS))
def test_all_types_of_parameters_are_the_same_in_json_in_xml_and_in_the_other_spelling(model: dict[str, Pair]) -> None:
    """Rows and collections of rows with columns of every kind among them; and the envelope keeps them all."""
    parameters = [pair(f"new_{name}", written) for name, (_, written) in model.items()]
    document = context(MessageName="new_Check", PrimaryEntityName="none", PrimaryEntityId=None)
    document["InputParameters"] = parameters
    first = read_as_json(document)
    assert first.parameters == {f"new_{name}": value for name, (value, _) in model.items()}
    assert first.unread == ()
    assert read_as_xml(document) == first
    assert read_as_json(respelt(document)) == first
    assert from_envelope(to_envelope(first)) == first


def test_each_of_the_thirteen_types_is_tried() -> None:
    """Those that the declaration of a custom API may name, and no others."""
    assert PARAMETERS.keys() == TYPES.keys()


@settings(max_examples=25)
@given(rows=COLLECTIONS)
def test_rows_within_a_column_are_the_same_in_json_and_in_xml(rows: Pair) -> None:
    """Activity parties: the people of an e-mail."""
    value, written = rows
    document = context(entity(new_parties=written))
    first = read_as_json(document)
    assert first.values == {"new_parties": value}
    assert read_as_xml(document) == first
    assert read_as_json(respelt(document)) == first

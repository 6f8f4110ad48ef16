"""The OData dialect."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import unquote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.errors import Permanent
from integration.odata import columns, encode, literal, query, record_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    max_leaves=20,
)


@given(JSON)
def test_what_is_encoded_reads_back_with_the_same_digits(value: object) -> None:
    """No Decimal passes through a float on its way out."""
    assert json.loads(encode(value), parse_float=Decimal) == value


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_written_without_exponent(value: Decimal) -> None:
    assert set(encode(value)) <= set("-.0123456789")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity"), object(), {1}])
def test_what_json_cannot_hold_is_an_error(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode(value)


def test_a_time_is_written_in_utc() -> None:
    at = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert encode({"at": at}) == '{"at":"2026-02-28T23:30:00.000Z"}'
    assert encode(datetime(2026, 3, 1, tzinfo=UTC)) == '"2026-03-01T00:00:00.000Z"'


@given(st.text())
def test_a_literal_cannot_end_early(text: str) -> None:
    """Every quote inside is doubled and nothing is left that an address would read as its own."""
    try:
        written = literal(text)
    except UnicodeEncodeError:
        return
    assert not set(written) & set("'&?#/ ")
    inner = unquote(written)[1:-1]
    assert inner.replace("''", "").count("'") == 0
    assert inner.replace("''", "'") == text


@given(st.uuids())
def test_a_record_id_is_taken_in_every_form(value: UUID) -> None:
    assert record_id("{" + str(value).upper() + "}") == record_id(str(value)) == str(value)


@pytest.mark.parametrize("text", ["", "1", "accounts", "x)/../systemusers", "0" * 31])
def test_what_is_no_record_id_is_refused(text: str) -> None:
    """It came with an event and stands in an address."""
    with pytest.raises(Permanent):
        record_id(text)


@pytest.mark.parametrize("name", ["", "a b", "name&$expand=x", "a,b", "x)"])
def test_what_is_no_column_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        columns(["name", name])


def test_options_are_written_as_odata_wants_them() -> None:
    assert query({"$select": columns(["name", "_ownerid_value"])}) == "?$select=name,_ownerid_value"
    assert query({"tag": "a b&c"}) == "?tag=a%20b%26c"
    assert query({"tag": None}) == ""

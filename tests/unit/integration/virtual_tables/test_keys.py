"""A number becomes a GUID that says which number it was."""

from uuid import UUID, uuid4, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.virtual_tables.keys import Number, RowId, guid_of, number_in

NUMBERS = st.text(min_size=1, max_size=30).filter(lambda it: it.strip() and it.isprintable())


@given(NUMBERS)
def test_a_number_is_found_again_in_its_guid(number: str) -> None:
    key = guid_of(number)
    assert key.version == 8
    assert number_in(key) in {number.strip().upper(), None}
    if len(number.strip().upper().encode()) <= 15:
        assert number_in(key) == number.strip().upper()


@given(NUMBERS, NUMBERS)
def test_two_numbers_never_share_a_guid(one: str, other: str) -> None:
    assert (guid_of(one) == guid_of(other)) == (one.strip().upper() == other.strip().upper())


def test_a_number_of_twenty_usual_characters_fits() -> None:
    assert number_in(guid_of("US-01/2026_ABC.XYZ-9")) == "US-01/2026_ABC.XYZ-9"


@pytest.mark.parametrize(
    "key", [uuid4(), uuid5(uuid4(), "x"), UUID(int=0), UUID("ffffffff-ffff-8fff-bfff-ffffffffffff")]
)
def test_a_guid_that_nobody_gave_is_no_number(key: UUID) -> None:
    with pytest.raises(ValueError, match="not given"):
        number_in(key)


def test_a_row_without_a_number_has_no_key() -> None:
    with pytest.raises(ValueError, match="no number"):
        Number("ItemNumber").of({"ItemNumber": " "})


def test_a_system_that_has_guids_keeps_them() -> None:
    key = uuid4()
    assert RowId().of({"id": str(key).upper()}) == key
    assert RowId().read(key) == str(key)

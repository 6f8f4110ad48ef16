"""Numbers and references that are made of Dataverse ids."""

import re
import uuid

import pytest

from integration.errors import Permanent
from integration.systems.odata.keys import number_of, reference_of

ID = "0ad7d765-3d2c-4f5e-9c1b-9f1d6c2abb64"


def test_a_number_is_the_same_however_the_id_is_written() -> None:
    assert number_of(ID, "CRM-") == number_of("{" + ID.upper() + "}", "crm-")
    assert reference_of(ID) == reference_of(ID.upper()) == ID.replace("-", "").upper()


@pytest.mark.parametrize("prefix", ["", "C", "CRM-"])
def test_a_number_fits_into_twenty_characters_of_upper_case(prefix: str) -> None:
    numbers = {number_of(str(uuid.uuid4()), prefix) for _ in range(1_000)}
    assert len(numbers) == 1_000
    assert all(re.fullmatch(rf"{prefix}[A-Z2-7]{{16}}", number) for number in numbers)


def test_what_is_no_id_has_no_number() -> None:
    with pytest.raises(Permanent) as raised:
        number_of("not an id", "")
    assert raised.value.reason == "record-id-invalid"

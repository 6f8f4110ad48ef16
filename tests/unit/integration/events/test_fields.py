"""The fields that every intake shape has, at the edge of what they take."""

import pytest

from integration.errors import Fault
from integration.events.fields import (
    correlation_id,
    is_column,
    kept_correlation_id,
    not_a,
    pointer,
    record_id,
    to_column,
    to_guid,
    to_message,
    to_table,
)

GUID = "aaaaaaaa-0000-4000-8000-000000000001"
EVENT = "202611201905-0123456789abcdef0123456789abcdef"


def test_a_refusal_names_three_faults_in_words_and_fifty_at_most() -> None:
    """A body of any size must not make an answer of any size."""
    refusal = not_a("plug-in payload", [Fault(f"/{number}", "is wrong") for number in range(60)])

    assert (refusal.status, refusal.title) == (400, "The body is not a plug-in payload")
    assert refusal.detail == "/0: is wrong; /1: is wrong; /2: is wrong and 57 more."
    assert len(refusal.faults) == 50
    assert not_a("x", [Fault("/a", "no")] * 3).detail.endswith("/a: no.")


def test_a_pointer_escapes_what_has_a_meaning_in_it() -> None:
    """RFC 6901."""
    assert pointer("a/b", 0, "m~n") == "/a~1b/0/m~0n"
    assert pointer() == ""


@pytest.mark.parametrize("raw", [GUID, GUID.upper(), f"{{{GUID}}}"])
def test_a_guid_is_kept_in_one_form(raw: str) -> None:
    assert to_guid(raw) == GUID


@pytest.mark.parametrize("raw", [None, "", "00000000-0000-0000-0000-000000000000"])
def test_no_guid_is_none(raw: object) -> None:
    assert to_guid(raw) is None


@pytest.mark.parametrize("raw", [5, "x", GUID[:-1], f"{GUID}0", f"{GUID}\n"])
def test_what_is_no_guid_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match="must be a GUID"):
        to_guid(raw)


def test_names_are_as_long_as_dataverse_makes_them() -> None:
    """A table's 90 characters leave enough of a session id's 128 for a record's id."""
    assert to_table("A" * 90) == "a" * 90
    assert to_column("_" + "a" * 127) == "_" + "a" * 127
    assert to_message("A" * 128) == "A" * 128
    for read, name in ((to_table, "a" * 91), (to_column, "a" * 129), (to_message, "A" * 129)):
        with pytest.raises(ValueError, match="must be"):
            read(name)


@pytest.mark.parametrize("name", ["", "1a", "a b", "ä", None, 5])
def test_what_is_no_name_is_refused(name: object) -> None:
    for read in (to_table, to_column, to_message):
        with pytest.raises(ValueError, match="must be"):
            read(name)


def test_a_columns_name_has_small_letters_as_dataverse_writes_it() -> None:
    assert is_column("new_total")
    assert not is_column("New_Total")
    assert not is_column("a-b")
    assert to_message("new_Recalculate.v2") == "new_Recalculate.v2"


def test_a_correlation_id_is_the_first_of_those_that_can_be_one() -> None:
    """Dataverse's header, then another's, then the body's; else it is made from the event id, the same each time."""
    headers = {"x-ms-correlation-request-id": "{" + GUID.upper() + "}", "x-correlation-id": "b"}
    assert correlation_id(headers, "c", EVENT) == GUID
    assert correlation_id({**headers, "x-ms-correlation-request-id": "no good"}, "c", EVENT) == "b"
    assert correlation_id({}, "c", EVENT) == "c"
    made = "01234567-89ab-cdef-0123-456789abcdef"
    assert correlation_id({}, None, EVENT) == made
    assert correlation_id({"x-correlation-id": "00000000-0000-0000-0000-000000000000"}, 5, EVENT) == made


@pytest.mark.parametrize("raw", ["a", "A.b_c:d|e=f-g", "a" * 128])
def test_a_correlation_id_of_somebody_elses_form_is_kept(raw: str) -> None:
    assert kept_correlation_id(f" {raw} ") == raw


@pytest.mark.parametrize("raw", ["", "-a", "a/b", "a b", "ä", "a" * 129, None, 5])
def test_what_could_be_no_key_is_no_correlation_id(raw: object) -> None:
    assert kept_correlation_id(raw) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("{6F1B8F0E-6C8F-4D0C-9A55-3F0B2F5F8C11}", "6f1b8f0e-6c8f-4d0c-9a55-3f0b2f5f8c11"),
        ("SO-1001", "SO-1001"),
        ("", ""),
    ],
)
def test_a_record_is_looked_for_under_the_id_that_its_events_have(given: str, kept: str) -> None:
    """A GUID is written in many ways, the key of another system in one."""
    assert record_id(given) == kept

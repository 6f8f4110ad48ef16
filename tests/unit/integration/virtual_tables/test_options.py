"""The most rows of an answer: what the client asks for, up to what Dataverse asks for."""

import pytest

from integration.virtual_tables.options import MOST_ASKED, MOST_ROWS, Names, list_query

NAMES = Names(("name",), {}, frozenset({"name"}))


@pytest.mark.parametrize(
    ("options", "page"),
    [([], MOST_ROWS), ([("$top", "50")], MOST_ASKED), ([("$top", "5000")], 5_000), ([("$top", "9000")], 5_000)],
)
def test_a_client_that_pages_by_itself_gets_as_many_rows_as_it_asks_for(
    options: list[tuple[str, str]], page: int
) -> None:
    """It goes on behind that number: rows that an answer lacks would never be shown."""
    assert list_query(options, NAMES).page == page

"""What Dataverse needs of every entity set, whatever it is of."""

import re

import pytest

from integration.virtual_tables import sets
from integration.virtual_tables.discovery import sets_in
from integration.virtual_tables.edm import Edm
from integration.virtual_tables.entity_set import EntitySet
from integration.virtual_tables.pushing import DIALECTS

SETS = sets_in(sets)


@pytest.mark.parametrize("declared", SETS.values(), ids=SETS)
def test_a_set_can_be_a_virtual_table(declared: EntitySet) -> None:
    """Names that Dataverse takes, a text as its name, a label for every column, texts of at most 4,000 characters."""
    names = [declared.name, declared.key, *(it.name for it in declared.columns)]
    assert [it for it in names if not re.fullmatch(r"[a-z][a-z0-9]{1,40}", it)] == []
    (title,) = [it for it in declared.columns if it.name == declared.title]
    assert title.edm is Edm.STRING
    assert all(it.label for it in declared.columns)
    assert all(0 < it.length <= 4_000 for it in declared.columns)


@pytest.mark.parametrize("declared", SETS.values(), ids=SETS)
def test_every_kind_that_serves_a_set_has_its_rows_in_a_unique_order(declared: EntitySet) -> None:
    """And a dialect, and its unique field behind a column, so that pages have no gaps and no repeats."""
    for kind, served in declared.served.items():
        assert kind in DIALECTS
        assert served.unique in {it.name for it in served.fields.values()}

"""The files of a new flow: what they are called, what they are made of, and what is refused."""

import ast
import re
import shutil
from pathlib import Path

import pytest

from sandbox.commands.scaffold import NAVIGATION, SCHEMA, NewFlow, ScaffoldError
from sandbox.repository import REPOSITORY


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with what the files are made from."""
    for path in (SCHEMA, NAVIGATION):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / path, tmp_path / path)
    return tmp_path


def declaration(root: Path, table: str) -> str:
    return (root / "integration" / "flows" / f"{table}.py").read_text(encoding="utf-8")


def test_a_table_that_the_sandbox_has_gives_its_names_and_states(root: Path) -> None:
    """The name of a lead is computed: an Update names what it is made of."""
    written = NewFlow(root, "lead", "marketing").write()
    assert [it.relative_to(root) for it in written] == [
        Path("integration", "flows", "lead.py"),
        Path("tests", "flows", "test_lead.py"),
        Path("docs", "reference", "flows", "lead.md"),
        NAVIGATION,
    ]
    text = declaration(root, "lead")
    assert 'text("fullname", default="(no name)").also_fired_by("firstname", "lastname")' in text
    assert 'choice("statecode", {0: "open", 1: "qualified", 2: "disqualified"})' in text
    assert 'entity_set="leads"' in text
    assert "- Leads: reference/flows/lead.md\n" in (root / NAVIGATION).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("table", "entity_set", "column"),
    [("new_visit", "new_visits", "new_name"), ("abc_story", "abc_stories", "abc_name"), ("tax", "taxes", "name")],
)
def test_a_table_of_ones_own_gets_the_names_that_dataverse_gives(
    root: Path, table: str, entity_set: str, column: str
) -> None:
    NewFlow(root, table, "facilities").write()
    text = declaration(root, table)
    assert f'text("{column}"' in text
    assert f'entity_set="{entity_set}"' in text


def test_an_entity_set_that_is_no_plain_plural_can_be_given(root: Path) -> None:
    NewFlow(root, "new_data", "facilities", "new_datas").write()
    assert 'entity_set="new_datas"' in declaration(root, "new_data")


def test_what_is_written_is_python(root: Path) -> None:
    for path in NewFlow(root, "new_visit", "facilities").write():
        if path.suffix == ".py":
            ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("table", "system", "said"),
    [
        ("Lead", "marketing", "Lead is not the logical name of a table"),
        ("lead", "Marketing!", "Marketing! is not a system's name"),
    ],
)
def test_names_that_cannot_be_are_refused(root: Path, table: str, system: str, said: str) -> None:
    with pytest.raises(ScaffoldError, match=said):
        NewFlow(root, table, system).write()
    assert not (root / "integration").exists()


def test_what_is_there_is_not_written_over(root: Path) -> None:
    NewFlow(root, "lead", "marketing").write()
    navigation = (root / NAVIGATION).read_text(encoding="utf-8")
    with pytest.raises(ScaffoldError, match=r"integration/flows/lead\.py exists already"):
        NewFlow(root, "lead", "another").write()
    assert (root / NAVIGATION).read_text(encoding="utf-8") == navigation


def test_the_page_says_which_files_a_table_touches(root: Path) -> None:
    """One of the app's own, with its test; all others are made."""
    written = {str(it.relative_to(root).as_posix()) for it in NewFlow(root, "new_visit", "facilities").write()}
    page = (REPOSITORY / "docs" / "how-to" / "add-a-flow.md").read_text(encoding="utf-8")
    [row] = [line for line in page.splitlines() if line.startswith("| a table |")]
    cells = row.replace("<table>", "new_visit").strip("|").split("|")[1:]
    by_hand, made = (set(re.findall(r"`([^`]+)`", cell)) for cell in cells)
    assert {it for it in by_hand if it.startswith("integration/")} == {"integration/flows/new_visit.py"}
    assert written <= by_hand | made
    assert made - written == {"docs/reference/dataverse-registration.md", "docs/reference/dataverse/flows.json"}

"""Pages are held against the code: what one names, the other has."""

import re
import shlex
from pathlib import Path

import pytest

from documentation import log_words
from documentation.source import REPOSITORY
from integration.ledger import State
from integration.settings import Settings
from integration.settings.systems import KINDS, setting_of
from sandbox.commands import catalogue

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
OPERATE = REPOSITORY / "docs" / "how-to" / "operate.md"
FOLDERS = ("integration", "sandbox", "tests", "infra", "documentation", ".github", ".azuredevops", ".vscode")
CODE = {".py", ".bicep", ".kql", ".yml", ".yaml", ".toml", ".sh"}
OF_THE_RUNTIME = {"PYTHON_THREADPOOL_THREAD_COUNT", "FUNCTIONS_WORKER_RUNTIME"}


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def named(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def test_every_state_is_documented() -> None:
    """The states' table names them all, in their order."""
    table = read(OPERATE).partition("| state |")[2].partition("\n\n")[0]
    documented = [line.split("|")[1].strip(" `") for line in table.splitlines()[2:]]
    assert documented == [state.value for state in State]


def test_queries_ask_for_words_that_are_logged() -> None:
    """A query on a word that nobody logs would be empty for ever."""
    page = read(OPERATE)
    asked = set(re.findall(r'it\.what\) == "([a-z-]+)"', page))
    asked |= {
        word for group in re.findall(r"it\.what\) in \(([^)]+)\)", page) for word in re.findall(r'"(.+?)"', group)
    }
    assert asked
    assert asked <= log_words.words().keys()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """A relative link names a file that exists, also when a page is read in the repository and not on the site."""
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", read(page)):
        assert (page.parent / target).exists(), target


def test_the_home_page_leads_to_every_page() -> None:
    """In the repository there is no menu beside it. `run.py new flow` puts the page of a flow into the menu alone."""
    home = REPOSITORY / "docs" / "index.md"
    linked = {(home.parent / target).resolve() for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", read(home))}
    pages = {page for page in PAGES if page.is_relative_to(home.parent) and page.parent.name != "flows"}
    assert pages - {home} <= linked


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=named)
def test_paths_that_pages_name_exist(page: Path) -> None:
    """Code that moves takes its mention along; what a tutorial writes itself exists only there."""
    text = read(page)
    written = set(re.findall(r"^written: (\S+)$", text, re.MULTILINE))
    for path in re.findall(r"`((?:integration|sandbox|tests|infra|docs|documentation)/[\w./-]+)`", text):
        assert path in written or (REPOSITORY / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_that_pages_name_exist(page: Path) -> None:
    """No page names a command that run.py does not have."""
    text = read(page)
    for name in re.findall(r"run\.py ([a-z][a-z-]*)", text):
        assert catalogue.find(name), name
    assert not re.findall(r"\bpython (?:run\.py|-m) ", text), "python3, as elsewhere"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_command_lines_that_pages_show_are_understood(page: Path) -> None:
    """Arguments and options are those of the command; what goes to pytest is not looked at."""
    for line in re.findall(r"^(?:[A-Z_]+=\S+ )*python3 run\.py (.+)$", read(page), re.MULTILINE):
        name, *arguments = shlex.split(line, comments=True)
        command = catalogue.find(name)
        assert command, line
        if not command.passes_on and "--help" not in arguments:
            command.parser().parse_args(arguments)


def test_pages_that_the_code_names_exist() -> None:
    """Who is sent to a page by a message or a comment finds it."""
    files = [file for folder in FOLDERS for file in (REPOSITORY / folder).rglob("*") if file.suffix in CODE]
    assert len(files) > 300
    for file in [*files, *(file for file in REPOSITORY.iterdir() if file.is_file())]:
        for page in re.findall(r"\bdocs/[\w/-]+\.(?:md|json)\b", read(file)):
            assert (REPOSITORY / page).is_file(), f"{named(file)}: {page}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_settings_that_pages_name_exist(page: Path) -> None:
    """A setting that a page asks people to set is one that the app reads."""
    starts = "|".join(sorted({name.partition("_")[0] for name in Settings.names() if name.isupper()}))
    found = set(re.findall(rf"`((?:{starts})_[A-Z_]+)`", read(page)))
    of_systems = {setting_of("erp", field.alias or "") for kind in KINDS for field in kind.model_fields.values()}
    assert found <= {*Settings.names(), *OF_THE_RUNTIME, *of_systems}
